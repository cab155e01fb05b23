"""The register: admission, engagements, keys and halts; what contradicts itself is refused and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from glasshouse.access import register
from glasshouse.access.criteria import criteria, unmet
from glasshouse.access.engagement_file import read_engagement
from glasshouse.access.facts import record_is_live
from glasshouse.cli.access_engagements import TEMPLATE
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.engagement import ApprovalRule, CodeScope, Engagement, Scope, Term
from glasshouse.words.errors import (
    AccessError,
    DuplicateRecordError,
    PathError,
    TransitionError,
    UnknownRecordError,
)
from glasshouse.words.party import CriterionCheck, Organisation, Person, Workload

PEPPER = b"p" * 32
FILLED = TEMPLATE.format(starts="2026-12-01", ends="2027-03-01")
GOOD = Engagement("audit", "acme", "look", Scope(code=(CodeScope("/srv"),)), ("code.scan",), 0, Term(10, 20))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """One store for the module; each test clears it."""
    database = open_database(StorePlace(file=tmp_path_factory.mktemp("register") / "store.db"))
    yield Tables(database)
    database.close()


@pytest.fixture
def tables(opened: Tables) -> Tables:
    """An empty register."""
    with opened.database.counting() as connection:
        for table in ("organisation", "person", "workload", "engagement", "api_key", "halt"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    return opened


def check(name: str, *, met: bool = True, evidence: str = "ab" * 32) -> CriterionCheck:
    """A check of a criterion."""
    return CriterionCheck(name, met, "rita", 5, evidence)


def test_an_organisation_is_vetted_when_the_last_check_of_each_required_criterion_is_met(tables: Tables) -> None:
    register.apply(tables, Organisation("acme", "Acme", "FR", state="vetted"))
    assert tables.organisations.get("acme").state == "applied"  # nobody vets himself
    required = [each.id for each in criteria() if each.required]
    for name in required:
        with pytest.raises(TransitionError, match=name):
            register.move_organisation(tables, "acme", "vet")
        register.record_check(tables, "acme", check(name))
    register.record_check(tables, "acme", check(required[0], met=False))
    with pytest.raises(TransitionError, match=required[0]):
        register.move_organisation(tables, "acme", "vet")
    register.record_check(tables, "acme", check(required[0]))
    assert unmet(tables.organisations.get("acme")) == ()
    assert register.move_organisation(tables, "acme", "vet").state == "vetted"


def test_a_refusal_carries_its_reason_and_an_appeal_can_bring_back(tables: Tables) -> None:
    register.apply(tables, Organisation("acme", "Acme"))
    with pytest.raises(AccessError, match="reason"):
        register.move_organisation(tables, "acme", "refuse")
    with pytest.raises(TransitionError, match="nothing to appeal"):
        register.appeal(tables, "acme", "we are fine", 7)
    assert register.move_organisation(tables, "acme", "refuse", "no purpose").reason == "no purpose"
    register.appeal(tables, "acme", "here it is", 7)
    rejected = register.decide_appeal(tables, "acme", "still none", 8, upheld=False)
    assert (rejected.state, rejected.appeals[0].decision) == ("revoked", "still none")
    with pytest.raises(TransitionError, match="no open appeal"):
        register.decide_appeal(tables, "acme", "again", 9, upheld=True)
    register.appeal(tables, "acme", "now", 9)
    assert register.decide_appeal(tables, "acme", "yes", 10, upheld=True).state == "applied"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (check("no-such"), "no criterion"),
        (check("sanctions", evidence="x"), "SHA-256"),
    ],
)
def test_a_check_names_a_criterion_and_a_digest(tables: Tables, wrong: CriterionCheck, said: str) -> None:
    register.apply(tables, Organisation("acme", "Acme"))
    with pytest.raises(AccessError, match=said):
        register.record_check(tables, "acme", wrong)
    assert tables.organisations.get("acme").checks == ()


@pytest.mark.parametrize("name", ["", "local", "Acme", "../x", "a" * 64, "a b", "-a"])
def test_names_are_plain_and_local_is_taken(tables: Tables, name: str) -> None:
    with pytest.raises(AccessError):
        register.apply(tables, Organisation(name, "X"))


def test_people_and_workloads_belong_to_an_organisation_and_share_their_names(tables: Tables) -> None:
    with pytest.raises(UnknownRecordError):
        register.add_person(tables, Person("ada", "acme", "Ada"))
    register.apply(tables, Organisation("acme", "Acme"))
    register.add_person(tables, Person("ada", "acme", "Ada"))
    with pytest.raises(AccessError, match="person already"):
        register.add_workload(tables, Workload("ada", "acme", "CI"))
    with pytest.raises(DuplicateRecordError):
        register.add_person(tables, Person("ada", "acme", "Another"))
    with pytest.raises(AccessError, match="country"):
        register.add_person(tables, Person("bo", "acme", "Bo", country="france"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"purpose": " "}, "purpose"),
        ({"term": Term(20, 20)}, "term"),
        ({"tier": 4}, "tier"),
        ({"capabilities": ("no.such",)}, "no capability"),
        ({"capabilities": ("code.prove",)}, "needs tier 2"),
        ({"approvals": (ApprovalRule(("code.scan",), 0),)}, "0 approvals"),
        ({"approvals": (ApprovalRule(("code.scan",), 2, ("bo", "bo")),)}, "2 approvals of 1"),
        ({"scope": Scope(hosts=("x" * 600,))}, "512"),
        ({"scope": Scope(hosts=("x",) * 1001)}, "1000"),
        ({"scope": Scope(code=(CodeScope(),))}, "origin or a tree"),
    ],
)
def test_an_engagement_that_contradicts_itself_is_refused(tables: Tables, change: dict[str, Any], said: str) -> None:
    register.apply(tables, Organisation("acme", "Acme"))
    with pytest.raises(AccessError, match=said):
        register.draft(tables, msgspec.structs.replace(GOOD, **change))
    assert tables.engagements.all() == []


def test_an_engagement_begins_as_a_draft_whatever_its_file_says(tables: Tables) -> None:
    register.apply(tables, Organisation("acme", "Acme"))
    register.draft(tables, msgspec.structs.replace(GOOD, state="active"))
    assert tables.engagements.get("audit").state == "draft"


def test_a_rotated_key_goes_on_for_the_overlap_and_no_longer(tables: Tables) -> None:
    register.apply(tables, Organisation("acme", "Acme"))
    register.add_person(tables, Person("ada", "acme", "Ada"))
    register.draft(tables, GOOD)
    _, old = register.issue_key(tables, PEPPER, "ada", "audit", 100, 1000)
    _, new = register.rotate_key(tables, PEPPER, old.public_id, 200, 1000, 50)
    kept = tables.keys.get(old.public_id)
    assert (kept.state, kept.replaced_by, kept.expires_at) == ("rotated", new.public_id, 250)
    assert [record_is_live(kept, now) for now in (199, 249, 250)] == [True, True, False]
    register.revoke_key(tables, old.public_id)
    assert not record_is_live(tables.keys.get(old.public_id), 210)
    with pytest.raises(TransitionError):
        register.rotate_key(tables, PEPPER, old.public_id, 210, 1000, 50)


def test_a_key_is_for_somebody_of_the_engagements_organisation_and_not_for_ever(tables: Tables) -> None:
    for name in ("acme", "other"):
        register.apply(tables, Organisation(name, name))
    register.add_person(tables, Person("eve", "other", "Eve"))
    register.draft(tables, GOOD)
    with pytest.raises(AccessError, match="not of the organisation"):
        register.issue_key(tables, PEPPER, "eve", "audit", 0, 100)
    with pytest.raises(UnknownRecordError):
        register.issue_key(tables, PEPPER, "nobody", "audit", 0, 100)
    with pytest.raises(AccessError, match="at most"):
        register.issue_key(tables, PEPPER, "eve", "audit", 0, 400 * 86_400)


@pytest.mark.parametrize(
    ("kind", "value"), [("all", "x"), ("employer", ""), ("shoe", "x"), ("tier", "9"), ("tier", "x")]
)
def test_a_halt_names_everything_or_one_cohort(tables: Tables, kind: Any, value: str) -> None:
    with pytest.raises(AccessError):
        register.order_halt(tables, kind, value, "why", "root", 1)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("organisation", "amce"), ("engagement", "audti"), ("key", "AbCd1234"), ("holder", "eev"), ("holder", "")],
)
def test_a_misspelt_id_does_not_pass_for_a_halt(tables: Tables, kind: Any, value: str) -> None:
    with pytest.raises(UnknownRecordError):
        register.covers_somebody(tables, kind, value)


@pytest.mark.parametrize(("kind", "value"), [("employer", "nobody ltd"), ("country", "ZZ")])
def test_a_halt_on_what_nobody_has_yet_is_told(tables: Tables, kind: Any, value: str) -> None:
    assert not register.covers_somebody(tables, kind, value)


def test_the_template_is_a_valid_engagement(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(FILLED)
    assert read_engagement(file).id == "shop-audit"
    assert read_engagement(file).term == Term(1_796_083_200, 1_803_859_200)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tier: 0", "teir: 0"),
        ("  hosts:", "  host:"),
        ("  acts_per_day", "  acts_per_dya"),
        ("starts: 2026-12-01", "starts: soon"),
        ("id: shop-audit", "id: [1]"),
        ("scope:", "scope: 5\nx:"),
        ("id:", "\x00id:"),
        ("organisation: acme", ""),
    ],
)
def test_a_misspelt_engagement_file_is_refused_with_its_name(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(FILLED.replace(old, new, 1))
    with pytest.raises(AccessError) as caught:
        read_engagement(file)
    assert caught.value.where == str(file)


def test_a_missing_or_huge_engagement_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError):
        read_engagement(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_text("#" * 1_100_000)
    with pytest.raises(AccessError, match="larger"):
        read_engagement(tmp_path / "big.yaml")
