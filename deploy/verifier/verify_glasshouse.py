#!/usr/bin/env python3
"""Verifies a Glasshouse log, its published form, or one receipt, offline: ``python verify_glasshouse.py --help``.

Needs this file, Python 3.11 and the package ``cryptography``.  It is written to be read in one sitting by somebody who
does not trust the operator: hashes and proofs, signed notes and keys, the policy, the entries, where a log is read
from, what can be verified, the command line.  Exit status: 0 all holds, 2 usage, 6 something does not hold.

Made from the package ``glasshouse.ledger.audit``, which verifies with the same code.  Licence: Apache-2.0.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import stat
import struct
import sys
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

# --- Hashes and proofs of the log's tree: RFC 6962, section 2.1.


MAX_PROOF_HASHES = 63
TILE = 256  # hashes in a full tile, entries in a full bundle


class Fault(Exception):  # noqa: N818 - the word auditors use
    """Something does not hold: what, in which file or part, and the first index at fault if one can be named."""

    def __init__(self, what: str, *, where: str = "", index: int | None = None) -> None:
        place = f"{where}: " if where else ""
        super().__init__(f"{place}entry {index}: {what}" if index is not None else f"{place}{what}")
        self.what, self.where, self.index = what, where, index


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + entry).digest()


def leaf_hashes(entries: list[bytes]) -> list[bytes]:
    """The hashes of many leaves."""
    sha256 = hashlib.sha256
    return [sha256(b"\0" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


def only_hashes(hashes: Iterable[bytes]) -> None:
    """Raises ``Fault`` unless each is 32 bytes long; before any walk, or an empty leaf would equal an empty root."""
    if any(len(each) != 32 for each in hashes):
        raise Fault("a hash is not 32 bytes long")


def check_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """Raises ``Fault`` unless ``proof`` shows ``leaf`` to be number ``index`` of the ``size`` leaves under ``root``."""
    only_hashes([leaf, root, *proof])
    if not 0 <= index < size or len(proof) > MAX_PROOF_HASHES:
        raise Fault(f"no inclusion proof can show entry {index} in a log of {size}")
    position, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            raise Fault("the inclusion proof has extra hashes")
        if position & 1 or position == last:
            found = node_hash(each, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, each)
        position, last = position >> 1, last >> 1
    if last or found != root:
        raise Fault("the inclusion proof does not lead to the root in the checkpoint", index=index)


def check_consistency(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises ``Fault`` unless ``proof`` shows that the ``new`` leaves begin with the ``old`` ones (at least one)."""
    only_hashes([old_root, new_root, *proof])
    if not 0 < old <= new or len(proof) > MAX_PROOF_HASHES:
        raise Fault(f"no consistency proof leads from size {old} to {new}")
    if old == new:
        if proof or old_root != new_root:
            raise Fault(f"two roots for one size, {old}" if old_root != new_root else "the proof has extra hashes")
        return
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes:
        raise Fault("the consistency proof is empty")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise Fault("the consistency proof has extra hashes")
        if position & 1 or position == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, each)
        position, last = position >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise Fault(f"the log of size {new} does not contain the log of size {old}")


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


class Tree:
    """The tree while it grows tile by tile; ``open[level]`` are the hashes of the tile that is not yet full."""

    def __init__(self) -> None:
        self.size = 0
        self.open: list[list[bytes]] = [[]]

    def add(self, leaves: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
        """Appends leaves that fill the open tile at most; yields the tiles that are full now: level, number, hashes."""
        self.size += len(leaves)
        self.open[0] += leaves
        level = 0
        while len(self.open[level]) == TILE:
            full, self.open[level] = self.open[level], []
            yield level, (self.size >> 8 * (level + 1)) - 1, b"".join(full)
            level += 1
            if level == len(self.open):
                self.open.append([])
            self.open[level].append(perfect_root(full))

    def root(self, more: list[bytes] | None = None) -> bytes:
        """The root, or what it would be with ``more`` leaves that do not fill the open tile."""
        found = b""
        for level, hashes in enumerate(self.open):
            rest = hashes + more if more and level == 0 else hashes
            width = 1
            while rest:
                if len(rest) & width:
                    part, rest = perfect_root(rest[-width:]), rest[:-width]
                    found = node_hash(part, found) if found else part
                width *= 2
        return found or EMPTY_ROOT


# --- Signed notes, keys and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature.


MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 100
ED25519, COSIGNATURE, TREE_HEAD, MLDSA = 0x01, 0x04, 0x05, 0x06
PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, MLDSA: 1312}


