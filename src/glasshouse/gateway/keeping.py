"""What of a call is kept, as its engagement says: nothing, sealed in the log, or also as plain files.

Digests and sizes are recorded in any case.  ``sealed`` content is a payload of the log: encrypted under the
engagement's key, and erasable.  ``plain`` writes files into the home besides, for organisations that must read along.
"""

from __future__ import annotations

from pathlib import Path

from glasshouse.words.engagement import Engagement
from glasshouse.words.passage import NOTHING_KEPT, Kept

MAX_KEPT_BYTES = 1_048_576
"""Of one request or answer; what is longer is kept up to here, under a name that says so."""


class Answered:
    """The first bytes of an answer, collected while it passes."""

    def __init__(self, engagement: Engagement) -> None:
        self._wanted = engagement.keeps != "nothing"
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, data: bytes) -> None:
        """The next bytes."""
        if self._wanted and self._size <= MAX_KEPT_BYTES:
            self._parts.append(data)
            self._size += len(data)

    def kept(self) -> Kept:
        """What goes beside the outcome's entry."""
        return _named("answer", b"".join(self._parts)) if self._wanted and self._parts else NOTHING_KEPT


def request_kept(engagement: Engagement, body: bytes) -> Kept:
    """What goes beside the request's entry."""
    return _named("prompt", body) if engagement.keeps != "nothing" else NOTHING_KEPT


def write_plain(folder: Path, engagement: Engagement, index: int, kept: Kept) -> None:
    """Writes the content of an entry as files, where the engagement says ``plain``."""
    if engagement.keeps != "plain":
        return
    place = folder / "kept" / engagement.id
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in kept:
        file = place / f"{index}.{name}"
        file.touch(mode=0o600)
        file.write_bytes(data)


def _named(name: str, data: bytes) -> Kept:
    if len(data) <= MAX_KEPT_BYTES:
        return ((name, data),)
    return ((f"{name}.part", data[:MAX_KEPT_BYTES]),)
