"""The system's random bytes, fetched many at a time: each fetch lets go of the interpreter, which costs more."""

from __future__ import annotations

import os
import threading

CHUNK = 16_384


class RandomBytes:
    """A store of random bytes; usable from several threads, and never shared by two processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Drops what is left: two processes must never share bytes."""
        self._left, self._position = b"", 0

    def take(self, count: int) -> bytes:
        """Bytes that nobody else gets."""
        with self._lock:
            if self._position + count > len(self._left):
                self._left, self._position = os.urandom(max(count, CHUNK)), 0
            start = self._position
            self._position += count
            return self._left[start : self._position]


_SHARED = RandomBytes()


def fresh_hex(count: int) -> str:
    """So many random bytes in hexadecimal, for an identifier."""
    return _SHARED.take(count).hex()
