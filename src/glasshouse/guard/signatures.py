"""Signing and checking votes: Ed25519 key files for the command line, passkeys for people at a browser."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from glasshouse.guard.approvals import statement
from glasshouse.words.approval import ApprovalTerms, Verdict, Vote
from glasshouse.words.errors import PathError, VoteError
from glasshouse.words.named_file import open_named
from glasshouse.words.party import ApproverKey

MAX_KEY_FILE_BYTES = 10_000
KEY_HINT = "Name an Ed25519 key file; `glasshouse access person key ID --new FILE` makes one."


def new_key_file(file: Path) -> ApproverKey:
    """Makes a private key in a new file (PEM, mode 0600) and returns its public half."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        hint = "Name a new file in a folder that you can write."
        raise VoteError(f"cannot make the key file: {error.strerror}", where=str(file), hint=hint) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
    except OSError as error:
        file.unlink(missing_ok=True)  # half a key would only stand in the way of the next try
        raise VoteError(f"cannot write the key: {error.strerror}", where=str(file), hint="Free some space.") from error
    return public_half(private)


def read_key_file(file: Path) -> Ed25519PrivateKey:
    """The private key in a file; refused when others can read it."""
    try:
        with open_named(file) as stream:
            if os.fstat(stream.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise VoteError("others can read this key", where=str(file), hint=f"Run `chmod 600 {file}`.")
            key = serialization.load_pem_private_key(stream.read(MAX_KEY_FILE_BYTES), None)
    except OSError as error:
        raise PathError(f"cannot read the key: {error.strerror}", where=str(file), hint=KEY_HINT) from error
    except (ValueError, TypeError) as error:
        raise VoteError("this is no unencrypted PEM private key", where=str(file), hint=KEY_HINT) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise VoteError("this is no Ed25519 key", where=str(file), hint=KEY_HINT)
    return key


def public_half(private: Ed25519PrivateKey) -> ApproverKey:
    """The public key as it is registered for a person; its id is the first half of the key's SHA-256."""
    raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return ApproverKey("ed25519", hashlib.sha256(raw).hexdigest()[:32], raw.hex())


def sign(
    private: Ed25519PrivateKey, terms: ApprovalTerms, approver: str, verdict: Verdict, reason: str, now: int
) -> Vote:
    """A signed vote."""
    signature = private.sign(statement(terms, verdict, approver, reason))
    encoded = base64.urlsafe_b64encode(signature).decode()
    return Vote(approver, verdict, "ed25519", public_half(private).id, encoded, now, reason)


def verify(vote: Vote, key: ApproverKey, terms: ApprovalTerms) -> None:
    """Raises `VoteError` unless the vote was signed with the key over exactly these terms."""
    if key.kind != vote.key_kind or key.id != vote.key_id:
        raise VoteError("the vote was signed with another key", where=terms.id)
    if key.kind == "passkey":
        from glasshouse.guard.passkeys import verify_assertion

        verify_assertion(vote, key, terms)
        return
    try:
        signature = base64.b64decode(vote.signature, altchars=b"-_", validate=True)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
        public.verify(signature, statement(terms, vote.verdict, vote.approver, vote.reason))
    except (InvalidSignature, ValueError) as error:
        raise VoteError("the signature does not hold for this act, policy and log", where=terms.id) from error


def public_key(text: str) -> ApproverKey:
    """A public key of 32 bytes in hex, as it is registered."""
    try:
        raw = bytes.fromhex(text.strip())
        Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise VoteError("this is no Ed25519 public key of 32 bytes in hex") from error
    return ApproverKey("ed25519", hashlib.sha256(raw).hexdigest()[:32], raw.hex())
