"""For tests of rooms that use the log: witnesses without a network, and a clock that moves when told to."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from glasshouse.ledger.audit.notes import Key
from glasshouse.ledger.cosigning import HttpAnswer, UnreachableError
from glasshouse.ledger.keys import WITNESS_KINDS, new_signers
from glasshouse.ledger.witness import Witness

START_MS = 1_800_000_000_000


class Clock:
    """Wall clock in milliseconds and steady clock in seconds, which only move when told to."""

    def __init__(self) -> None:
        self.wall, self.seconds = START_MS, 0.0

    def read_wall(self) -> int:
        """Milliseconds since 1970."""
        return self.wall

    def read_steady(self) -> float:
        """Seconds of a clock that nobody sets."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.seconds += seconds
        self.wall += int(seconds * 1000)


class Network:
    """Witnesses by address; one that is not there does not answer."""

    def __init__(self) -> None:
        self.witnesses: dict[str, Witness] = {}
        self.down: set[str] = set()
        self.lies: dict[str, HttpAnswer] = {}

    def add(self, name: str, directory: Path, logs: tuple[Key, ...], pause: Callable[[], None] = lambda: None) -> str:
        """A new witness with fresh keys; returns its policy line."""
        signers = new_signers(f"witness.example.com/{name}", WITNESS_KINDS)
        self.witnesses[name] = Witness(directory / name, signers, logs, lambda: START_MS, pause)
        return f"witness {name} {signers[0].key.vkey} http://{name}"

    def ask(self, method: str, url: str, body: bytes | None, timeout: float) -> HttpAnswer:
        """What a witness answers."""
        name, _, path = url.removeprefix("http://").partition("/")
        if name in self.down or name not in self.witnesses:
            raise UnreachableError(f"{name} is down")
        if name in self.lies:
            return self.lies[name]
        witness = self.witnesses[name]
        if method == "POST":
            answer = witness.add_checkpoint(body or b"")
        else:
            match = re.fullmatch(r"([0-9a-f]{64})/checkpoint", path)
            answer = witness.checkpoint(match[1] if match else "")
        return HttpAnswer(answer.status, answer.kind, answer.body.encode())

    def close(self) -> None:
        """Closes every witness."""
        for witness in self.witnesses.values():
            witness.close()
