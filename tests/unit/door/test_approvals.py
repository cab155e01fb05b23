"""Approvals: four eyes, exactly this act, under this policy and log, once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from tests.unit.door.simulated_organisation import ACT, TARGET, FullLog, SimulatedOrganisation
from tests.unit.guard.software_passkey import SoftwarePasskey

from glasshouse.access import register
from glasshouse.guard.passkeys import RelyingParty, assertion_options, registered_key, registration_options, vote_from
from glasshouse.guard.policy import PolicyFile, policy_set, shipped_policies
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.approval import ApprovalRequest, CheckpointMark
from glasshouse.words.engagement import ApprovalRule
from glasshouse.words.errors import ApprovalNeededError, DeniedError, DoorClosedError, TransitionError, VoteError

Found = Callable[..., SimulatedOrganisation]
ONE = (ApprovalRule(("code.scan",), 1, (), 3600),)
TWO = (ApprovalRule(("code.scan",), 2, ("bo", "cy"), 3600),)


@pytest.fixture
def acme(found: Found) -> SimulatedOrganisation:
    """An organisation whose scans wait for one approval."""
    return found(approvals=ONE)


def asked(acme: SimulatedOrganisation, act: Act = ACT) -> ApprovalRequest:
    """The request that an act leads to."""
    with pytest.raises(ApprovalNeededError):
        acme.door.admit(acme.ada, act)
    return acme.door.waiting.all()[-1]


def redeem(acme: SimulatedOrganisation, request: ApprovalRequest, act: Act = ACT) -> None:
    """Does the act with the approval."""
    acme.door.passage(acme.ada, act, Circumstances(approval=request.terms.id)).conclude()


def test_an_act_that_needs_approval_waits_and_passes_once_when_it_is_approved(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    assert acme.vote(request, "bo") == "approved"
    redeem(acme, request)
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)
    kinds = [kind for kind, _ in acme.kinds()]
    assert kinds[:5] == ["act.asked", "approval.asked", "approval.vote", "act.request", "act.outcome"]


def test_asking_again_gives_the_request_that_waits(acme: SimulatedOrganisation) -> None:
    assert asked(acme).terms.id == asked(acme).terms.id
    assert len(acme.door.waiting.all()) == 1


def test_without_approval_or_with_a_denial_nothing_passes(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)
    assert acme.vote(request, "bo", "deny") == "denied"
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)
    with pytest.raises(TransitionError, match="denied"):
        acme.vote(request, "cy")


def test_n_of_m_counts_different_people_only(found: Found) -> None:
    acme = found(approvals=TWO)
    request = asked(acme)
    assert acme.vote(request, "bo") == "waiting"
    with pytest.raises(VoteError, match="voted already"):
        acme.vote(request, "bo")
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)
    assert acme.vote(request, "cy") == "approved"
    redeem(acme, request)


def test_the_requester_never_approves_even_with_the_role_and_a_key(acme: SimulatedOrganisation) -> None:
    acme.tables.people.change("ada", lambda old: msgspec.structs.replace(old, roles=("operator", "approver")))
    acme.tables.people.change(
        "ada", lambda old: msgspec.structs.replace(old, approver_keys=acme.tables.people.get("bo").approver_keys)
    )
    with pytest.raises(VoteError, match="four eyes"):
        acme.vote(asked(acme), "ada", key="bo")
    assert acme.kinds()[-1] == ("approval.refused", "deny")


def test_a_vote_with_somebody_elses_key_is_refused_and_recorded(acme: SimulatedOrganisation) -> None:
    with pytest.raises(VoteError, match="no such key"):
        acme.vote(asked(acme), "bo", key="cy")
    assert acme.kinds()[-1] == ("approval.refused", "deny")


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"roles": ("operator",)}, {"organisation": "other"}],
    ids=["inactive", "no role", "other organisation"],
)
def test_who_may_not_approve_is_refused(acme: SimulatedOrganisation, change: dict[str, object]) -> None:
    request = asked(acme)
    acme.tables.people.change("bo", lambda old: msgspec.structs.replace(old, **change))
    with pytest.raises(VoteError):
        acme.vote(request, "bo")


def test_an_approval_lapses(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    acme.clock.seconds += 3600
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)
    assert acme.door.waiting.get(request.terms.id).state == "lapsed"
    other = asked(acme)
    acme.clock.seconds += 3600
    with pytest.raises(TransitionError, match="lapsed"):
        acme.vote(other, "bo")


@pytest.mark.parametrize(
    "other",
    [
        Act("code.scan", (Target("code", "/srv/shop/other"),), "audit"),
        Act("code.scan", (TARGET, TARGET), "audit"),
        Act("code.scan", (TARGET,), "audit", input_digest="ab" * 32),
        Act("code.scan", (TARGET,), "audit", describes="something else"),
    ],
)
def test_an_approval_is_for_exactly_one_act(acme: SimulatedOrganisation, other: Act) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request, other)


def test_a_changed_policy_voids_approvals(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    acme.close()
    stricter = policy_set([*shipped_policies().files, PolicyFile("more.cedar", "// nothing new\n")])
    again = SimulatedOrganisation(acme.folder, policies=stricter)
    try:
        assert not again.door.waiting.covers(request.terms.id, again.ada, ACT)
    finally:
        again.close()


@pytest.mark.parametrize("tamper", ["act", "requester", "needed", "checkpoint", "votes", "reason", "root"])
def test_a_record_changed_in_the_store_covers_nothing(acme: SimulatedOrganisation, tamper: str) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    other = Act("code.scan", (Target("code", "/srv/shop/x"),), "audit")

    def change(old: ApprovalRequest) -> ApprovalRequest:
        terms, replace = old.terms, msgspec.structs.replace
        mark = terms.checkpoint
        match tamper:
            case "act":
                return replace(old, terms=replace(terms, act=other, act_digest=other.digest()))
            case "requester":
                return replace(old, terms=replace(terms, requester="cy"))
            case "needed":
                return replace(old, terms=replace(terms, needed=0))
            case "checkpoint":
                return replace(old, terms=replace(terms, checkpoint=CheckpointMark("elsewhere", mark.size, mark.root)))
            case "root":
                return replace(old, terms=replace(terms, checkpoint=CheckpointMark(mark.origin, mark.size, "00" * 32)))
            case "votes":
                return replace(old, votes=())
            case _:
                return replace(old, votes=(replace(old.votes[0], reason="other"),))

    acme.tables.approvals.change(request.terms.id, change)
    act = other if tamper == "act" else ACT
    with pytest.raises((ApprovalNeededError, DeniedError)):
        redeem(acme, request, act)


def test_an_approver_who_left_or_a_key_withdrawn_voids_the_approval(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    register.deactivate(acme.tables, "bo")
    with pytest.raises(ApprovalNeededError):
        redeem(acme, request)


def test_an_approval_does_not_overcome_a_core_rule(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    register.move_engagement(acme.tables, "audit", "pause")
    with pytest.raises(DeniedError, match="not active"):
        redeem(acme, request)
    register.move_engagement(acme.tables, "audit", "resume")
    redeem(acme, request)


def test_an_approval_that_was_used_stays_used_when_a_later_act_cannot_be_recorded(found: Found) -> None:
    acme = found(approvals=ONE)
    request = asked(acme)
    acme.vote(request, "bo")
    redeem(acme, request)
    acme.close()
    full = SimulatedOrganisation(acme.folder, log=lambda home: FullLog(home, 0))
    try:
        with pytest.raises(DoorClosedError):
            redeem(full, request)
        assert full.door.waiting.get(request.terms.id).state == "used"
    finally:
        full.close()


def test_an_approval_is_given_back_when_its_act_could_not_be_recorded(found: Found) -> None:
    acme = found(approvals=ONE)
    request = asked(acme)
    acme.vote(request, "bo")
    acme.close()
    full = SimulatedOrganisation(acme.folder, log=lambda home: FullLog(home, 0))
    try:
        with pytest.raises(DoorClosedError):
            redeem(full, request)
        assert full.door.waiting.get(request.terms.id).state == "approved"
    finally:
        full.close()


def test_a_copied_passkey_is_noticed_by_its_counter(acme: SimulatedOrganisation) -> None:
    party = RelyingParty("console.example", "https://console.example")
    passkey = SoftwarePasskey(party.id, party.origin)
    bo = acme.tables.people.get("bo")
    key = registered_key(party, passkey.register(registration_options(party, bo, b"c" * 32)), b"c" * 32)
    register.add_approver_key(acme.tables, "bo", key)

    def vote() -> None:
        request = asked(acme)
        person = acme.tables.people.get("bo")
        answer = passkey.sign(assertion_options(party, person, request.terms, "approve"))
        acme.door.waiting.vote(request.terms.id, vote_from(answer, person, "approve", "", acme.clock.seconds), acme.ada)
        redeem(acme, request)

    vote()
    passkey.count -= 1  # what a copy made before the first vote would say
    with pytest.raises(VoteError, match="counter went back"):
        vote()


def test_the_log_holds_the_signature_and_the_terms(acme: SimulatedOrganisation) -> None:
    request = asked(acme)
    acme.vote(request, "bo")
    event = acme.event(2)["unmapped"]
    assert isinstance(event, dict)
    assert event["terms_digest"] == request.terms.digest()
    assert event["vote"]["signature"]
