"""Approvals as pure rules: who may vote on what, what a vote signs, and what the votes add up to.

A vote is over the exact terms: act, policy hash and state of the log.  Change any of them and the signature is for
something else.  The requester never approves; whoever denies, denies for all.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

import msgspec

from glasshouse.access import machines
from glasshouse.words.act import Act
from glasshouse.words.approval import ApprovalRequest, ApprovalTerms, CheckpointMark, Verdict, Vote
from glasshouse.words.decision import Ask
from glasshouse.words.errors import VoteError
from glasshouse.words.party import ApproverKey, Caller, Person

CONTEXT = b"glasshouse/approval/v1\n"
MAX_REASON = 2_000


class Verifier(Protocol):
    """Checks one kind of signature; raises `VoteError` when it does not hold."""

    def __call__(self, vote: Vote, key: ApproverKey, terms: ApprovalTerms) -> None: ...


def terms_of(name: str, caller: Caller, act: Act, ask: Ask, checkpoint: CheckpointMark, now: int) -> ApprovalTerms:
    """The terms on which an act waits."""
    return ApprovalTerms(
        id=name,
        act=act,
        act_digest=act.digest(),
        requester=caller.id,
        organisation=caller.organisation.id,
        why=ask.reason,
        policies=ask.policies,
        policy_hash=ask.policy_hash,
        checkpoint=checkpoint,
        needed=ask.needed,
        approvers=ask.approvers,
        asked_at=now,
        lapses_at=now + ask.lapses_after_s,
    )


def statement(terms: ApprovalTerms, verdict: Verdict, approver: str, reason: str = "") -> bytes:
    """What every vote signs, an Ed25519 key directly: verdict, approver, digests of the terms and of the reason."""
    said = hashlib.sha256(reason.encode()).hexdigest()
    return CONTEXT + f"{verdict}\n{approver}\n{terms.digest()}\n{said}\n".encode()


def challenge(terms: ApprovalTerms, verdict: Verdict, approver: str, reason: str = "") -> bytes:
    """The WebAuthn challenge: SHA-256 of the statement, so the assertion signs act, verdict and reason."""
    return hashlib.sha256(statement(terms, verdict, approver, reason)).digest()


def may_vote(terms: ApprovalTerms, person: Person, now: int) -> None:
    """Raises `VoteError` unless this person may vote on these terms now."""
    if person.id == terms.requester:
        raise VoteError("whoever asks cannot approve (four eyes)", where=terms.id)
    if not person.active:
        raise VoteError(f"{person.id} is no longer active", where=terms.id)
    if "approver" not in person.roles:
        raise VoteError(f"{person.id} does not have the role approver", where=terms.id)
    if terms.approvers and person.id not in terms.approvers:
        raise VoteError(f"this request is for {', '.join(terms.approvers)} to decide", where=terms.id)
    if not terms.approvers and person.organisation != terms.organisation and terms.organisation != "local":
        raise VoteError(f"{person.id} is of another organisation", where=terms.id)
    if now >= terms.lapses_at:
        raise VoteError("the request has lapsed", where=terms.id)


def with_vote(request: ApprovalRequest, vote: Vote, person: Person, verify: Verifier, now: int) -> ApprovalRequest:
    """The request with one more verdict, after every check; `VoteError` or `TransitionError` when it is refused."""
    terms = request.terms
    machines.APPROVAL.after(request.state, "approve")
    may_vote(terms, person, now)
    if vote.approver != person.id:
        raise VoteError("the vote names another approver", where=terms.id)
    if any(each.approver == person.id for each in request.votes):
        raise VoteError(f"{person.id} has voted already", where=terms.id)
    if len(vote.reason) > MAX_REASON:
        raise VoteError(f"a reason has at most {MAX_REASON:,} characters", where=terms.id)
    if vote.verdict == "deny" and not vote.reason.strip():
        raise VoteError("a denial says why", where=terms.id, hint="Give --reason.")
    verify(vote, _key_of(vote, person, terms), terms)
    votes = (*request.votes, vote)
    state: str = request.state
    if vote.verdict == "deny":
        state = machines.APPROVAL.after(state, "deny")
    elif len(votes) >= terms.needed:
        state = machines.APPROVAL.after(state, "approve")
    return msgspec.structs.replace(request, votes=votes, state=state)


def covers(request: ApprovalRequest, caller: Caller, act: Act, policy_hash: str, now: int) -> str:
    """Why an approved request does not cover this act now; empty when it does.  Signatures are checked apart."""
    terms = request.terms
    if request.state != "approved":
        return f"request {terms.id} is {request.state}"
    if now >= terms.lapses_at:
        return f"request {terms.id} has lapsed"
    if caller.id != terms.requester:
        return f"request {terms.id} was made by somebody else"
    if act.digest() != terms.act_digest or terms.act.digest() != terms.act_digest:
        return f"request {terms.id} is for another act"
    if policy_hash != terms.policy_hash:
        return f"the policy has changed since request {terms.id} was made"
    return ""


def _key_of(vote: Vote, person: Person, terms: ApprovalTerms) -> ApproverKey:
    for key in person.approver_keys:
        if key.kind == vote.key_kind and key.id == vote.key_id:
            return key
    raise VoteError(
        f"{person.id} has no such key registered", where=terms.id, hint="`glasshouse access person key` registers one."
    )
