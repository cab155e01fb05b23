"""Values of literals: strings with escapes, numbers in every notation."""

from __future__ import annotations

import re

MAX_TEXT = 4096  # characters of a constant that are kept
_MAX_EXACT = 2**53
_MAX_DIGITS = 400  # longer numerals are kept as text

_ESCAPE = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-7]{1,3})|(\r\n|[\s\S]))",
)
_SIMPLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\n": "",
    "\r": "",
    "\r\n": "",
    "\u2028": "",
}


def _replace(match: re.Match[str]) -> str:
    braced, four, two, octal, plain = match.groups()
    digits = braced or four or two
    if digits:
        code = int(digits, 16)
    elif octal:
        code = int(octal, 8)
    else:
        return _SIMPLE.get(plain, plain)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return chr(code)


def decode_text(raw: bytes) -> str:
    """Text of a string or template body, escapes replaced, at most ``MAX_TEXT`` characters."""
    text = raw[: 4 * MAX_TEXT].decode("utf-8", "replace")
    if "\\" in text:
        text = _ESCAPE.sub(_replace, text)
    return text[:MAX_TEXT]


def decode_number(raw: bytes) -> int | float | str:
    """Value of a numeral; BigInts too large for an exact double are text."""
    text = raw.decode("ascii", "replace").replace("_", "").lower()
    if len(text) > _MAX_DIGITS:
        return text[:MAX_TEXT]
    big = text.endswith("n")
    digits = text[:-1] if big else text
    value = _integer(digits)
    if value is not None:
        if value < _MAX_EXACT:
            return value
        return digits if big else float(value)
    try:
        number = float(digits)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < _MAX_EXACT else number


def _integer(digits: str) -> int | None:
    try:
        if digits[:2] in ("0x", "0b", "0o"):
            return int(digits, 0)
        if len(digits) > 1 and digits[0] == "0" and digits.isdigit():
            return int(digits, 8) if not set(digits) & {"8", "9"} else int(digits)
        return int(digits) if digits.isdigit() else None
    except ValueError:
        return None
