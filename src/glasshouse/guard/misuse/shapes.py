"""ASCII text as strings of classes: what an expression would look for at every place, one pass of C finds.

Each table is for `bytes.translate` and maps a byte to its class; then `in`, `find` and `split` do the looking.
"""

from __future__ import annotations

import string
from typing import Final

_LETTERS = string.ascii_letters.encode()
_DIGITS = string.digits.encode()
_BLANKS = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "  # what `str.split` splits at


def _table(other: bytes, *classes: tuple[bytes, bytes]) -> bytes:
    """A table from (members, their class); every other byte gets the class ``other``."""
    mapped = bytearray(other * 256)
    for members, name in classes:
        for each in members:
            mapped[each] = name[0]
    return bytes(mapped)


def _lower() -> bytes:
    mapped = bytearray(_table(b" ", (b"'", b"'"), (b"?", b"?"), (b"!", b"!"), (_DIGITS, b"0")))
    for each in _LETTERS:
        mapped[each] = each | 0x20
    return bytes(mapped)


WORDS: Final = _lower()
"""Lower case; digits as ``0``; apostrophes, ``?`` and ``!`` as they are; all else blank."""

SIGNS: Final = _table(b" ", (_LETTERS, b"a"), (_DIGITS + b"@$", b"0"), (b"!|", b"!"))
"""Letters ``a``, digits and signs that may stand for letters ``0``, those that do so only between letters ``!``."""

SHAPE: Final = _table(b"#", (_LETTERS + _DIGITS, b"a"), (b".-_*|,/+~", b"."), (b" ", b" "))
"""Letters and digits ``a``, what may be put between letters ``.``, the space, all else ``#``."""

SOLID: Final = _table(b"x", (_BLANKS, b" "))
"""Everything but blanks as ``x``."""

MARKS: Final = _table(b" ", (b".!?;:\n", b"."))
"""What may end a sentence as ``.``."""

HEX: Final = _table(b"#", (b"0123456789abcdefABCDEF", b"h"), (b" :,", b" "))
"""Hexadecimal digits ``h``, what stands between pairs of them blank, all else ``#``."""

CODES: Final = _table(b"#", (b"01", b"1"), (b".-", b"."), (b" /", b" "), (b"%&\\", b"%"))
"""Binary digits ``1``, the signs of Morse ``.``, what stands between those blank, what begins an escape ``%``."""
