"""Values of Go literals."""

from __future__ import annotations

import re

MAX_TEXT = 4096
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-7]{3})|([\s\S]))")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def _replace(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if not digits and not match[4]:
        return _SIMPLE.get(match[5], match[5])
    code = int(digits, 16) if digits else int(match[4], 8)
    return "\ufffd" if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)


def text_value(written: str) -> str:
    """Text of a string literal with its quotes."""
    if written[:1] == "`":
        return written[1:-1].replace("\r", "")[:MAX_TEXT]
    return _ESCAPE.sub(_replace, written[1:-1])[:MAX_TEXT]


def rune_value(written: str) -> int | None:
    """Code point of a rune literal with its quotes."""
    text = _ESCAPE.sub(_replace, written[1:-1])
    return ord(text) if len(text) == 1 else None


def number_value(written: str) -> int | float | str:
    """Value of a numeral; the text where it has none that fits."""
    text = written.replace("_", "").lower()
    if len(text) > 400 or text.endswith("i"):
        return text[:MAX_TEXT]
    try:
        if text.isdecimal():
            value = int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
        elif text[:2] in ("0x", "0b", "0o") and "p" not in text:
            value = int(text, 0)
        else:
            number = float.fromhex(text) if text[:2] == "0x" else float(text)
            return number if number == number and abs(number) != float("inf") else text
    except (ValueError, OverflowError):
        return text
    return value if abs(value) < 2**63 else str(value)