class Key(NamedTuple):
    """A public key as notes know it; ``kind`` is the type byte."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash over name, type and key: recomputed, never trusted."""
        public = hashlib.sha256(self.public).digest() if self.kind == TREE_HEAD else self.public  # a CT log's own ID
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as one line of text."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


class Line(NamedTuple):
    """One signature line of a note, not yet checked."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A signed note; ``body`` is what the signatures cover."""

    body: bytes
    lines: tuple[Line, ...]


class Checkpoint(NamedTuple):
    """What a log promises: so many entries with that root."""

    origin: str
    size: int
    root: bytes


def strict_base64(text: str) -> bytes:
    """The bytes; refuses every text but the one that encoding them gives."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"not base64: {text[:80]!r}") from None
    if base64.b64encode(found).decode() != text:
        raise Fault(f"not canonical base64: {text[:80]!r}")
    return found


def decimal(text: str) -> int:
    """A number without sign, leading zeros or surplus digits."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII):
        raise Fault(f"not a decimal number: {text[:80]!r}")
    return int(text)


def is_key_name(name: str) -> bool:
    """Whether a text may name a key: not empty, no space, no plus sign."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


def parse_vkey(text: str) -> Key:
    """A verifier key; refuses a wrong length, an unknown type, and an ID that does not follow from the key."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not is_key_name(name) or not re.fullmatch(r"[0-9a-f]{8}", key_id, re.ASCII):
        raise Fault(f"not a verifier key: {text[:80]!r}")
    material = strict_base64(encoded)
    kind, public = material[0] if material else 0, material[1:]
    if kind != TREE_HEAD and PUBLIC_BYTES.get(kind) != len(public):
        raise Fault(f"verifier key {name}: unknown type 0x{kind:02x} or wrong length {len(public)}")
    key = Key(name, kind, public)
    if key.id.hex() != key_id:
        raise Fault(f"verifier key {name}: its ID is {key_id}, and {key.id.hex()} by the rule")
    return key


