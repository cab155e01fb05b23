"""Keys on disk: signing keys of logs, witnesses and approvers, and one wrapping key for each engagement.

A private key lies in a file that only its owner can read (0600); a file that others can read is refused, because a
signature made with such a key proves nothing.
"""

from __future__ import annotations

import base64
import functools
import os
import stat
import struct
from pathlib import Path

from glasshouse.ledger.audit.notes import COSIGNATURE, ED25519, MLDSA, Key, cosigned_message, strict_base64
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.words.errors import LedgerKeyError

MAX_KEY_BYTES = 65_536
_PREFIX = "PRIVATE+KEY+"


class Signer:
    """A private key that signs notes under a name; ``key`` is its public side."""

    def __init__(self, name: str, kind: int, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        self.seed = seed
        private = (MLDSA44PrivateKey.from_seed_bytes if kind == MLDSA else Ed25519PrivateKey.from_private_bytes)(seed)
        self.key = Key(name, kind, private.public_key().public_bytes_raw())
        self._sign = private.sign
        self._id = self.key.id

    def line(self, body: bytes, time: int) -> str:
        """The signature line for a note's text; ``time`` in seconds counts for cosignatures and ML-DSA."""
        if self.key.kind == ED25519:
            signature = self._sign(body)
        else:
            signature = struct.pack(">Q", time) + self._sign(cosigned_message(self.key, body, time))
        return f"— {self.key.name} {base64.b64encode(self._id + signature).decode()}\n"

    @property
    def text(self) -> str:
        """The private key as one line of text."""
        material = base64.b64encode(bytes([self.key.kind]) + self.seed).decode()
        return f"{_PREFIX}{self.key.name}+{self.key.id.hex()}+{material}\n"


def new_signers(name: str, kinds: tuple[int, ...]) -> tuple[Signer, ...]:
    """Fresh keys of these kinds."""
    return tuple(Signer(name, kind, os.urandom(32)) for kind in kinds)


LOG_KINDS = (ED25519, MLDSA)
WITNESS_KINDS = (COSIGNATURE, MLDSA)
APPROVER_KINDS = (ED25519,)


def write_signers(path: Path, signers: tuple[Signer, ...]) -> None:
    """Writes a key file that only its owner can read, durably; never over an existing one."""
    write_private(path, "".join(signer.text for signer in signers).encode())


def read_signers(path: Path) -> tuple[Signer, ...]:
    """The keys in a file, each with the ID that its line states."""
    signers = []
    for line in read_private(path).decode("utf-8", "replace").splitlines():
        name, _, rest = line.removeprefix(_PREFIX).partition("+")
        key_id, _, material = rest.partition("+")
        try:
            if not line.startswith(_PREFIX):
                raise Fault("a line does not begin with PRIVATE+KEY+")
            secret = strict_base64(material)
            if len(secret) != 33 or secret[0] not in (ED25519, COSIGNATURE, MLDSA):
                raise Fault("unknown type or wrong length")
            signer = _signer(name, secret[0], secret[1:])
            if signer.key.id.hex() != key_id:
                raise Fault(f"the key's ID is {signer.key.id.hex()}, the line says {key_id}")
        except Fault as fault:
            what = "not base64" if "base64" in fault.what else fault.what  # the message must not quote the secret
            raise LedgerKeyError(f"not a private key: {what}", where=str(path)) from None
        signers.append(signer)
    if not signers:
        raise LedgerKeyError("holds no key", where=str(path))
    return tuple(signers)


@functools.lru_cache(maxsize=16)
def _signer(name: str, kind: int, seed: bytes) -> Signer:
    """A command opens its log twice, and expanding an ML-DSA seed takes longer than an append."""
    return Signer(name, kind, seed)


def read_private(path: Path) -> bytes:
    """The bytes of a file that belongs to this user and that nobody else can read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise LedgerKeyError(f"cannot be read ({error.strerror})", where=str(path)) from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise LedgerKeyError("is not a file of this user", where=str(path))
        if status.st_mode & 0o077:
            raise LedgerKeyError(f"others can read it (mode {stat.S_IMODE(status.st_mode):04o})", where=str(path))
        data = file.read(MAX_KEY_BYTES + 1)
    if len(data) > MAX_KEY_BYTES:
        raise LedgerKeyError(f"has more than {MAX_KEY_BYTES} bytes", where=str(path))
    return data


def write_private(path: Path, data: bytes) -> None:
    """Creates a file with mode 0600, whole or not at all, and durable when this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, path)
    except FileExistsError:
        raise LedgerKeyError("exists already and is never overwritten", where=str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class EngagementKeys:
    """One 256-bit wrapping key for each engagement, a file each: removing the file shreds all its payloads at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known: dict[str, bytes] = {}

    def existing(self, engagement: str) -> bytes:
        """The key of an engagement that has one."""
        key = self._known.get(engagement)
        if key is None:
            key = read_private(self.directory / f"{engagement}.key")
            if len(key) != 32:
                raise LedgerKeyError("a wrapping key has 32 bytes", where=str(self.directory / f"{engagement}.key"))
            self._known[engagement] = key
        return key

    def get_or_create(self, engagement: str) -> bytes:
        """The key of an engagement; a new one is durable before it wraps anything."""
        known = self._known.get(engagement)
        if known is not None:
            return known
        path = self.directory / f"{engagement}.key"
        if not path.exists():
            try:
                write_private(path, os.urandom(32))
            except OSError as error:
                raise LedgerKeyError(f"cannot be written ({error.strerror})", where=str(path)) from None
            except LedgerKeyError:
                pass  # another thread was first; its key counts
        return self.existing(engagement)
