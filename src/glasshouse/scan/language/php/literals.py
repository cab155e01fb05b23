"""Values of PHP literals."""

from __future__ import annotations

import re

MAX_TEXT = 4096
_SINGLE = re.compile(r"\\([\\'])")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "e": "\x1b", "f": "\f", "\\": "\\", "$": "$", '"': '"', "`": "`"}


def single_quoted(body: str) -> str:
    """Text between single quotes."""
    return _SINGLE.sub(r"\1", body)[:MAX_TEXT]


def escape(written: str) -> str:
    """What an escape sequence of a double-quoted text stands for; itself where it is none."""
    kind = written[1:2]
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    try:
        if kind == "x":
            return chr(int("0" + written[1:], 0))
        if kind == "u":
            code = int(written[3:-1], 16)
            return "\ufffd" if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF else chr(code)
        if kind.isdigit():
            return chr(int(written[1:], 8) & 255)
    except ValueError:
        return written
    return written


def number_value(written: str) -> int | float | str:
    """Value of a numeral; the text where it has none that fits."""
    text = written.replace("_", "").lower()
    if len(text) > 400:
        return text[:MAX_TEXT]
    try:
        if text.isdecimal():
            value = int(text, 8) if len(text) > 1 and text[0] == "0" else int(text)
        elif text[:2] in ("0x", "0b", "0o"):
            value = int(text, 0)
        else:
            number = float(text)
            return number if number == number and abs(number) != float("inf") else text
    except (ValueError, OverflowError):
        return text
    return value if abs(value) < 2**63 else str(value)
