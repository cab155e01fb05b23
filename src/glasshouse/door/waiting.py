"""Requests that wait for people: asked, voted on, redeemed once; every step is an entry in the log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from glasshouse.access import machines
from glasshouse.door import events
from glasshouse.guard import approvals
from glasshouse.guard.signatures import verify
from glasshouse.words.act import Act
from glasshouse.words.approval import ApprovalRequest, CheckpointMark, Vote
from glasshouse.words.decision import Ask, Deny, Permit
from glasshouse.words.errors import GlasshouseError, TransitionError, VoteError
from glasshouse.words.party import Caller, Person

if TYPE_CHECKING:
    from glasshouse.door.door import Door
    from glasshouse.ledger import Receipt
    from glasshouse.store.records import Records

MAX_WAITING = 1_000
NOT_COVERED = "approval.not-valid"
_replace = msgspec.structs.replace


class Waiting:
    """The requests of one door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @property
    def _records(self) -> Records[ApprovalRequest]:
        return self._door.tables.approvals

    def all(self, state: str = "waiting") -> list[ApprovalRequest]:
        """The requests in a state, oldest first; what has lapsed is marked on the way."""
        self.lapse()
        return sorted(self._records.all(state=state), key=lambda each: each.terms.asked_at)

    def get(self, name: str) -> ApprovalRequest:
        """One request."""
        self.lapse()
        return self._records.get(name)

    def ask(self, caller: Caller, act: Act, ask: Ask) -> ApprovalRequest:
        """A request for this act; asking again while one waits gives that one."""
        waiting = self.all()
        for each in waiting:
            same = each.terms.act_digest == act.digest() and each.terms.requester == caller.id
            if same and each.terms.policy_hash == ask.policy_hash:
                return each
        if len(waiting) >= MAX_WAITING:
            raise VoteError(f"{MAX_WAITING:,} requests wait already", hint="Decide some of them first.")
        terms = approvals.terms_of(os.urandom(5).hex(), caller, act, ask, self._checkpoint(), self._door.now())
        request = ApprovalRequest(terms)
        self._door.append("approval.asked", caller, "ask", events.approval_event(caller, request, self._door.now_ms()))
        self._records.add(request)
        return request

    def vote(self, name: str, vote: Vote, recorder: Caller) -> tuple[ApprovalRequest, Receipt]:
        """Counts a signed vote and records it; `VoteError` (recorded too) when it is refused."""
        now = self._door.now()
        person = self._door.tables.people.get(vote.approver)
        before = self.get(name)
        try:
            after = approvals.with_vote(before, vote, person, verify, now)
            self._count(vote, person)
        except (VoteError, TransitionError) as error:
            event = events.vote_event(recorder, before, vote, self._door.now_ms(), error.what)
            self._door.append("approval.refused", recorder, "deny", event)
            raise
        event = events.vote_event(recorder, after, vote, self._door.now_ms())
        receipt = self._door.append("approval.vote", recorder, vote.verdict, event)
        counted = self._records.change(name, lambda old: approvals.with_vote(old, vote, person, verify, now))
        return counted, receipt

    def _count(self, vote: Vote, person: Person) -> None:
        """Keeps the counter of a passkey, so that a copy of it is noticed."""
        if vote.key_kind != "passkey":
            return
        from glasshouse.guard.passkeys import counted

        def kept(old: Person) -> Person:
            keys = tuple(counted(vote, key) if key.id == vote.key_id else key for key in old.approver_keys)
            return _replace(old, approver_keys=keys)

        self._door.tables.people.change(person.id, kept)

    def covers(self, name: str, caller: Caller, act: Act) -> bool:
        """Whether an approved request covers exactly this act now."""
        return self._problem(name, caller, act) == ""

    def redeem(self, name: str, caller: Caller, act: Act, permit: Permit) -> Permit | Deny:
        """Uses an approved request up; a second act, or one that differs, is denied."""
        problem = self._problem(name, caller, act)
        if not problem:
            try:
                self._records.change(name, lambda old: _moved(old, "use"))
            except TransitionError as error:
                problem = error.what
        if problem:
            hint = "Ask again without GLASSHOUSE_APPROVAL; the request will be for the act as it is now."
            return Deny(NOT_COVERED, problem, (NOT_COVERED,), permit.policy_hash, hint)
        return permit

    def give_back(self, name: str) -> None:
        """Makes a used request approved again: the act that used it could not be recorded, so it was not done."""
        self._records.change(name, lambda old: _replace(old, state="approved") if old.state == "used" else old)

    def lapse(self) -> None:
        """Marks what has lapsed."""
        now = self._door.now()
        for each in (*self._records.all(state="waiting"), *self._records.all(state="approved")):
            if now >= each.terms.lapses_at:
                self._records.change(each.terms.id, _lapsed)

    def _problem(self, name: str, caller: Caller, act: Act) -> str:
        request = self._records.find(name)
        if request is None:
            return f"there is no request {name[:40]}"
        problem = approvals.covers(request, caller, act, self._door.guard.policy_hash, self._door.now())
        return problem or self._unsound(request)

    def _unsound(self, request: ApprovalRequest) -> str:
        """Checks anew what the store says: every signature by a registered key, and the log that the votes saw."""
        terms = request.terms
        agreed: set[str] = set()
        for vote in request.votes:
            person = self._door.tables.people.find(vote.approver)
            keys = [] if person is None else [key for key in person.approver_keys if key.id == vote.key_id]
            try:
                if person is None or not keys:
                    raise VoteError(f"{vote.approver} or the key is no longer registered")
                approvals.may_vote(terms, person, min(vote.voted_at, terms.lapses_at - 1))
                verify(vote, keys[0], terms)
            except VoteError as error:
                return error.what
            if vote.verdict == "approve":
                agreed.add(vote.approver)
        if len(agreed) < terms.needed:
            return f"request {terms.id} has {len(agreed)} of {terms.needed} approvals"
        try:
            self._check_log(terms.checkpoint)
        except GlasshouseError as error:
            return f"the log is not the one that the approvers saw: {error.what}"
        return ""

    def _checkpoint(self) -> CheckpointMark:
        signed = self._door.log.checkpoint()
        return CheckpointMark(signed.note.partition("\n")[0], signed.size, signed.root.hex())

    def _check_log(self, mark: CheckpointMark) -> None:
        from glasshouse.ledger import SignedCheckpoint

        now = self._door.log.checkpoint()
        if now.note.partition("\n")[0] != mark.origin:
            raise VoteError(f"this log is not {mark.origin}")
        self._door.log.reader.check_consistent(SignedCheckpoint(mark.size, bytes.fromhex(mark.root), ""), now)


def _moved(request: ApprovalRequest, event: str) -> ApprovalRequest:
    return _replace(request, state=machines.APPROVAL.after(request.state, event))


def _lapsed(request: ApprovalRequest) -> ApprovalRequest:
    """The request as lapsed, unless another process has decided or used it meanwhile."""
    return _moved(request, "lapse") if request.state in ("waiting", "approved") else request
