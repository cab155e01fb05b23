"""Values of Python literals, read from their source text without evaluating anything."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 4096  # characters of a string constant that are kept

_SIMPLE = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\n": "",
}
_ESCAPE = re.compile(
    r"\\(?:([\\'\"abfnrtv\n])|([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^{}\n]{1,80})\})"
)
_BYTES_ESCAPE = re.compile(r"\\(?:([\\'\"abfnrtv\n])|([0-7]{1,3})|x([0-9a-fA-F]{2}))")
_PREFIX = re.compile(rb"[A-Za-z]{0,3}")
REPLACEMENT = "\ufffd"


def string_prefix(text: bytes) -> str:
    """The letters before the opening quote, in lower case."""
    found = _PREFIX.match(text)
    return found.group().decode("ascii").lower() if found else ""


def string_value(text: bytes) -> str:
    """The value of a string literal without interpolations; bytes are read as Latin-1."""
    prefix = string_prefix(text)
    body = text[len(prefix) :]
    quote = body[:3] if body[:3] in (b'"""', b"'''") else body[:1]
    inner = (
        body[len(quote) : -len(quote)] if len(body) >= 2 * len(quote) and body.endswith(quote) else body[len(quote) :]
    )
    if len(inner) > 8 * MAX_TEXT:
        inner = inner[: 8 * MAX_TEXT]
    is_bytes = "b" in prefix
    value = inner.decode("latin-1" if is_bytes else "utf-8", "replace")
    if "\\" in value and "r" not in prefix:
        value = unescape(value, is_bytes)
    return value[:MAX_TEXT]


def unescape(text: str, is_bytes: bool = False) -> str:
    """Text with its backslash escapes resolved; what is not an escape stays as written."""
    return (_BYTES_ESCAPE if is_bytes else _ESCAPE).sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    groups = match.groups()
    if groups[0] is not None:
        return _SIMPLE[groups[0]]
    if groups[1] is not None:
        return chr(int(groups[1], 8))
    if len(groups) > 3 and groups[5] is not None:
        try:
            return unicodedata.lookup(groups[5])
        except KeyError:
            return REPLACEMENT
    code = int(next(digits for digits in groups[2:] if digits is not None), 16)
    # Lone surrogates have no UTF-8 form, so they could not be stored.
    return REPLACEMENT if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)


def number_value(text: str) -> int | float | str:
    """The value of a number literal; an integer beyond 64 bits becomes a float, what is not real stays text."""
    plain = text.replace("_", "").rstrip("lL")[:400]
    try:
        if plain[:1] == "0" and plain[1:].isdigit():
            value = int(plain, 8) if plain.strip("01234567") == "" else int(plain)
        else:
            value = int(plain, 0)
    except ValueError:
        try:
            return float(plain)
        except ValueError:
            return plain
    if -(2**63) <= value < 2**64:
        return value
    try:
        return float(value)
    except OverflowError:
        return plain
