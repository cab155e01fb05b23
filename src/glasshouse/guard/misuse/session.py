"""What one conversation showed over its turns, so that misuse asked for in parts is seen as a whole.

A session is a small value: the features of the last turns, no text.  Features may be single words of a prompt, so keep
a session in memory only, as private as the prompts.  No clock: the caller forgets sessions that rest.
"""

from __future__ import annotations

import msgspec

from glasshouse.guard.misuse.shown import BYTES_EACH

TURNS_KEPT = 6
FEATURES_PER_TURN = 400


class Session(msgspec.Struct, frozen=True):
    """The features of a conversation's last turns, oldest first.  A new conversation starts with ``Session()``."""

    turns: tuple[bytes, ...] = ()
    """Each as `shown.packed` makes it: a gateway remembers thousands of conversations."""

    @property
    def shown(self) -> bytes:
        """Everything the remembered turns showed."""
        return b"".join(self.turns)

    def after(self, shown: bytes) -> Session:
        """The session with one more turn; the oldest beyond `TURNS_KEPT` is forgotten, and a long turn is cut."""
        return Session((*self.turns, shown[: FEATURES_PER_TURN * BYTES_EACH])[-TURNS_KEPT:])
