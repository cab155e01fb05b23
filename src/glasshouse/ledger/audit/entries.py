"""The entries themselves: one canonical form, so one expression reads them and refuses everything else."""

from __future__ import annotations

import re
from typing import Any

from glasshouse.ledger.audit.proofs import Fault

_HASH, _NUMBER, _NAME = rb"[0-9a-f]{64}", rb"(?:0|[1-9][0-9]{0,17})", rb"[A-Za-z0-9_.:@-]{1,64}"
_PAYLOAD = rb'\{"ciphertext":"' + _HASH + rb'","commitment":"' + _HASH + rb'","name":"[a-z][a-z0-9.-]{0,31}"\}'
ENTRY = re.compile(
    rb'\{"about":(null|' + _NUMBER + rb'),"count":(' + _NUMBER + rb'),"decision":"[a-z][a-z-]{0,31}","key":"(' + _NAME
    + rb')","kind":"([a-z][a-z0-9.-]{0,63})","org":"' + _NAME + rb'","part":"(single|opens|closes)","payloads":\[((?:'
    + _PAYLOAD + rb"(?:," + _PAYLOAD + rb'){0,15})?)\],"policy":"(?:' + _HASH + rb')?","previous":(null|"' + _HASH
    + rb'"),"time":(' + _NUMBER + rb'),"v":1\}'
)  # fmt: skip
_CIPHERTEXT = re.compile(rb'"ciphertext":"([0-9a-f]{64})"')


class Keys:
    """Count and last leaf by key, in bounded memory: past a limit they move to a temporary database."""

    LIMIT = 300_000

    def __init__(self) -> None:
        self.recent: dict[bytes, tuple[int, bytes]] = {}
        self.spilled: Any = None
        self.number = 0

    def get(self, key: bytes) -> tuple[int, bytes] | None:
        """What is known of a key."""
        found = self.recent.get(key)
        if found is None and self.spilled is not None:
            found = self.spilled.execute("SELECT count, leaf FROM chain WHERE key = ?", (key,)).fetchone()
        return found

    def put(self, key: bytes, count: int, leaf: bytes) -> None:
        """Notes a key's newest entry."""
        self.number += count == 1
        self.recent[key] = (count, leaf)
        if len(self.recent) > self.LIMIT:
            self._spill()

    def _spill(self) -> None:
        if self.spilled is None:
            import sqlite3

            self.spilled = sqlite3.connect("")  # an empty name: a temporary file that vanishes with the connection
            self.spilled.execute("CREATE TABLE chain (key BLOB PRIMARY KEY, count INTEGER, leaf BLOB) WITHOUT ROWID")
        rows = ((key, *value) for key, value in self.recent.items())
        self.spilled.executemany("INSERT OR REPLACE INTO chain VALUES (?, ?, ?)", rows)
        self.recent.clear()


class Story:
    """What the entries say together: no key's entry is missing, time never runs back, an outcome has its request."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.opened: set[int] = set()
        self.erased: dict[int, int] = {}
        self.held: dict[int, int] = {}
        self.time = 0

    def follow(self, index: int, entry: bytes, leaf: bytes) -> bytes:
        """Checks the next entry; returns the text of its payload commitments."""
        match = ENTRY.fullmatch(entry)
        if match is None:
            raise Fault("not an entry in the canonical form of version 1", index=index)
        about, count, key, kind, part, payloads, previous, time = match.groups()
        known = self.keys.get(key)
        expected, last = (known[0] + 1, b'"%s"' % known[1].hex().encode()) if known else (1, b"null")
        if int(count) != expected:
            lack = "an entry is missing before it" if int(count) > expected else "a count occurs twice"
            raise Fault(f"key {key.decode()} counts {int(count)} where {expected} is due: {lack}", index=index)
        if previous != last:
            raise Fault(f"the hash of the previous entry of key {key.decode()} is wrong", index=index)
        self.keys.put(key, expected, leaf)
        if int(time) < self.time:
            raise Fault("its time lies before the time of the entry before it", index=index)
        self.time = int(time)
        if about != b"null" or part == b"opens" or kind.startswith(b"ledger."):
            self._relate(index, about, kind, part)
        return payloads

    def _relate(self, index: int, about: bytes, kind: bytes, part: bytes) -> None:
        target = None if about == b"null" else int(about)
        if target is not None and target >= index:
            raise Fault(f"it is about entry {target}, which does not come before it", index=index)
        if part == b"opens":
            self.opened.add(index)
        if part == b"closes":
            if target not in self.opened:
                raise Fault(f"it closes entry {target}, which is not open", index=index)
            self.opened.discard(target)
        if target is not None and kind == b"ledger.erasure":
            self.erased[target] = index
        if target is not None and kind == b"ledger.hold":
            self.held[target] = index
        if target is not None and kind == b"ledger.release":
            self.held.pop(target, None)


def ciphertexts(payloads: bytes) -> list[bytes]:
    """The hashes of the sealed payloads, from the text that ``Story.follow`` returns."""
    return [bytes.fromhex(each.decode()) for each in _CIPHERTEXT.findall(payloads)]
