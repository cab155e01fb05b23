"""Events that differ from an earlier one in nothing but a text: nearly all events of a stream.

What surrounds the text was read once; the same bytes around another plain string literal mean the same with another
text, so only the literal is read.  Where that is not certain, the event is read in full.
"""

from __future__ import annotations

import re

from glasshouse.gateway.dialect.interface import AnswerShapeError, Dialect, EventView, Piece
from glasshouse.gateway.dialect.sse import parse_event

MAX_BYTES = 4_096
"""Bytes of an event that others are compared with."""
TRIES = 8
"""Events in a row that are like none before, and no more are compared in this stream."""
PROBE = "any other text"
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]+')


class Alike:
    """What surrounds the text of the last event that was read in full."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._before = self._after = b""
        self._around = 0
        self._tries = TRIES

    def text(self, raw: bytes) -> str | None:
        """The text of an event that says nothing but another text of the channel that was learnt; None for others."""
        if not self._around or not raw.startswith(self._before) or not raw.endswith(self._after):
            return None
        literal = raw[len(self._before) : -len(self._after)]
        if len(literal) + self._around != len(raw) or len(raw) > MAX_BYTES or _PLAIN.fullmatch(literal) is None:
            return None
        try:
            text = literal.decode()
        except UnicodeDecodeError:
            return None
        self._tries = TRIES
        return text

    def learn(self, raw: bytes, piece: Piece) -> bool:
        """Learns an event that says nothing but this piece of a text; whether later ones may be compared with it."""
        if self._tries <= 0 or len(raw) > MAX_BYTES or b"\\" in raw:
            return False
        self._tries -= 1
        literal = b'"%b"' % piece.text.encode("utf-8", "surrogatepass")
        at = raw.find(literal)
        if at < 0 or raw.find(literal, at + 1) >= 0:
            return False
        before, after = raw[: at + 1], raw[at + len(literal) - 1 :]
        probe = b"%b%b%b" % (before, PROBE.encode(), after)
        event = parse_event(probe, probe)
        try:
            view = self._dialect.event(event.name, event.data)
        except AnswerShapeError:
            return False
        if view != EventView((Piece(piece.channel, PROBE),)):
            return False
        self._before, self._after, self._around = before, after, len(before) + len(after)
        return True
