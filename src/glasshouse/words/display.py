"""Untrusted text made fit for a terminal: nothing in it can move the cursor, change colours or reorder characters."""

from __future__ import annotations

import re
import unicodedata

TAB_WIDTH = 4
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_CREDENTIALS = re.compile(r"(://)[^/\s]{1,1000}@")


def visible_character(character: str) -> str:
    """The character itself, or a picture of it when it would act instead of show.

    Bidirectional controls and zero-width characters are not printable either: they make code look different.
    """
    if character.isascii():
        code = ord(character)
        if code < 0x20:
            return chr(0x2400 + code)
        return "\u2421" if code == 0x7F else character
    return character if character.isprintable() else REPLACEMENT


def visible(text: str) -> str:
    """``text`` on one line, without a character that acts on a terminal; tabs become one space."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if character == "\t" else visible_character(character) for character in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, whose line ends stay."""
    return "\n".join(visible(line) for line in text.split("\n"))


def counted(number: int, noun: str, many: str = "") -> str:
    """A number with its noun: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def character_width(character: str) -> int:
    """Columns that a (visible) character takes on a terminal: 0, 1 or 2."""
    if character.isascii():
        return 1
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def expand(text: str) -> tuple[str, list[int]]:
    """A source line as shown (tabs expanded, acting characters replaced) and the display column of each character.

    The list has one entry more than ``text``: the column after its end.  Columns count from 0.
    """
    shown: list[str] = []
    columns: list[int] = []
    column = 0
    for character in text:
        columns.append(column)
        if character == "\t":
            piece, step = " " * (TAB_WIDTH - column % TAB_WIDTH), TAB_WIDTH - column % TAB_WIDTH
        else:
            piece = visible_character(character)
            step = character_width(piece)
        shown.append(piece)
        column += step
    columns.append(column)
    return "".join(shown), columns


def without_credentials(text: str) -> str:
    """The text with ``***`` in place of user and password in its addresses (``https://user:password@host``)."""
    return _CREDENTIALS.sub(r"\1***@", text)
