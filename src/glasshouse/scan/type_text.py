"""The text of a declared type of Python, taken apart; front ends and the interpreter both read such texts."""

from __future__ import annotations


def split_outside(text: str, separator: str) -> list[str]:
    """Parts between separators that stand outside of brackets and quotes."""
    parts: list[str] = []
    level, start, quote = 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[(":
            level += 1
        elif char in "])":
            level -= 1
        elif char == separator and level == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    parts.append(text[start:].strip())
    return parts
