"""Signed notes, keys and checkpoints: C2SP signed-note, tlog-checkpoint, tlog-cosignature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from glasshouse.ledger.audit.proofs import Fault, only_hashes

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
