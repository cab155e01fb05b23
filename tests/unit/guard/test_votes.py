"""Votes: what is signed is exactly the act, the policy and the log, by key file or by passkey."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest
from tests.unit.guard.software_passkey import USER_PRESENT, SoftwarePasskey

from glasshouse.guard.approvals import challenge, may_vote, statement, with_vote
from glasshouse.guard.passkeys import RelyingParty, assertion_options, registered_key, registration_options, vote_from
from glasshouse.guard.signatures import new_key_file, public_key, read_key_file, sign, verify
from glasshouse.words.act import Act, Target
from glasshouse.words.approval import ApprovalRequest, ApprovalTerms, CheckpointMark, Verdict, Vote
from glasshouse.words.errors import VoteError
from glasshouse.words.party import Person

ACT = Act("response.execute", (Target("host", "web-1.example"),), "audit", describes="isolate web-1")
TERMS = ApprovalTerms(
    "r1", ACT, ACT.digest(), "ada", "acme", "why", ("ask.engagement",), "ab" * 32, CheckpointMark("log", 7, "cd" * 32),
    1, (), 100, 200,
)  # fmt: skip
PARTY = RelyingParty("console.example", "https://console.example")
CHANGES = [
    {"act_digest": "00" * 32},
    {"act": msgspec.structs.replace(ACT, describes="isolate everything")},
    {"policy_hash": "00" * 32},
    {"checkpoint": CheckpointMark("log", 8, "cd" * 32)},
    {"requester": "bo"},
    {"lapses_at": 10_000},
    {"id": "r2"},
    {"needed": 0},
]


def bo(**changes: object) -> Person:
    """An approver."""
    return msgspec.structs.replace(Person("bo", "acme", "Bo", ("approver",)), **changes)


def with_passkey() -> tuple[Person, SoftwarePasskey]:
    """An approver with a registered passkey."""
    passkey = SoftwarePasskey(PARTY.id, PARTY.origin)
    random = os.urandom(32)
    key = registered_key(PARTY, passkey.register(registration_options(PARTY, bo(), random)), random)
    return bo(approver_keys=(key,)), passkey


def passkey_vote(person: Person, passkey: SoftwarePasskey, verdict: Verdict = "approve") -> Vote:
    """A vote with a passkey on the terms."""
    reason = "no" if verdict == "deny" else ""
    answer = passkey.sign(assertion_options(PARTY, person, TERMS, verdict, reason))
    return vote_from(answer, person, verdict, reason, 150)


def test_a_key_file_signs_what_its_public_half_verifies(tmp_path: Path) -> None:
    key = new_key_file(tmp_path / "bo.key")
    assert (tmp_path / "bo.key").stat().st_mode & 0o777 == 0o600
    vote = sign(read_key_file(tmp_path / "bo.key"), TERMS, "bo", "approve", "", 150)
    verify(vote, key, TERMS)
    assert public_key(key.public) == key


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: next(iter(each)))
def test_a_signature_holds_for_no_other_terms(tmp_path: Path, change: dict[str, object]) -> None:
    key = new_key_file(tmp_path / "bo.key")
    vote = sign(read_key_file(tmp_path / "bo.key"), TERMS, "bo", "approve", "", 150)
    person, passkey = with_passkey()
    by_passkey = passkey_vote(person, passkey)
    other = msgspec.structs.replace(TERMS, **change)
    with pytest.raises(VoteError):
        verify(vote, key, other)
    with pytest.raises(VoteError):
        verify(by_passkey, person.approver_keys[0], other)


@pytest.mark.parametrize("change", [{"verdict": "deny"}, {"approver": "cy"}, {"reason": "x"}, {"signature": "AAAA"}])
def test_a_vote_changed_after_signing_does_not_hold(tmp_path: Path, change: dict[str, object]) -> None:
    key = new_key_file(tmp_path / "bo.key")
    vote = sign(read_key_file(tmp_path / "bo.key"), TERMS, "bo", "approve", "", 150)
    person, passkey = with_passkey()
    by_passkey = passkey_vote(person, passkey)
    with pytest.raises(VoteError):
        verify(msgspec.structs.replace(vote, **change), key, TERMS)
    with pytest.raises(VoteError):
        verify(msgspec.structs.replace(by_passkey, **change), person.approver_keys[0], TERMS)


def test_a_passkey_signs_what_a_key_file_signs() -> None:
    person, passkey = with_passkey()
    assert challenge(TERMS, "deny", "bo", "no") == hashlib.sha256(statement(TERMS, "deny", "bo", "no")).digest()
    assert TERMS.digest().encode() in statement(TERMS, "deny", "bo", "no")
    request = with_vote(ApprovalRequest(TERMS), passkey_vote(person, passkey), person, verify, 150)
    assert request.state == "approved"


def test_a_passkeys_denial_is_no_approval() -> None:
    person, passkey = with_passkey()
    denial = passkey_vote(person, passkey, "deny")
    verify(denial, person.approver_keys[0], TERMS)
    with pytest.raises(VoteError):
        verify(msgspec.structs.replace(denial, verdict="approve"), person.approver_keys[0], TERMS)


def test_a_passkey_of_another_site_or_without_verified_user_is_refused() -> None:
    person, passkey = with_passkey()
    passkey.origin = "https://console.example.evil"
    with pytest.raises(VoteError):
        verify(passkey_vote(person, passkey), person.approver_keys[0], TERMS)
    passkey.origin, passkey.flags = PARTY.origin, USER_PRESENT
    with pytest.raises(VoteError):
        verify(passkey_vote(person, passkey), person.approver_keys[0], TERMS)


def test_a_registration_for_another_challenge_is_refused() -> None:
    passkey = SoftwarePasskey(PARTY.id, PARTY.origin)
    answer = passkey.register(registration_options(PARTY, bo(), b"1" * 32))
    with pytest.raises(VoteError):
        registered_key(PARTY, answer, b"2" * 32)
    with pytest.raises(VoteError):
        registered_key(PARTY, "{}", b"1" * 32)


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"id": 5}', "x" * 70_000])
def test_nonsense_is_no_vote(answer: str) -> None:
    person, _ = with_passkey()
    with pytest.raises(VoteError):
        vote_from(answer, person, "approve", "", 150)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    new_key_file(tmp_path / "bo.key")
    (tmp_path / "bo.key").chmod(0o640)
    with pytest.raises(VoteError, match="others can read"):
        read_key_file(tmp_path / "bo.key")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\x00" * 100])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(VoteError, match="PEM") as caught:
        read_key_file(file)
    assert caught.value.where == str(file)
    with pytest.raises(VoteError, match="cannot make"):
        new_key_file(file)


def test_the_time_of_the_vote_must_lie_before_the_lapse() -> None:
    may_vote(TERMS, bo(), 199)
    with pytest.raises(VoteError, match="lapsed"):
        may_vote(TERMS, bo(), 200)


def test_statements_of_different_votes_differ() -> None:
    said = {statement(TERMS, verdict, who, why) for verdict in ("approve", "deny") for who in "ab" for why in ("", "x")}
    assert len(said) == 8
