"""Turns source bytes of any encoding into valid UTF-8, the way the language's own compiler would."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PEP_263 = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?\r?$")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_REFUSED_CODECS = frozenset(("punycode", "idna", "undefined", "mbcs", "oem", "charmap"))  # slow, or not for files


def decode_source(data: bytes, language: str) -> bytes:
    """``data`` as UTF-8 without byte order mark and NUL.  Lines keep their numbers, characters their columns."""
    text = _decoded(data, language)
    return text.replace(b"\0", b" ") if b"\0" in text else text


def guess_utf16(head: bytes) -> str:
    """The byte order when ``head`` looks like UTF-16 (or has its mark), else ""."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if len(head) < 8:
        return ""
    for zeros, letters, encoding in ((head[1::2], head[0::2], "utf-16-le"), (head[0::2], head[1::2], "utf-16-be")):
        if zeros.count(0) > len(zeros) * 0.4 and len(letters.translate(None, _PRINTABLE)) < len(letters) * 0.1:
            return encoding
    return ""


def _decoded(data: bytes, language: str) -> bytes:
    if data.startswith(codecs.BOM_UTF8):
        return _utf8_or_latin(data[3:])
    if (wide := guess_utf16(data[:8192])) != "":
        text = data.decode(wide, "replace")
        return text.removeprefix("\ufeff").encode("utf-8", "replace")
    if language == "python" and (declared := _declared_encoding(data)) is not None:
        try:
            return codecs.decode(data, declared, "replace").encode("utf-8", "replace")
        except (UnicodeError, LookupError, ValueError):
            return _utf8_or_latin(data)
    return _utf8_or_latin(data)


def _utf8_or_latin(data: bytes) -> bytes:
    """Valid UTF-8 as it is; else whichever of UTF-8 with replacements and Latin-1 loses less."""
    if data.isascii():
        return data
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        repaired = data.decode("utf-8", "replace")
        broken = repaired.count("\ufffd")
        whole = len(repaired) - len(repaired.encode("ascii", "ignore")) - broken
        if whole > broken:
            return repaired.encode("utf-8")
        return data.decode("latin-1").encode("utf-8")
    return data


def _declared_encoding(data: bytes) -> str | None:
    """The codec that a PEP 263 comment in the first two lines names, or None for UTF-8, none, or one we refuse."""
    lines = data[:1024].split(b"\n", 2)[:2]
    for index, line in enumerate(lines):
        if index == 1 and not _BLANK.match(lines[0]):
            return None
        match = _PEP_263.match(line)
        if match is not None:
            return _text_codec(match.group(1).decode("ascii", "replace"))
    return None


def _text_codec(name: str) -> str | None:
    normalised = name[:40].lower().replace("_", "-")
    if normalised.startswith("utf-8") or normalised in _REFUSED_CODECS or "." in name:
        return None
    try:
        info = codecs.lookup(name[:40])
    except (LookupError, ValueError):
        return None
    if info.name in _REFUSED_CODECS or not getattr(info, "_is_text_encoding", False):
        return None
    return info.name
