"""Encoded pieces of a text, decoded: base64, base32, hex, URL, HTML entities, escapes, binary, Morse, letter ciphers.

Every decoder takes a bounded piece and answers readable text or nothing; none raises.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from glasshouse.guard.misuse.shapes import CODES, HEX, SOLID

MAX_PIECE = 65_536
"""Characters of one encoded piece that are decoded; the rest of a longer one is left as it is."""

Decoder = Callable[[str], str]

SHORTEST_RUN = 16
"""Characters without a space from which on a run may be encoded."""

_RUN = b"x" * SHORTEST_RUN
_PAIRS = re.compile(rb"hh hh ").search  # in the classes of `HEX`; bytes that are common are found quicker this way
_SIGNS_APART = re.compile(rb"\. \.").search
_HEX_PAIRS = re.compile(r"[0-9a-fA-F]{2}[ :,][0-9a-fA-F]{2}[ :,]")
_CODE_MARKS = re.compile(r"[%&\\]|[01]{7}|[.\-\u2013\u2014\u2022\u00b7]{1,6}[ /][.\-\u2013\u2014\u2022\u00b7]")
_HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2}[ :,]?(?:0x|\\x)?){8,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_URL = re.compile(r"[A-Za-z0-9_.~+\-/=?&]{0,16}(?:%[0-9a-fA-F]{2}[A-Za-z0-9_.~+\-/=?&]{0,32}){3,}")
_ENTITY = re.compile(r"(?:(?:[A-Za-z0-9 ]{0,12})&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});){2,}")
_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[0-7]{3}){4,}")
_BINARY = re.compile(r"(?:[01]{8}[ ,]?){5,}|(?:[01]{7}[ ,]){5,}[01]{7}")
_MORSE = re.compile(r"(?:[.\-\u00b7\u2022\u2013\u2014]{1,6}[ /|]+){7,}[.\-]{1,6}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([0-7]{3})")
_MORSE_LETTERS = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--..".split(),
        "abcdefghijklmnopqrstuvwxyz0123456789.,?",
        strict=True,
    )
)


def encoded_pieces(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, name of the encoding, decoded text) of each piece of the text that decodes to something readable."""
    runs, marks = _hints(text)
    if not runs and not marks:
        return
    for name, needs_run, pattern, decode in _DECODERS:
        if runs if needs_run else marks:
            for match in pattern.finditer(text):
                piece = match.group().rstrip()
                decoded = decode(piece[:MAX_PIECE])
                if _readable(decoded):
                    yield match.start(), match.start() + len(piece), name, decoded


def _hints(text: str) -> tuple[bool, bool]:
    """Whether the text has a run that may be encoded, and whether it has marks of a code."""
    if text.isascii():
        raw = text.encode()
        codes = raw.translate(CODES)
        runs = _RUN in raw.translate(SOLID) or _PAIRS(raw.translate(HEX)) is not None
        return runs, b"%" in codes or b"1111111" in codes or _SIGNS_APART(codes) is not None
    runs = max(map(len, text.split()), default=0) >= SHORTEST_RUN or _HEX_PAIRS.search(text) is not None
    return runs, _CODE_MARKS.search(text) is not None


def rot13(text: str) -> str:
    """Each Latin letter moved by 13."""
    return codecs.encode(text, "rot13")


def shifted(text: str, shift: int) -> str:
    """Each Latin letter of a lower-case text moved forward by ``shift``."""
    return text.translate({97 + each: 97 + (each + shift) % 26 for each in range(26)})


def _readable(text: str) -> bool:
    """At least four characters, nearly all printable, and letters among them."""
    if len(text) < 4:
        return False
    printable = sum(each.isprintable() or each in "\r\n\t" for each in text)
    letters = sum(each.isalpha() or each == " " for each in text)
    return printable * 20 >= len(text) * 19 and letters * 2 >= len(text) and text.count("\ufffd") * 20 <= len(text)


def _from_bytes(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    if len(raw) >= 8 and raw[1::2].count(0) * 5 >= len(raw[1::2]) * 4:
        return raw.decode("utf-16-le", "replace")
    return raw.decode("utf-8", "replace") if raw.count(b"\0") == 0 else ""


def _base64(piece: str) -> str:
    packed = re.sub(r"[\s=]", "", piece).translate({45: "+", 95: "/"})
    packed = packed[: len(packed) // 4 * 4 + (len(packed) % 4 if len(packed) % 4 > 1 else 0)]
    try:
        return _from_bytes(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _base32(piece: str) -> str:
    packed = piece.strip("=")
    packed = packed[: len(packed) // 8 * 8 + {2: 2, 4: 4, 5: 5, 7: 7}.get(len(packed) % 8, 0)]
    try:
        return _from_bytes(base64.b32decode(packed + "=" * (-len(packed) % 8)))
    except (binascii.Error, ValueError):
        return ""


def _hex(piece: str) -> str:
    digits = re.sub(r"0x|\\x|[ :,]", "", piece)
    try:
        return _from_bytes(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    except ValueError:
        return ""


def _url(piece: str) -> str:
    return unquote(piece.replace("+", " "), errors="replace")


def _escapes(piece: str) -> str:
    def one(match: re.Match[str]) -> str:
        wide, byte, octal = match.groups()
        return chr(int(octal, 8) if octal else int(wide or byte, 16))

    return _ESCAPED.sub(one, piece).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _binary(piece: str) -> str:
    digits = re.findall("[01]{7,8}", piece)
    return _from_bytes(bytes([int(each, 2) for each in digits]))


def _morse(piece: str) -> str:
    marks = piece.translate({0xB7: ".", 0x2022: ".", 0x2013: "-", 0x2014: "-"})
    words = re.split(r"\s*[/|]\s*|\s{2,}", marks.strip())
    return " ".join(["".join([_MORSE_LETTERS.get(letter, "") for letter in word.split()]) for word in words])


_DECODERS: tuple[tuple[str, bool, re.Pattern[str], Decoder], ...] = (
    # name, whether it shows as a long run of letters and digits (or else by its marks), where, how
    ("binary", False, _BINARY, _binary),
    ("hex", True, _HEX, _hex),
    ("base64", True, _BASE64, _base64),
    ("base32", True, re.compile(r"[A-Z2-7]{16,}={0,6}"), _base32),
    ("url", False, _URL, _url),
    ("html", False, _ENTITY, html.unescape),
    ("escapes", False, _ESCAPE, _escapes),
    ("morse", False, _MORSE, _morse),
)
