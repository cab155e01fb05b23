"""Every event that the door writes keeps to the published OCSF schema, version 1.8.0."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.door.simulated_organisation import ACT, SimulatedOrganisation

from glasshouse.access import register
from glasshouse.door import findings
from glasshouse.door.administration import Administration
from glasshouse.door.passage import Passage
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.canonical import canonical
from glasshouse.words.dependency import PublishedFlaw
from glasshouse.words.engagement import ApprovalRule
from glasshouse.words.errors import ApprovalNeededError, CredentialError, DeniedError
from glasshouse.words.finding import Finding, Fix
from glasshouse.words.location import Location

DOCUMENT = json.loads(
    (Path(__file__).resolve().parents[2] / "data" / "ocsf" / "ocsf-1.8.0.schema.json").read_text(encoding="utf-8")
)
VALIDATORS = {
    uid: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{uid}", "$defs": DOCUMENT["$defs"]})
    for uid in (2002, 2003, 2004, 2005, 6003)
}


def check(event: bytes | dict[str, Any]) -> dict[str, Any]:
    """The event, after validation against its class; bytes are canonical JSON."""
    decoded: dict[str, Any] = json.loads(event) if isinstance(event, bytes) else event
    assert not isinstance(event, bytes) or event == canonical(decoded)
    assert decoded["metadata"]["version"] == "1.8.0"
    problems = [
        f"{list(each.absolute_path)}: {each.message}" for each in VALIDATORS[decoded["class_uid"]].iter_errors(decoded)
    ]
    assert problems == []
    assert decoded["type_uid"] == decoded["class_uid"] * 100 + decoded["activity_id"]
    return decoded


def test_every_entry_of_a_busy_day_holds_a_valid_event(found: Callable[..., SimulatedOrganisation]) -> None:
    acme = found(approvals=(ApprovalRule(("code.scan",), 1),))
    with pytest.raises(ApprovalNeededError):
        acme.door.admit(acme.ada, ACT, Circumstances(misuse=3, origin="192.0.2.7", session="s" * 16))
    (request,) = acme.door.waiting.all()
    with pytest.raises(Exception, match="key"):
        acme.vote(request, "bo", key="cy")
    acme.vote(request, "bo")
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT, Circumstances(approval=request.terms.id))
    list(passage.through(iter([b"x"])))
    with pytest.raises(DeniedError):
        acme.door.admit(acme.ada, Act("code.scan", (), "other"))
    with pytest.raises(CredentialError):
        acme.door.resolve("x")
    from glasshouse.access.local import local_caller

    admin = Administration(acme.door, local_caller("root", ()))
    admin.change("access.change", "key:x", "revoke", lambda tables: register.revoke_key(tables, acme.key.public_id))
    kinds = set()
    for index, entry in acme.door.log.reader.entries():
        check(acme.event(index))
        kinds.add(entry.kind)
    assert kinds == {
        "act.asked", "approval.asked", "approval.refused", "approval.vote", "act.request", "act.outcome", "act.denied",
        "access.refused",
    }  # fmt: skip
    changed = acme.door.log.reader.payload(index, "events")
    assert check(changed)["unmapped"]["after"]["state"] == "revoked"
    assert acme.key.mac.encode() not in changed


@given(
    st.builds(
        Finding,
        rule_id=st.just("py-sql-injection"),
        message=st.text(max_size=40),
        location=st.builds(Location, path=st.just("src/a.py"), line=st.integers(1, 9), end_line=st.integers(0, 9)),
        severity=st.sampled_from(["low", "medium", "high", "critical"]),
        confidence=st.sampled_from(["low", "medium", "high"]),
        cwe=st.lists(st.integers(1, 1500), max_size=3).map(tuple),
        fix=st.none() | st.just(Fix("d", Location("src/a.py", 1), "x")),
        fingerprint=st.sampled_from(["", "ab" * 16]),
    )
)
def test_a_finding_in_code_is_a_valid_vulnerability_finding(finding: Finding) -> None:
    (event,) = findings.vulnerability_events([finding], 1_800_000_000_000)
    decoded = check(event)
    cited = [each["cwe"]["uid"] for each in decoded["vulnerabilities"] if "cwe" in each]
    assert cited == [f"CWE-{number}" for number in finding.cwe]


def test_at_most_so_many_findings_travel() -> None:
    finding = Finding("r", "m", Location("a", 1), "low", "low", ())
    assert len(findings.vulnerability_events([finding] * 5_000, 0)) == findings.MAX_EVENTS


@pytest.mark.parametrize("broken", [{"severity_id": 77}, {"time": "now"}, {"shoe": 1}, {"actor": {}}, {"api": None}])
def test_the_schema_refuses_what_is_wrong(acme: SimulatedOrganisation, broken: dict[str, Any]) -> None:
    passage: Passage[bytes] = acme.door.passage(acme.ada, ACT)
    passage.conclude()
    with pytest.raises(AssertionError):
        check(acme.event(0) | broken)


def test_the_event_of_a_dependency_names_the_package_the_advisory_and_the_fix() -> None:
    flaw = PublishedFlaw("GHSA-1", ("CVE-2024-1000",), "pkg:pypi/x@1.0", "x", "1.0", fixed=("2.0",))
    finding = Finding("dependency-vulnerable", "m", Location("r.txt", 1), "high", "high", (1395,), flaw=flaw)
    (event,) = findings.vulnerability_events([finding], 1_800_000_000_000)
    (vulnerability,) = check(event)["vulnerabilities"]
    assert vulnerability["affected_packages"] == [
        {"name": "x", "version": "1.0", "purl": "pkg:pypi/x@1.0", "fixed_in_version": "2.0"}
    ]
    assert (vulnerability["advisory"], vulnerability["is_fix_available"]) == ({"uid": "GHSA-1"}, True)
