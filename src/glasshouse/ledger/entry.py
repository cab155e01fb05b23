"""Entries: what a caller hands in, and the canonical envelope that the log keeps.

The envelope is JSON in canonical form (RFC 8785): ASCII strings from small alphabets, whole numbers, members in the
order of their names, no space.  ``audit/entries.py`` holds the expression that an auditor reads it with.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from glasshouse.ledger.audit.sources import MAX_PAYLOADS
from glasshouse.words.errors import EntryError

MAX_PAYLOAD_BYTES = 64 << 20
OWN_PREFIX = "ledger."  # kinds that the log writes itself
OWN_NAME = "ledger"  # organisation, key and engagement of the log's own entries

Part = Literal["single", "opens", "closes"]

_NAME = re.compile(r"[A-Za-z0-9_.:@-]{1,64}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9.-]{0,63}", re.ASCII)
_DECISION = re.compile(r"[a-z][a-z-]{0,31}", re.ASCII)
_POLICY = re.compile(r"(?:[0-9a-f]{64})?", re.ASCII)
_PAYLOAD_NAME = re.compile(r"[a-z][a-z0-9.-]{0,31}", re.ASCII)
_ENGAGEMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PARTS = frozenset(("single", "opens", "closes"))


class Payload(msgspec.Struct, frozen=True):
    """Bytes that belong to an entry; kept sealed beside the log, so that they can be erased."""

    name: str
    """What they are, such as ``event``: lower case letters, digits, ``.`` and ``-``, at most 32."""
    engagement: str
    """Pseudonym of the engagement whose key wraps the payload's own key."""
    data: bytes


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller knows of an entry.  No field may hold personal data or free text: those go into a payload."""

    kind: str
    """Such as ``act.request``; ``ledger.`` is reserved."""
    organisation: str
    key: str
    """Pseudonym of the key that acted; its entries carry a dense counter."""
    decision: str = "none"
    policy: str = ""
    """SHA-256 of the policy set in hexadecimal, or nothing."""
    payloads: tuple[Payload, ...] = ()
    about: int | None = None
    """Index of an earlier entry that this one is about; -1 means the entry before it in the same call."""
    part: Part = "single"
    """``opens``: an outcome must follow.  ``closes``: this is the outcome of ``about``, which must be open."""


class Commitment(msgspec.Struct, frozen=True):
    """What an entry says of a payload: the hash of the sealed bytes, and a salted hash of the plain ones."""

    ciphertext: str
    commitment: str
    name: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as the log keeps it; the order of the fields is the canonical one."""

    about: int | None
    count: int
    """Of the entries of this key, from 1."""
    decision: str
    key: str
    kind: str
    organisation: str = msgspec.field(name="org")
    part: Part
    payloads: tuple[Commitment, ...]
    policy: str
    previous: str | None
    """Leaf hash of this key's previous entry."""
    time: int
    """Milliseconds since 1970, UTC; never less than in the entry before."""
    version: Literal[1] = msgspec.field(name="v")


_ENCODER = msgspec.json.Encoder()
encode = _ENCODER.encode


def decode(body: bytes) -> Entry:
    """The entry in its bytes; they come from a log, so anything else is damage."""
    try:
        return msgspec.json.decode(body, type=Entry)
    except msgspec.MsgspecError as error:
        raise EntryError(f"not an entry of version 1: {error}") from None


def check_new(entry: NewEntry, position: int) -> None:
    """Raises ``EntryError`` unless every field keeps to its alphabet; ``position`` is the place in the call."""
    if entry.kind.startswith(OWN_PREFIX) or entry.key == OWN_NAME:
        raise EntryError("the log writes entries of kind `ledger.` and key `ledger` itself", where=entry.kind[:80])
    _check_names(entry.kind, entry.organisation, entry.key, entry.decision, entry.policy)
    if entry.part not in _PARTS:
        raise EntryError(f"`part` is single, opens or closes, not {entry.part[:80]!r}", where=entry.kind)
    if entry.part == "closes" and entry.about is None:
        raise EntryError("an outcome names in `about` the entry that it closes", where=entry.kind)
    if entry.about is not None and entry.about < -position:
        raise EntryError(f"`about` is {entry.about}, before the first entry of the call", where=entry.kind)
    if len(entry.payloads) > MAX_PAYLOADS:
        raise EntryError(f"{len(entry.payloads)} payloads; at most {MAX_PAYLOADS} fit", where=entry.kind)
    for payload in entry.payloads:
        _check_payload(payload, entry.kind)
    if len(entry.payloads) > 1 and len({payload.name for payload in entry.payloads}) < len(entry.payloads):
        raise EntryError("two payloads have the same name", where=entry.kind)


@functools.lru_cache(maxsize=4_096)
def _check_names(kind: str, organisation: str, key: str, decision: str, policy: str) -> None:
    """Remembered, since most entries repeat those of an earlier one; errors are not."""
    fields = (
        ("kind", _KIND, kind),
        ("organisation", _NAME, organisation),
        ("key", _NAME, key),
        ("decision", _DECISION, decision),
        ("policy", _POLICY, policy),
    )
    for name, pattern, value in fields:
        if pattern.fullmatch(value) is None:
            raise EntryError(f"`{name}` must match {pattern.pattern}, not {value[:80]!r}", where=kind[:80])


def _check_payload(payload: Payload, kind: str) -> None:
    _check_payload_names(payload.name, payload.engagement, kind)
    if len(payload.data) > MAX_PAYLOAD_BYTES:
        raise EntryError(f"payload {payload.name} has {len(payload.data)} bytes of {MAX_PAYLOAD_BYTES}", where=kind)


@functools.lru_cache(maxsize=4_096)
def _check_payload_names(name: str, engagement: str, kind: str) -> None:
    """Remembered like `_check_names`."""
    if _PAYLOAD_NAME.fullmatch(name) is None:
        raise EntryError(f"a payload's name must match {_PAYLOAD_NAME.pattern}", where=kind)
    if _ENGAGEMENT.fullmatch(engagement) is None:
        raise EntryError(f"an engagement's pseudonym must match {_ENGAGEMENT.pattern}", where=kind)
