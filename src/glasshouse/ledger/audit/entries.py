"""The entries themselves: one canonical form, so one expression reads them and refuses everything else."""

from __future__ import annotations

import re
from binascii import hexlify
from functools import cache
from typing import Any

from glasshouse.ledger.audit.proofs import Fault

_HASH, _NUMBER, _NAME = rb"[0-9a-f]{64}", rb"(?:0|[1-9][0-9]{0,17})", rb"[A-Za-z0-9_.:@-]{1,64}"
_PAYLOAD = rb'\{"ciphertext":"' + _HASH + rb'","commitment":"' + _HASH + rb'","name":"[a-z][a-z0-9.-]{0,31}"\}'
_ENTRY = (
    rb'\{"about":(null|' + _NUMBER + rb'),"count":(' + _NUMBER + rb'),"decision":"[a-z][a-z-]{0,31}","key":"(' + _NAME
    + rb')","kind":"([a-z][a-z0-9.-]{0,63})","org":"' + _NAME + rb'","part":"(single|opens|closes)","payloads":\[((?:'
    + _PAYLOAD + rb"(?:," + _PAYLOAD + rb'){0,15})?)\],"policy":"(?:' + _HASH + rb')?","previous":(null|"' + _HASH
    + rb'"),"time":(' + _NUMBER + rb'),"v":1\}'
)  # fmt: skip
_CIPHERTEXT = rb'"ciphertext":"([0-9a-f]{64})"'


@cache
def entry_form() -> re.Pattern[bytes]:
    """The expression that a whole entry matches."""
    return re.compile(_ENTRY)


class Keys:
    """Count and last leaf by key, in bounded memory: past a limit they move to a temporary database."""

    LIMIT = 300_000

    def __init__(self) -> None:
        self.recent: dict[bytes, tuple[int, bytes]] = {}
        self.spilled: Any = None
        self.number = 0

    def get(self, key: bytes) -> tuple[int, bytes] | None:
        """Count and leaf hash of a key's newest entry."""
        return self.recent.get(key) or self.spilled_state(key)

    def spilled_state(self, key: bytes) -> tuple[int, bytes] | None:
        """The same for a key that was moved out of memory."""
        if self.spilled is None:
            return None
        found: tuple[int, bytes] | None = self.spilled.execute(
            "SELECT count, leaf FROM chain WHERE key = ?", (key,)
        ).fetchone()
        return found

    def admit(self, key: bytes) -> tuple[int, bytes] | None:
        """Makes room for a key that is not in memory; what is known of it, or None for a new one."""
        known = self.spilled_state(key)
        self.number += known is None
        if len(self.recent) >= self.LIMIT:
            self._spill()
        return known

    def _spill(self) -> None:
        if self.spilled is None:
            import sqlite3

            self.spilled = sqlite3.connect("")  # an empty name: a temporary file that vanishes with the connection
            self.spilled.execute("CREATE TABLE chain (key BLOB PRIMARY KEY, count INTEGER, leaf BLOB) WITHOUT ROWID")
        rows = ((key, *value) for key, value in self.recent.items())
        self.spilled.executemany("INSERT OR REPLACE INTO chain VALUES (?, ?, ?)", rows)
        self.recent.clear()

    def close(self) -> None:
        """Lets go of the temporary database."""
        if self.spilled is not None:
            self.spilled.close()


def _wrong_count(key: bytes, count: int, expected: int) -> str:
    lack = "an entry is missing before it" if count > expected else "a count occurs twice"
    return f"key {key.decode()} counts {count} where {expected} is due: {lack}"


class Story:
    """What the entries say together: no key's entry is missing, time never runs back, an outcome has its request."""

    def __init__(self) -> None:
        self.keys = Keys()
        self.opened: set[int] = set()
        self.erased: dict[int, int] = {}
        self.held: dict[int, int] = {}
        self.time = 0

    def follow(self, first: int, entries: list[bytes], leaves: list[bytes]) -> list[bytes]:
        """Checks the entries from index ``first`` on; returns the text of each one's payload commitments."""
        payloads, latest, match = [], self.keys.recent, entry_form().fullmatch
        for index, (entry, leaf) in enumerate(zip(entries, leaves, strict=True), start=first):
            found = match(entry)
            if found is None:
                raise Fault("not an entry in the canonical form of version 1", index=index)
            about, count, key, kind, part, payload, previous, time = found.groups()
            known = latest.get(key) or self.keys.admit(key)
            expected = known[0] + 1 if known else 1
            if int(count) != expected:
                raise Fault(_wrong_count(key, int(count), expected), index=index)
            if previous != (b'"%b"' % hexlify(known[1]) if known else b"null"):
                raise Fault(f"the hash of the previous entry of key {key.decode()} is wrong", index=index)
            latest[key] = (expected, leaf)
            if int(time) < self.time:
                raise Fault("its time lies before the time of the entry before it", index=index)
            self.time = int(time)
            if about != b"null" or part == b"opens" or kind.startswith(b"ledger."):
                self._relate(index, about, kind, part)
            payloads.append(payload)
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
    return [bytes.fromhex(each.decode()) for each in re.findall(_CIPHERTEXT, payloads)] if payloads else []
