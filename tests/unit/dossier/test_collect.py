"""From log entries to evidence: one pass, in order, with every gap kept visible."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.dossier.evidence_samples import AT, BASIS, DIGEST, FILE_DIGEST, MODEL, full

from glasshouse.assess.framework import framework_digest, shipped_framework
from glasshouse.assess.records import FrameworkCommitted, ModelRegistered, RunRecorded, VerdictRecorded
from glasshouse.assess.runs import Metric
from glasshouse.dossier.collect import RECORD_KINDS, Observed, Record, encoded, evidence, gather
from glasshouse.dossier.evidence import Attestation
from glasshouse.dossier.records import Attested, DocumentMade, statement_bytes
from glasshouse.duties.law import shipped_law
from glasshouse.duties.records import AnchorRecorded, CaseOpened, ScopeDeclared
from glasshouse.duties.registers import ComplaintDecided, ComplaintReceived, RequestReceived
from glasshouse.words.errors import EvidenceError

LAW = shipped_law()


def entry(index: int, record: Record) -> Observed:
    """A record as an entry of the log."""
    kind = str(record.__struct_config__.tag)
    return Observed(index, AT, kind, "none", msgspec.json.encode(record))


def act(index: int, kind: str, decision: str, **unmapped: object) -> Observed:
    """An act's entry with its event."""
    event = json.dumps({"unmapped": unmapped, "policy": {"version": "ab" * 32, "uid": "core.out-of-scope"}}).encode()
    return Observed(index, AT + dt.timedelta(days=index), kind, decision, event=event)


def log() -> list[Observed]:
    """A small log."""
    whole = full()
    return [
        entry(0, ModelRegistered(MODEL, FILE_DIGEST)),
        entry(1, FrameworkCommitted(shipped_framework())),
        entry(2, RunRecorded(whole.runs[0], whole.drawn[9], ("s1",))),
        entry(3, VerdictRecorded(whole.verdicts[0][0])),
        entry(4, Attested(whole.attestations[0], "key", "signature")),
        entry(5, ScopeDeclared({"gpai_code": True})),
        entry(6, CaseOpened("inc-1", "Weights copied", ("cop93_cyber",), "screen")),
        entry(7, AnchorRecorded("inc-1", "aware_of_model_involvement", AT - dt.timedelta(days=9))),
        act(8, "act.request", "permit", misuse=12, input={"characters": 300, "language": "de", "code": 0}),
        act(9, "act.denied", "deny", misuse=97, misuse_categories=["malware"]),
        Observed(10, AT + dt.timedelta(days=10), "act.outcome", "interrupted"),
        act(40, "act.request", "permit"),
        entry(41, DocumentMade("model-card", "screen", "public", "sha256:" + "9" * 64)),
    ]


def test_every_kind_of_record_is_known() -> None:
    assert len(RECORD_KINDS) == 28
    assert {each.kind for each in log() if each.record} <= RECORD_KINDS


def test_a_record_comes_back_under_the_entry_that_the_log_gave_it() -> None:
    found = evidence(gather(log()), "screen", BASIS, LAW)
    assert found.runs[0].entry == 2
    assert found.attestations[0].entry == 4
    assert found.commitments[0] == type(found.commitments[0])(framework_digest(shipped_framework()), AT, 1)
    assert found.digest == DIGEST


def test_a_statement_whose_signature_does_not_hold_counts_as_nothing_and_says_so() -> None:
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    said = Attestation("limitations", "English only", "O. Owner", "owner", AT, "screen")
    sound = Attested(said, public, base64.b64encode(key.sign(statement_bytes(said))).decode())
    edited = msgspec.structs.replace(sound, statement=msgspec.structs.replace(said, text="none at all"))
    basis = {}
    for name, record in (("sound", sound), ("edited", edited)):
        found = evidence(gather([log()[0], entry(4, record)]), "screen", BASIS, LAW).attested("limitations")
        basis[name] = (found.basis, found.needs)
    assert basis["sound"] == ("attested", "")
    assert basis["edited"][0] == "missing"
    assert "the signature of entry 4 does not hold" in basis["edited"][1]


def test_clocks_stand_as_of_the_evidence_and_not_as_of_now() -> None:
    found = evidence(gather(log()), "screen", BASIS, LAW)
    assert [clock.state for clock in found.incidents[0].clocks] == ["overdue"]
    assert found == evidence(gather(log()), "screen", BASIS, LAW)


def test_months_count_what_passed_the_door() -> None:
    months = evidence(gather(log()), "screen", BASIS, LAW).months
    assert [(m.month, m.requests, m.denied, m.interrupted, m.misuse) for m in months] == [
        ("2026-11", 1, 1, 1, {"malware": 1}),
        ("2026-12", 1, 0, 0, {}),
    ]
    assert months[0].scores == (0, 1, 0, 0, 0, 0, 0, 0, 0, 1)
    assert months[0].span == (8, 10)