def parse_note(data: bytes) -> Note:
    """The text and the signature lines of a note."""
    if len(data) > MAX_NOTE_BYTES:
        raise Fault(f"a note of more than {MAX_NOTE_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Fault("a note must be UTF-8") from None
    if any(each < " " and each != "\n" for each in text):
        raise Fault("a note must not hold control characters")
    body, blank, tail = text.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise Fault("a note is a text, a blank line and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise Fault(f"a note with more than {MAX_SIGNATURES} signatures")
    return Note(f"{body}\n".encode(), tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> Line:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—" or not is_key_name(parts[1]):
        raise Fault(f"not a signature line: {line[:80]!r}")
    try:
        material = base64.b64decode(parts[2], validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"not base64: {parts[2][:80]!r}") from None
    if len(material) < 5:
        raise Fault(f"a signature line that is too short: {line[:80]!r}")
    is_canonical = base64.b64encode(material).decode() == parts[2]
    return Line(parts[1], material[:4], material[4:] if is_canonical else b"")  # nothing verifies under no signature


def parse_checkpoint(body: bytes) -> Checkpoint:
    """Origin, size and root from the text of a checkpoint."""
    lines = body.decode().split("\n")
    if len(lines) < 4 or not is_key_name(lines[0].replace(" ", "_")) or any(not line for line in lines[:-1]):
        raise Fault("a checkpoint is origin, size and root, one per line")
    size, root = decimal(lines[1]), strict_base64(lines[2])
    only_hashes([root])
    return Checkpoint(lines[0], size, root)


def cosigned_message(key: Key, body: bytes, time: int) -> bytes:
    """What a cosignature, or an ML-DSA signature of a log, covers."""
    if key.kind == COSIGNATURE:
        return b"cosignature/v1\ntime %d\n" % time + body
    origin, size, root = parse_checkpoint(body)
    name, log = key.name.encode(), origin.encode()
    span = struct.pack(">QQ", 0, size)
    return b"subtree/v1\n\0" + bytes([len(name)]) + name + struct.pack(">QB", time, len(log)) + log + span + root


def check_signature(key: Key, body: bytes, signature: bytes) -> int:
    """The time that the signature states, in seconds, or 0; raises ``Fault`` unless the signature is right."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    time = 0
    try:
        if key.kind == TREE_HEAD:
            return _check_tree_head(key, body, signature)
        if key.kind != ED25519:
            time, signature = struct.unpack(">Q", signature[:8])[0], signature[8:]
        if key.kind == MLDSA:
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

            MLDSA44PublicKey.from_public_bytes(key.public).verify(signature, cosigned_message(key, body, time))
        else:
            message = body if key.kind == ED25519 else cosigned_message(key, body, time)
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError, struct.error):
        raise Fault(f"the signature by {key.name} ({key.id.hex()}) is wrong") from None
    return time


def _check_tree_head(key: Key, body: bytes, signature: bytes) -> int:
    """RFC 6962, section 3.5, as static-ct logs put it into a note: ECDSA P-256 over the tree head."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public = load_der_public_key(key.public)
    milliseconds, algorithms, length = struct.unpack(">QHH", signature[:12])
    if not isinstance(public, EllipticCurvePublicKey) or algorithms != 0x0403 or length != len(signature) - 12:
        raise ValueError("not ECDSA with SHA-256")
    _, size, root = parse_checkpoint(body)
    public.verify(signature[12:], struct.pack(">BBQQ", 0, 1, milliseconds, size) + root, ECDSA(SHA256()))
    return int(milliseconds) // 1000


def signers(note: Note, keys: Iterable[Key]) -> dict[Key, int]:
    """The known keys that signed, with the time each states; a known key's wrong signature spoils the whole note."""
    known = {(key.name, key.id): key for key in keys}
    found: dict[Key, int] = {}
    for line in note.lines:
        key = known.get((line.name, line.key_id))
        if key is not None and key not in found:
            found[key] = check_signature(key, note.body, line.signature)
    return found


# --- Which log, which witnesses, how many of them: C2SP tlog-policy.


class Policy(NamedTuple):
    """The log's keys, the witnesses by name, the groups by name (how many, of whom), the quorum's name or ``none``."""

    logs: tuple[Key, ...]
    witnesses: dict[str, Key]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str
    urls: dict[str, str]

    def is_met_by(self, keys: Iterable[Key], name: str | None = None) -> bool:
        """Whether the witnesses that signed reach the quorum."""
        name, given = self.quorum if name is None else name, set(keys)
        if name == "none":
            return True
        if name in self.witnesses:
            return self.witnesses[name] in given
        need, members = self.groups[name]
        return sum(self.is_met_by(given, member) for member in members) >= need


def parse_policy(text: str, *, where: str = "policy") -> Policy:
    """A tlog-policy file; every name is defined before use, stands in one group at most, and every key occurs once."""
    logs: list[Key] = []
    witnesses: dict[str, Key] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    urls: dict[str, str] = {}
    quorum: str | None = None
    taken: set[str] = set()
    for number, line in enumerate(text.split("\n"), start=1):
        words = re.split(r"[ \t]+", line.strip(" \t\r"))
        match words:
            case [""]:
                continue
            case [comment, *_] if comment.startswith("#"):
                continue
            case ["log", vkey, *url] if len(url) <= 1:
                logs.append(parse_vkey(vkey))
            case ["witness", name, vkey, *url] if len(url) <= 1 and _is_free(name, witnesses, groups):
                witnesses[name] = parse_vkey(vkey)
                urls.update((name, each) for each in url)
            case ["group", name, need, *members] if members and _is_free(name, witnesses, groups):
                known = all((each in witnesses or each in groups) and each not in taken for each in members)
                count = {"any": 1, "all": len(members)}.get(need) or (int(need) if need.isdecimal() else 0)
                if not known or len(set(members)) < len(members) or not 1 <= count <= len(members):
                    raise Fault(
                        f"line {number}: a group needs members known and free, and a number they can reach", where=where
                    )
                taken |= set(members)
                groups[name] = (count, tuple(members))
            case ["quorum", name] if quorum is None and (name == "none" or name in witnesses or name in groups):
                quorum = name
            case _:
                raise Fault(f"line {number} is not a policy line: {line[:80]!r}", where=where)
    keys = [(key.kind, key.public) for key in (*logs, *witnesses.values())]
    if not logs or quorum is None or len(set(keys)) < len(keys):
        raise Fault("a policy names a log, exactly one quorum line, and no key twice", where=where)
    return Policy(tuple(logs), witnesses, groups, quorum, urls)


def _is_free(name: str, *places: Iterable[str]) -> bool:
    return name != "none" and not any(name in place for place in places)


def open_checkpoint(
    data: bytes, policy: Policy, *, where: str, every_log_key: bool
) -> tuple[Checkpoint, dict[Key, int]]:
    """A checkpoint signed by a log of the policy and cosigned by its quorum, and who signed."""
    try:
        note = parse_note(data)
        checkpoint = parse_checkpoint(note.body)
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise Fault("a checkpoint of size 0 must have the root of the empty tree")
        logs = [key for key in policy.logs if key.name == checkpoint.origin]
        if not logs:
            raise Fault(f"the policy knows no log with the origin {checkpoint.origin!r}")
        found = signers(note, [*logs, *policy.witnesses.values()])
    except Fault as fault:
        raise Fault(fault.what, where=where) from None
    missing = [key for key in logs if key not in found]
    if len(missing) == len(logs) or (missing and every_log_key):
        raise Fault(f"the checkpoint is not signed by {missing[0].name} ({missing[0].id.hex()})", where=where)
    if not policy.is_met_by(found):
        raise Fault(f"the checkpoint does not carry the cosignatures that quorum {policy.quorum!r} needs", where=where)
    return checkpoint, found


# --- The entries themselves: one canonical form, so one expression reads them and refuses everything else.


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


# --- Where a log is read from: its published files, or the database of a live log.


MAX_ENTRY_BYTES = 65_535
MAX_PAYLOADS = 16  # of one entry: payload p of entry i has the row 16 i + p
WRAPPED_BYTES = 60  # of a payload's key, in front of its ciphertext
STORE_FORMAT = 1


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def read_bounded(path: Path, limit: int) -> bytes:
    """A regular file's bytes; refuses more than ``limit``, and a FIFO or device, which could keep us waiting."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Fault("is a FIFO, device or socket and no regular file", where=str(path))
            data = file.read(limit + 1)
    except OSError as error:
        raise Fault(f"cannot be read ({error.strerror})", where=str(path)) from None
    if len(data) > limit:
        raise Fault(f"has more than {limit} bytes", where=str(path))
    return data


def tile_path(level: int | str, number: int, width: int = TILE) -> str:
    """The path of a tile, or of an entry bundle with level ``entries``: C2SP tlog-tiles."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    partial = f".p/{width}" if width < TILE else ""
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def split_bundle(data: bytes, *, where: str, first: int) -> list[bytes]:
    """The entries of a bundle: each a 16-bit length and so many bytes."""
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big") if start <= end else end + 1
        if position > end:
            raise Fault("the bundle ends inside this entry", where=where, index=first + len(entries))
        entries.append(data[start:position])
    return entries


class Source(Protocol):
    """A place that holds a log."""

    where: str
    every_log_key: bool

    def checkpoint(self) -> bytes:
        """The signed note over everything that follows."""

    def earlier(self) -> bytes | None:
        """Another signed note that is kept, over a part of it."""

    def close(self) -> None:
        """Lets go of what is open."""

    def bundle(self, number: int, width: int) -> list[bytes]:
        """Entries from ``256 * number`` on."""

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The stored hashes of a tile, or None where this place stores no such tile."""

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Checks the payloads kept for the entries from ``first`` on."""

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """Checks what else is stored against what the entries say."""


class PublishedFiles:
    """A published log: ``checkpoint`` and ``tile/``."""

    every_log_key = True

    def __init__(self, directory: Path) -> None:
        self.directory, self.where = directory, str(directory / "checkpoint")

    def checkpoint(self) -> bytes:
        """The file ``checkpoint``."""
        return read_bounded(self.directory / "checkpoint", MAX_NOTE_BYTES)

    def earlier(self) -> bytes | None:
        """Nothing: only the newest checkpoint is published."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The entries of one bundle file; a full one serves where the partial one was deleted."""
        path = self._existing("entries", number, width)
        data = read_bounded(path, TILE * (MAX_ENTRY_BYTES + 2))
        return split_bundle(data, where=str(path), first=number * TILE)[:width]

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of one tile file."""
        return read_bounded(self._existing(level, number, width), TILE * 32)[: 32 * width]

    def _existing(self, level: int | str, number: int, width: int) -> Path:
        path = self.directory / tile_path(level, number, width)
        full = self.directory / tile_path(level, number)
        return full if width < TILE and not path.exists() and full.exists() else path

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Payloads are never published."""

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """A published log holds nothing else."""


class Database:
    """The database of a live log, read in one transaction: entries, tiles, payloads, and what is derived from them."""

    every_log_key = False

    def __init__(self, file: Path) -> None:
        import sqlite3

        self.where = str(file)
        if not file.is_file():
            raise Fault("there is no such file", where=self.where)
        self.error = (sqlite3.Error, UnicodeError)  # a message may quote a damaged name, which is then no text
        self.connection = self._connect(file)
        try:
            self._execute("BEGIN")
            (version,) = self._row("PRAGMA user_version")
            if version != STORE_FORMAT:
                raise Fault(f"has format {version}; this verifier reads format {STORE_FORMAT}", where=self.where)
            state = self._row("SELECT size, root, time, latest, cosigned FROM state")
        except Fault:
            self.close()
            raise
        self.size, self.root, self.time, self.latest, self.cosigned = state

    def _connect(self, file: Path) -> Any:
        import sqlite3

        wal = file.with_name(f"{file.name}-wal")
        for mode in ("mode=ro", "mode=ro&immutable=1"):  # the second for a medium that nobody can write to
            connection = sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return connection
            except sqlite3.OperationalError as error:
                connection.close()
                if "immutable" in mode or (wal.exists() and wal.stat().st_size):
                    raise Fault(f"the database cannot be read ({error})", where=self.where) from None
            except self.error as error:
                connection.close()
                raise Fault(f"the database is damaged ({error})", where=self.where) from None
        raise AssertionError

    def close(self) -> None:
        """Lets go of the file."""
        self.connection.close()

    def _execute(self, statement: str, *values: Any) -> Any:
        try:
            return self.connection.execute(statement, values)
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        try:
            return self._execute(statement, *values).fetchall()  # type: ignore[no-any-return]
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _stream(self, statement: str) -> Iterator[Any]:
        cursor = self._execute(statement)
        try:
            yield from cursor
        except self.error as error:
            raise Fault(f"the database is damaged ({error})", where=self.where) from None

    def _row(self, statement: str, *values: Any) -> Any:
        rows = self._rows(statement, *values)
        if len(rows) != 1:
            raise Fault(f"{len(rows)} rows where there must be one: {statement}", where=self.where)
        return rows[0]

    def checkpoint(self) -> bytes:
        """The latest checkpoint."""
        return str(self.latest).encode()

    def earlier(self) -> bytes | None:
        """The latest checkpoint that the witnesses cosigned."""
        return None if self.cosigned is None else str(self.cosigned).encode()

    def bundle(self, number: int, width: int) -> list[bytes]:
        """The entries in rows ``256 * number`` and up; a gap names the first index that is missing."""
        first = number * TILE
        rows = self._rows("SELECT idx, body FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx", first, first + width)
        bodies = [body for _, body in rows]
        if len(bodies) == width and rows[-1][0] == first + width - 1 and set(map(type, bodies)) == {bytes}:
            return bodies
        entries: list[bytes] = []
        for index, body in rows:
            if index != first + len(entries) or not isinstance(body, bytes):
                break
            entries.append(body)
        return entries

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """The hashes of a full tile; the database stores no partial ones."""
        if width < TILE:
            return None
        root, hashes = self._row("SELECT root, hashes FROM tile WHERE id = ?", level << 48 | number)
        if not isinstance(hashes, bytes) or len(hashes) != TILE * 32:
            raise Fault(f"tile {level}/{number} is not 256 hashes", where=self.where, index=number * TILE)
        if root != perfect_root([hashes[at : at + 32] for at in range(0, len(hashes), 32)]):
            raise Fault(f"the root stored for tile {level}/{number} is wrong", where=self.where)
        return hashes

    def check_payloads(self, first: int, commitments: list[bytes], story: Story) -> None:
        """Each payload is there with the hash its entry states, or is erased under an entry that says so."""
        last = (first + len(commitments)) * MAX_PAYLOADS
        rows = self._rows("SELECT id, sealed FROM payload WHERE id >= ? AND id < ?", first * MAX_PAYLOADS, last)
        stored: dict[int, Any] = dict(rows)
        for index, text in enumerate(commitments, start=first):
            if not text:
                continue
            for position, expected in enumerate(ciphertexts(text)):
                sealed = stored.pop(index * MAX_PAYLOADS + position, None)
                self._check_payload(index, position, expected, sealed)
        if stored:
            raise Fault("a payload is stored that no entry names", where=self.where, index=min(stored) // MAX_PAYLOADS)

    def _check_payload(self, index: int, position: int, expected: bytes, sealed: Any) -> None:
        if not isinstance(sealed, bytes):
            raise Fault(f"payload {position} is missing", where=self.where, index=index)
        by = list(self._rows("SELECT entry FROM erased WHERE idx = ?", index))
        if by:
            if any(sealed):
                raise Fault(f"payload {position} is still stored though entry {by[0][0]} erased it", index=index)
        elif hashlib.sha256(sealed[WRAPPED_BYTES:]).digest() != expected:
            raise Fault(f"payload {position} is not the one that the entry commits to", where=self.where, index=index)

    def finish(self, size: int, root: bytes, story: Story) -> None:
        """The state, and every table derived from the entries, is what the entries give."""
        if (self.size, self.root) != (size, root) or self.time != story.time:
            raise Fault("the signer's state is not the one in the checkpoint", where=self.where)
        extra = list(self._rows("SELECT idx FROM entry WHERE idx < 0 OR idx >= ? LIMIT 1", size))
        if extra:
            raise Fault("an entry is stored that the checkpoint does not cover", where=self.where, index=extra[0][0])
        for table, expected in (("erased", story.erased), ("held", story.held)):
            if dict(self._rows(f"SELECT idx, entry FROM {table}")) != expected:  # noqa: S608 - two fixed names
                raise Fault(f"the table `{table}` is not what the entries say", where=self.where)
        if {row[0] for row in self._rows("SELECT idx FROM opened")} != story.opened:
            raise Fault("the table `opened` is not what the entries say", where=self.where)
        number = 0
        for key, count, previous in self._stream("SELECT key, count, previous FROM chain"):
            number += 1
            if not isinstance(key, str) or story.keys.get(key.encode()) != (count, previous):
                raise Fault(f"the table `chain` is wrong for key {key!r}", where=self.where)
        if number != story.keys.number:
            raise Fault(f"the table `chain` has {number} keys, the entries have {story.keys.number}", where=self.where)
        tiles = sum(size >> 8 * level for level in range(1, 8))
        if self._row("SELECT count(*) FROM tile")[0] != tiles:
            raise Fault(f"the table `tile` must have {tiles} rows", where=self.where)


# --- The three things that can be verified: a receipt, a published log, the database of a live log.


Progress = Callable[[int, int], None]

MAX_POLICY_BYTES = 1 << 20
MAX_LISTED = 1_000  # erased or unanswered entries that a report lists one by one
OWN_POLICY = "log.policy"
DATABASE = "ledger.db"
SERVER = "keys/database"
HOME_LOG = "ledger"  # where the log lies in the directory of an installation
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
SELF_DECLARED = "the log's keys were taken from beside the log itself; pass --policy with keys you got elsewhere"


class Report(NamedTuple):
    """What was found to hold."""

    what: str
    origin: str
    size: int
    root: str
    entry: int | None
    signed_by: tuple[str, ...]
    quorum: str
    keys: int
    erased: tuple[tuple[int, int], ...]
    unanswered: tuple[int, ...]
    notes: tuple[str, ...]


class Proof(NamedTuple):
    """A ``.tlog-proof`` file: the entry travels in its ``extra`` line."""

    entry: int
    hashes: list[bytes]
    checkpoint: bytes
    data: bytes | None


def verify(
    path: Path,
    *,
    policy: Path | None = None,
    since: Path | None = None,
    raw: bool = False,
    progress: Progress | None = None,
) -> Report:
    """What holds of a receipt (a file), a published or a live log (a directory); raises ``Fault`` with what does not.

    Without ``policy`` the keys beside the log are used, and the report says so.  ``since`` is a file with a checkpoint
    seen earlier, which the log must still contain.  ``raw`` takes any log's entries: hashes and signatures only.
    """
    single = path.exists() and not path.is_dir()
    receipt = single and path.name != DATABASE
    directory = path.parent if single else path
    if not _is_log(directory) and _is_log(directory / HOME_LOG):
        directory = directory / HOME_LOG
    if policy is None and not (directory / OWN_POLICY).exists():
        raise Fault(f"there is no {OWN_POLICY}; name the log's keys with --policy FILE", where=str(directory))
    rules = read_policy(policy or directory / OWN_POLICY)
    notes = () if policy else (SELF_DECLARED,)
    if receipt:
        if since:
            raise Fault("a receipt alone cannot be compared with an earlier checkpoint; name the log", where=str(path))
        return verify_receipt(path, rules, notes)
    live = (directory / DATABASE).exists()
    if not live and (directory / SERVER).exists():
        raise Fault(
            "this log is kept in PostgreSQL; publish it with `glasshouse log export` and verify that", where=str(path)
        )
    source: Source = Database(directory / DATABASE) if live else PublishedFiles(directory)
    try:
        return verify_log(source, rules, since=since, raw=raw, progress=progress, notes=notes, own=policy is None)
    finally:
        source.close()


def _is_log(directory: Path) -> bool:
    return any((directory / name).exists() for name in (DATABASE, SERVER, "checkpoint"))


def read_policy(path: Path) -> Policy:
    """A policy from its file."""
    try:
        return parse_policy(read_bounded(path, MAX_POLICY_BYTES).decode())
    except UnicodeDecodeError:
        raise Fault("is not UTF-8", where=str(path)) from None
    except Fault as fault:
        raise Fault(fault.what, where=fault.where or str(path)) from None


def parse_proof(data: bytes) -> Proof:
    """A proof file, C2SP tlog-proof."""
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Fault("a proof's lines are ASCII") from None
    if lines.pop(0) != PROOF_HEADER or not blank:
        raise Fault(f"a proof begins with the line {PROOF_HEADER}, and a blank line ends it")
    extra = strict_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise Fault("a proof names its index")
    hashes = [strict_base64(line) for line in lines[1:]]
    if len(hashes) > MAX_PROOF_HASHES or any(len(each) != 32 for each in hashes):
        raise Fault(f"a proof holds at most {MAX_PROOF_HASHES} hashes of 32 bytes")
    return Proof(decimal(lines[0][6:]), hashes, checkpoint, extra)


def check_receipt(
    data: bytes, rules: Policy, *, where: str = "", entry: bytes | None = None
) -> tuple[Proof, Checkpoint, dict[Key, int]]:
    """The parts of a receipt whose entry (its own, or the one given) is in a log of the policy."""
    try:
        proof = parse_proof(data)
    except Fault as fault:
        raise Fault(fault.what, where=where) from None
    known = proof.data if entry is None else entry
    if known is None:
        raise Fault("the proof does not carry its entry", where=where)
    checkpoint, signed = open_checkpoint(proof.checkpoint, rules, where=where, every_log_key=False)
    try:
        check_inclusion(proof.entry, checkpoint.size, leaf_hash(known), proof.hashes, checkpoint.root)
    except Fault as fault:
        raise Fault(fault.what, where=where, index=proof.entry) from None
    return proof, checkpoint, signed


def verify_receipt(path: Path, rules: Policy, notes: tuple[str, ...]) -> Report:
    """What holds of one receipt."""
    data = read_bounded(path, MAX_NOTE_BYTES)
    proof, checkpoint, signed = check_receipt(data, rules, where=str(path))
    return _report("receipt", checkpoint, signed, rules, index=proof.entry, notes=notes)


def verify_log(
    source: Source,
    rules: Policy,
    *,
    since: Path | None,
    raw: bool,
    progress: Progress | None,
    notes: tuple[str, ...],
    own: bool,
) -> Report:
    """What holds of a whole log."""
    data = source.checkpoint()
    checkpoint, signed = open_checkpoint(
        data, _without_quorum(rules, source), where=source.where, every_log_key=source.every_log_key
    )
    if own and not source.every_log_key:
        _only_known_lines(data, signed, source.where)
    earlier = {}
    if since:
        seen, _ = open_checkpoint(
            read_bounded(since, MAX_NOTE_BYTES), _any(rules), where=str(since), every_log_key=False
        )
        earlier[str(since)] = seen
    cosigned = source.earlier()
    if cosigned is not None:
        seen, signed_earlier = open_checkpoint(
            cosigned, rules, where=f"{source.where}, cosigned checkpoint", every_log_key=False
        )
        if own and not source.every_log_key:
            _only_known_lines(cosigned, signed_earlier, f"{source.where}, cosigned checkpoint")
        earlier[f"{source.where}, cosigned checkpoint"] = seen
        signed |= {key: time for key, time in signed_earlier.items() if key not in signed}
    for where, each in earlier.items():
        if each.origin != checkpoint.origin or each.size > checkpoint.size:
            raise Fault(
                f"it is of {each.origin!r} at size {each.size}; the log is {checkpoint.origin!r} at {checkpoint.size}",
                where=where,
            )
    story = None if raw else Story()
    try:
        walk(source, checkpoint, earlier, story, progress)
    finally:
        if story is not None:
            story.keys.close()
    report = _report(
        "live log" if not source.every_log_key else "published log", checkpoint, signed, rules, notes=notes
    )
    if story is None:
        return report
    unanswered, erased = tuple(sorted(story.opened)), tuple(sorted(story.erased.items()))
    return report._replace(keys=story.keys.number, erased=erased[:MAX_LISTED], unanswered=unanswered[:MAX_LISTED])


def walk(
    source: Source,
    checkpoint: Checkpoint,
    earlier: dict[str, Checkpoint],
    story: Story | None,
    progress: Progress | None,
) -> None:
    """Hashes every entry, follows what the entries say, and compares with every stored tile and checkpoint."""
    tree, size = Tree(), checkpoint.size
    for first in range(0, size, TILE):
        width = min(TILE, size - first)
        entries = source.bundle(first // TILE, width)
        leaves = leaf_hashes(entries)
        stored = source.tile(0, first // TILE, width)
        _compare(b"".join(leaves), stored, source.where, first)
        if len(entries) != width:
            raise Fault("the entry is missing", where=source.where, index=first + len(entries))
        if story is not None:
            try:
                payloads = story.follow(first, entries, leaves)
            except Fault as fault:
                raise Fault(fault.what, where=source.where, index=fault.index) from None
            source.check_payloads(first, payloads, story)
        for where, each in earlier.items():
            if first <= each.size < first + width and tree.root(leaves[: each.size - first]) != each.root:
                raise Fault("the log no longer contains this checkpoint: history was rewritten", where=where)
        for level, number, hashes in tree.add(leaves):
            if level:
                _compare(hashes, source.tile(level, number, TILE), source.where, number << 8 * (level + 1), level)
        if progress is not None:
            progress(first + width, size)
    for level, rest in enumerate(tree.open[1:], start=1):
        if rest:
            number = (size >> 8 * level) // TILE
            stored = source.tile(level, number, len(rest))
            _compare(b"".join(rest), stored, source.where, number << 8 * (level + 1), level)
    for where, each in {source.where: checkpoint, **earlier}.items():
        if each.size == size and tree.root() != each.root:
            raise Fault("the entries do not give the root in the checkpoint", where=where, index=0 if size else None)
    if story is not None:
        source.finish(size, checkpoint.root, story)


def _compare(found: bytes, stored: bytes | None, where: str, first: int, level: int = 0) -> None:
    if stored is None or found == stored:
        return
    for at in range(0, max(len(found), len(stored)), 32):
        if found[at : at + 32] != stored[at : at + 32]:
            index = first + (at // 32 << 8 * level)
            what = (
                "it does not have the hash that the tile states"
                if level == 0
                else f"the tile of level {level} is wrong from here on"
            )
            raise Fault(what, where=where, index=index)


def _any(rules: Policy) -> Policy:
    return rules._replace(quorum="none")


def _without_quorum(rules: Policy, source: Source) -> Policy:
    """A live log's newest checkpoint may still wait for its witnesses; the cosigned one that it keeps may not."""
    return rules if source.every_log_key else _any(rules)


def _only_known_lines(data: bytes, signed: dict[Key, int], where: str) -> None:
    """A live log stores no signature but those of its own policy: an unknown one was changed."""
    known = {(key.name, key.id) for key in signed}
    for line in parse_note(data).lines:
        if (line.name, line.key_id) not in known:
            raise Fault(f"a signature by {line.name}, which the policy does not know", where=where)


def _report(
    what: str,
    checkpoint: Checkpoint,
    signed: dict[Key, int],
    rules: Policy,
    *,
    notes: tuple[str, ...],
    index: int | None = None,
) -> Report:
    quorum = "none" if rules.quorum == "none" else "reached" if rules.is_met_by(signed) else "pending"
    by = tuple(f"{key.name} ({key.id.hex()})" for key in signed)
    root = checkpoint.root.hex()
    return Report(what, checkpoint.origin, checkpoint.size, root, index, by, quorum, 0, (), (), notes)


def describe(report: Report) -> str:
    """The report for people."""
    lines = [f"{report.what} holds: {report.origin}, {report.size:,} entries, root {report.root}"]
    if report.entry is not None:
        lines.append(f"  entry {report.entry} is in the log")
    lines += [f"  signed by {name}" for name in report.signed_by]
    lines.append(f"  witness quorum: {report.quorum}")
    if report.keys:
        lines.append(f"  {report.keys:,} {'key' if report.keys == 1 else 'keys'}, no entry missing")
    lines += [f"  entry {index}: payload erased under entry {by}" for index, by in report.erased]
    lines += [f"  entry {index}: still without its outcome" for index in report.unanswered]
    return "\n".join([*lines, *(f"  note: {each}" for each in report.notes)]) + "\n"


# --- The command line of the self-contained verifier.


EXIT_HOLDS, EXIT_USAGE, EXIT_FAULT = 0, 2, 6


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 all holds, 2 usage, 6 something does not hold."""
    parser = argparse.ArgumentParser(description="Verify a Glasshouse receipt or log, offline.")
    parser.add_argument("path", type=Path, help="a receipt, a published log, or the directory of a live log")
    parser.add_argument("--policy", type=Path, help="tlog-policy file with the log's and the witnesses' keys")
    parser.add_argument("--since", type=Path, help="file with a checkpoint that the log must still contain")
    parser.add_argument("--raw", action="store_true", help="entries of any log: check hashes and signatures only")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args(arguments)
    if not given.path.exists():
        parser.error(f"{given.path}: no such file or directory")
    try:
        report = verify(given.path, policy=given.policy, since=given.since, raw=given.raw)
    except Fault as fault:
        if given.format == "json":
            sys.stdout.write(
                json.dumps({"holds": False, "what": fault.what, "where": fault.where, "index": fault.index}) + "\n"
            )
        sys.stderr.write(f"verification failed: {fault}\n")
        return EXIT_FAULT
    found = {"holds": True, **report._asdict()}
    sys.stdout.write(json.dumps(found) + "\n" if given.format == "json" else describe(report))
    return EXIT_HOLDS


if __name__ == "__main__":
    sys.exit(main())
