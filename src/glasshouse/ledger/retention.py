"""Erasure and legal hold: who may have a payload destroyed, and the entries that say so.

An erasure needs the signatures of two different approvers over one text that names log, entry and basis.  The basis
and the signatures go into a payload of the erasure entry; the entry itself only says which entry it is about.
"""

from __future__ import annotations

from pathlib import Path

from glasshouse.ledger.assemble import Assembly, Made, own_payload
from glasshouse.ledger.audit.notes import Key, parse_note, parse_vkey, signers
from glasshouse.ledger.audit.proofs import Fault, leaf_hash
from glasshouse.ledger.entry import OWN_NAME, Payload
from glasshouse.ledger.keys import EngagementKeys
from glasshouse.ledger.requests import Erase, Hold
from glasshouse.ledger.seal import Sealed, seal
from glasshouse.ledger.store.interface import Store
from glasshouse.words.errors import EntryError, ErasedError, ErasureRefusedError, LedgerKeyError

APPROVALS_NEEDED = 2
MAX_BASIS = 500
MAX_APPROVERS_BYTES = 1 << 20


class Approvers:
    """The people who may approve an erasure: verifier keys, one a line, in a file beside the log's keys."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def keys(self) -> tuple[Key, ...]:
        """Their keys; none where there is no file."""
        try:
            with self.file.open("rb") as opened:
                text = opened.read(MAX_APPROVERS_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return ()
        try:
            return tuple(parse_vkey(line) for line in text.splitlines() if line.strip() and not line.startswith("#"))
        except Fault as fault:
            raise LedgerKeyError(fault.what, where=str(self.file)) from None

    def add(self, key: Key) -> None:
        """Names another approver."""
        known = self.keys()
        if any(each.name == key.name or each.public == key.public for each in known):
            raise LedgerKeyError(f"has an approver named {key.name} or with this key already", where=str(self.file))
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as opened:
            opened.write(f"{key.vkey}\n")


def erasure_text(origin: str, index: int, body: bytes, basis: str) -> bytes:
    """What an approver signs: the log, the entry with its hash, and the legal basis."""
    if not 0 < len(basis) <= MAX_BASIS or not basis.isprintable():
        raise EntryError(f"a basis is one line of 1 to {MAX_BASIS} printable characters")
    return f"glasshouse/erase/v1\n{origin}\n{index}\n{leaf_hash(body).hex()}\n{basis}\n".encode()


def _check_approvals(approvers: Approvers, approvals: tuple[str, ...], text: bytes) -> None:
    known, found = approvers.keys(), set()
    for approval in approvals:
        try:
            note = parse_note(approval.encode())
            if note.body != text:
                raise ErasureRefusedError("an approval is for another log, entry or basis")
            found |= {key.public for key in signers(note, known)}
        except Fault as fault:
            raise ErasureRefusedError(f"an approval does not hold: {fault}") from None
    if len(found) < APPROVALS_NEEDED:
        raise ErasureRefusedError(f"{len(found)} known approvers signed; {APPROVALS_NEEDED} are needed")


def _existing(assembly: Assembly, store: Store, index: int) -> bytes:
    bodies = store.bodies(index, index + 1) if 0 <= index < assembly.first else []
    if not bodies:
        raise EntryError(f"there is no entry {index}")
    return bodies[0]


def add_erasure(
    assembly: Assembly, store: Store, request: Erase, wrapping: EngagementKeys, origin: str, approvers: Approvers
) -> Made:
    """Adds the erasure entry; under a legal hold adds the entry of the refusal instead, and raises."""
    body = _existing(assembly, store, request.index)
    _check_approvals(approvers, request.approvals, erasure_text(origin, request.index, body, request.basis))
    by = assembly.erased.get(request.index, store.erased(request.index))
    if by is not None:
        raise ErasedError(f"the payloads of entry {request.index} were erased under entry {by}")
    facts = own_payload(basis=request.basis, approvals=request.approvals)
    sealed = _sealed(facts, wrapping)
    held = assembly.held.get(request.index, store.held(request.index))
    if held is not None and request.index not in assembly.released:
        refusal = assembly.add_own("ledger.refusal", request.index, sealed, "deny")
        raise ErasureRefusedError(
            f"entry {request.index} is under the legal hold of entry {held}; the refusal is entry {refusal.place}"
        )
    made = assembly.add_own("ledger.erasure", request.index, sealed, "permit")
    assembly.erased[request.index] = made.place
    return made


def add_hold(assembly: Assembly, store: Store, request: Hold, wrapping: EngagementKeys) -> Made:
    """Adds the entry of a hold or of its release."""
    _existing(assembly, store, request.index)
    if not 0 < len(request.basis) <= MAX_BASIS or not request.basis.isprintable():
        raise EntryError(f"a basis is one line of 1 to {MAX_BASIS} printable characters")
    if request.index in assembly.held or request.index in assembly.released:
        raise EntryError(f"the hold on entry {request.index} is being changed; ask again")
    held = store.held(request.index)
    if request.release and held is None:
        raise EntryError(f"entry {request.index} is not under a legal hold")
    sealed = _sealed(own_payload(basis=request.basis), wrapping)
    made = assembly.add_own("ledger.release" if request.release else "ledger.hold", request.index, sealed)
    if request.release:
        assembly.released.append(request.index)
    else:
        assembly.held[request.index] = made.place
    return made


def _sealed(facts: bytes, wrapping: EngagementKeys) -> list[Sealed]:
    return [seal(Payload("basis", OWN_NAME, facts), wrapping)]