def vote(index: int, verdict: str, state: str, *policies: str) -> Observed:
    """A vote and what became of the request by it."""
    return act(index, "approval.vote", verdict, state=state, terms={"policies": list(policies)})


def test_requests_that_people_decided_are_counted_by_what_was_decided_and_not_by_votes() -> None:
    voted = [
        vote(12, "approve", "waiting", "ask.engagement"),
        vote(13, "approve", "approved", "ask.engagement"),
        vote(14, "deny", "denied", "ask.misuse"),
    ]
    (month,) = gather(voted).months.values()
    assert (month.approved, month.refused, month.false_alarms) == (1, 1, 0)


def test_what_screening_held_up_and_people_approved_is_a_false_alarm() -> None:
    (month,) = gather([vote(12, "approve", "approved", "ask.misuse", "ask.engagement")]).months.values()
    assert (month.approved, month.false_alarms) == (1, 1)


@pytest.mark.parametrize(
    ("about", "upheld", "counts"), [("screening", True, 1), ("screening", False, 0), ("other", True, 0)]
)
def test_an_upheld_complaint_about_screening_is_a_false_alarm(about: Any, upheld: bool, counts: int) -> None:
    told = [
        entry(50, ComplaintReceived("c-1", "A. Analyst", about, "my question was stopped", AT)),
        entry(51, ComplaintDecided("c-1", AT, upheld, "looked at", "O. Owner", "owner")),
    ]
    months = gather([*log(), *told]).months
    assert months["2026-11"].false_alarms == counts


def test_an_appeal_counts_once_it_was_upheld_and_not_when_that_failed() -> None:
    asked = act(50, "act.request", "permit", describes="appeal of acme: upheld")
    asked = msgspec.structs.replace(
        asked, event=(asked.event or b"").replace(b"{", b'{"api":{"operation":"access.change"},', 1)
    )
    done = Observed(51, AT, "act.outcome", "done", about=50)
    for ending, counts in (([done], 1), ([msgspec.structs.replace(done, decision="failed")], 0), ([], 0)):
        assert sum(month.false_alarms for month in gather([asked, *ending]).months.values()) == counts


def test_registers_stand_with_their_clocks_as_of_the_evidence() -> None:
    asked = entry(50, RequestReceived("r-1", "Integrator", "limits", AT - dt.timedelta(days=30), "screen"))
    other = entry(51, RequestReceived("r-2", "Integrator", "limits", AT, "another"))
    (found,) = evidence(gather([*log(), asked, other]), "screen", BASIS, LAW).registers
    assert (found.row.id, [clock.state for clock in found.clocks]) == ("r-1", ["overdue"])


def test_a_vote_whose_payload_was_erased_decides_nothing() -> None:
    (month,) = gather([Observed(12, AT, "approval.vote", "approve")]).months.values()
    assert (month.approved, month.refused) == (0, 0)


def test_what_came_in_is_counted_in_classes() -> None:
    month = evidence(gather(log()), "screen", BASIS, LAW).months[0]
    assert (month.lengths, month.languages, month.code) == ({"to 1,000": 1}, {"de": 1}, {"none": 1})
    assert month.categories == {"none": 1, "malware": 1}


def test_every_policy_that_denied_is_counted_live() -> None:
    found = gather([act(9, "act.denied", "deny", policies=["core.misuse", "core.out-of-scope"]), log()[8]])
    assert found.guard_counts == {"core.misuse": 1, "core.out-of-scope": 1}


def test_an_erased_record_is_counted_and_not_guessed() -> None:
    erased = [msgspec.structs.replace(each, record=None) if each.index == 2 else each for each in log()]
    found = evidence(gather(erased), "screen", BASIS, LAW)
    assert found.runs == ()
    assert found.basis.erased == 1


def test_a_model_that_was_never_registered_is_refused_by_name() -> None:
    with pytest.raises(EvidenceError, match="screen"):
        evidence(gather(log()), "other", BASIS, LAW)


def test_a_record_that_could_not_be_read_again_is_never_written() -> None:
    run = full().runs[0]
    for metric in (Metric("recall", float("nan"), 0, 1, 0), Metric("mean", 1.0, -math.inf, math.inf, 1)):
        with pytest.raises(EvidenceError, match=r"assess\.run cannot be kept"):
            encoded(RunRecorded(msgspec.structs.replace(run, metrics=(metric,)), (), ()))


def test_a_record_that_cannot_be_read_names_its_entry() -> None:
    with pytest.raises(EvidenceError) as caught:
        gather([Observed(77, AT, "assess.run", "none", b"{}")])
    assert "entry 77" in caught.value.diagnostics()
