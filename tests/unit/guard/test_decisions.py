"""Policy: each rule by a permitted act and its forbidden twins; the two evaluators agree on everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cedarpy
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.access.facts import Facts
from glasshouse.guard import cedar, fixed
from glasshouse.guard.cedar import CedarEvaluator, check, notes
from glasshouse.guard.decide import DISAGREEMENT, NO_GRANT, Guard, PolicyFolder
from glasshouse.guard.policy import PolicyFile, load_policies, policy_set, shipped_notes, shipped_policies
from glasshouse.words.capability import CAPABILITIES
from glasshouse.words.decision import Ask, Deny, Permit
from glasshouse.words.engagement import ApprovalRule
from glasshouse.words.errors import PolicyError

GOOD = Facts(
    caller_kind="person",
    caller="ada",
    caller_active=True,
    roles=("operator",),
    country="FR",
    employer="acme",
    clearance=1,
    organisation="acme",
    organisation_state="vetted",
    key_live=True,
    engagement="audit",
    engagement_organisation="acme",
    engagement_state="active",
    in_term=True,
    granted=("code.scan", "model.call"),
    engagement_tier=1,
    member=True,
    misuse_asks_at=70,
    misuse_denies_at=90,
    capability="code.scan",
    capability_group="analyse",
    capability_tier=0,
    in_scope=True,
    halted=False,
    asks=False,
    screened=False,
    misuse=0,
)
MODEL: dict[str, Any] = {"capability": "model.call", "capability_group": "model", "capability_tier": 1}
ADMIN: dict[str, Any] = {"capability": "access.change", "capability_group": "administer"}
EVALUATOR = CedarEvaluator(shipped_policies())
GUARD = Guard(shipped_policies())

PERMITTED: list[dict[str, Any]] = [
    {},
    MODEL,
    MODEL | {"screened": True, "misuse": 69},
    {"asks": True, "approved": True},
    {"screened": True, "misuse": 89, "approved": True},
    ADMIN | {"roles": ("administrator",), "granted": ("access.change",)},
    {"caller_kind": "workload", "country": "", "employer": ""},
    {"misuse": 100},  # a score of something that was not screened says nothing
]
DENIED: list[tuple[str, dict[str, Any]]] = [
    ("core.halted", {"halted": True}),
    ("core.halted", {"halted": True, "approved": True}),
    ("core.organisation-not-vetted", {"organisation_state": "applied"}),
    ("core.organisation-not-vetted", {"organisation_state": "suspended"}),
    ("core.organisation-not-vetted", {"organisation_state": "revoked"}),
    ("core.caller-inactive", {"caller_active": False}),
    ("core.key-not-live", {"key_live": False}),
    ("core.foreign-engagement", {"engagement_organisation": "other"}),
    ("core.foreign-engagement", {"member": False}),
    *(("core.engagement-not-active", {"engagement_state": state}) for state in ("draft", "requested", "paused")),
    *(("core.engagement-not-active", {"engagement_state": state}) for state in ("expired", "revoked")),
    ("core.out-of-term", {"in_term": False}),
    ("core.out-of-scope", {"in_scope": False}),
    ("core.above-tier", MODEL | {"engagement_tier": 0}),
    ("core.misuse", {"screened": True, "misuse": 90}),
    ("core.misuse", {"screened": True, "misuse": 100, "approved": True}),
    (NO_GRANT, {"roles": ()}),
    (NO_GRANT, {"roles": ("approver", "auditor")}),
    (NO_GRANT, {"granted": ("model.call",)}),
    (NO_GRANT, {"asks": True, "granted": ()}),
    (NO_GRANT, ADMIN | {"granted": ("access.change",)}),
    (NO_GRANT, {"capability": "no.such", "capability_group": "", "capability_tier": 0}),
]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("ask.engagement", {"asks": True}),
    ("ask.misuse", {"screened": True, "misuse": 70}),
    ("ask.misuse", MODEL | {"screened": True, "misuse": 89}),
]


def facts(changes: dict[str, Any]) -> Facts:
    return msgspec.structs.replace(GOOD, **changes)


@pytest.mark.parametrize("changes", PERMITTED, ids=str)
def test_what_the_engagement_grants_is_permitted(changes: dict[str, Any]) -> None:
    decision = GUARD.decide(facts(changes))
    assert isinstance(decision, Permit), decision
    assert decision.policy_hash == shipped_policies().hash


@pytest.mark.parametrize(("code", "changes"), DENIED, ids=str)
def test_one_wrong_fact_denies_and_the_rule_is_named(code: str, changes: dict[str, Any]) -> None:
    decision = GUARD.decide(facts(changes))
    assert isinstance(decision, Deny), decision
    assert decision.code == code
    assert decision.reason


@pytest.mark.parametrize(("rule", "changes"), ASKED, ids=str)
def test_what_demands_approval_is_asked(rule: str, changes: dict[str, Any]) -> None:
    decision = GUARD.decide(facts(changes), ApprovalRule(("code.scan",), 2, ("bo", "cy"), 60))
    assert isinstance(decision, Ask), decision
    assert decision.policies == (rule,)
    assert (decision.needed, decision.approvers, decision.lapses_after_s) == (2, ("bo", "cy"), 60)


def test_every_shipped_rule_is_in_these_tables() -> None:
    named = {code for code, _ in DENIED} | {rule for rule, _ in ASKED} | {"grant.operator", "grant.administrator"}
    assert {note.id for note in shipped_notes()} == named - {NO_GRANT}
    assert set(fixed.CORE_IDS) == {name for name in named if name.startswith("core.")}


ANY_FACTS = st.builds(
    Facts,
    caller_kind=st.sampled_from(["person", "workload"]),
    caller=st.just("ada"),
    caller_active=st.booleans(),
    roles=st.sets(st.sampled_from(["operator", "approver", "administrator"])).map(lambda each: tuple(sorted(each))),
    country=st.sampled_from(["", "FR"]),
    employer=st.just("acme"),
    clearance=st.integers(0, 3),
    organisation=st.just("acme"),
    organisation_state=st.sampled_from(["vetted", "vetted", "vetted", "applied", "suspended", "revoked"]),
    key_live=st.sampled_from([True, True, True, False]),
    engagement=st.just("audit"),
    engagement_organisation=st.sampled_from(["acme", "acme", "acme", "other"]),
    engagement_state=st.sampled_from(["active", "active", "active", "paused", "draft"]),
    in_term=st.sampled_from([True, True, True, False]),
    granted=st.sets(st.sampled_from(sorted(CAPABILITIES))).map(lambda each: tuple(sorted(each))),
    engagement_tier=st.integers(0, 3),
    member=st.sampled_from([True, True, True, False]),
    misuse_asks_at=st.integers(0, 101),
    misuse_denies_at=st.integers(0, 101),
    capability=st.sampled_from(sorted(CAPABILITIES)),
    capability_group=st.just(""),
    capability_tier=st.just(0),
    in_scope=st.sampled_from([True, True, True, False]),
    halted=st.sampled_from([False, False, False, True]),
    asks=st.booleans(),
    screened=st.booleans(),
    misuse=st.integers(0, 100),
    approved=st.booleans(),
).map(
    lambda each: msgspec.structs.replace(
        each,
        capability_group=CAPABILITIES[each.capability].group,
        capability_tier=CAPABILITIES[each.capability].tier,
    )
)


@settings(max_examples=300)
@given(ANY_FACTS)
def test_the_plain_evaluator_gives_the_verdict_and_the_rules_that_cedar_gives(each: Facts) -> None:
    assert fixed.shipped(each) == EVALUATOR.evaluate(each)


@given(ANY_FACTS)
def test_nothing_that_a_core_rule_forbids_is_ever_permitted_or_asked(each: Facts) -> None:
    if fixed.core(each):
        assert isinstance(GUARD.decide(each), Deny)


@given(ANY_FACTS)
def test_no_added_permit_overrides_a_core_rule(each: Facts) -> None:
    if fixed.core(each):
        decision = PERMISSIVE.decide(each)
        assert isinstance(decision, Deny)
        assert decision.code.startswith("core.")


PERMISSIVE = Guard(
    policy_set(
        [
            *(file for file in shipped_policies().files if file.name == "core.cedar"),
            PolicyFile("mine.cedar", '@id("mine.all") permit(principal, action, resource);'),
        ]
    )
)


def test_when_the_evaluators_disagree_the_answer_is_no() -> None:
    without_core = Guard(policy_set([PolicyFile("mine.cedar", '@id("mine.all") permit(principal, action, resource);')]))
    assert isinstance(without_core.decide(GOOD), Permit)
    decision = without_core.decide(facts({"in_scope": False}))
    assert isinstance(decision, Deny)
    assert decision.code == DISAGREEMENT


def test_the_local_user_gets_the_same_answer_with_and_without_cedar() -> None:
    for changes in (*PERMITTED, *(each for _, each in DENIED), *(each for _, each in ASKED)):
        local = facts(changes | {"caller_kind": "local"})
        assert fixed.shipped(local) == EVALUATOR.evaluate(local)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit(principal, action, resource)", "unexpected end"),
        ("permit(principal, action, resource);", "no @id"),
        ('@id("a") permit(principal, action, resource); @id("a") permit(principal, action, resource);', "two policies"),
        ('@id("a") permit(principal, action, resource) when { principal.shoe == 1 };', "shoe"),
        ('@id("a") permit(principal, action == Glasshouse::Action::"no.such", resource);', "no.such"),
        ('@id("a") @effect("ask") permit(principal, action, resource);', "forbid"),
    ],
)
def test_a_wrong_policy_is_named_and_decides_nothing(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.cedar").write_text(text)
    policies = load_policies(tmp_path)
    assert any(said in problem for problem in check(policies)), check(policies)
    guard = Guard(policies)
    with pytest.raises(PolicyError, match=r"."):
        guard.warm()
    with pytest.raises(PolicyError, match=r"."):
        guard.decide(GOOD)


def test_an_organisations_own_files_replace_the_defaults_but_not_the_core(tmp_path: Path) -> None:
    (tmp_path / "mine.cedar").write_text(
        '@id("mine.french") permit(principal, action, resource) when { principal.country == "FR" };'
    )
    guard = Guard(load_policies(tmp_path))
    assert guard.policy_hash != shipped_policies().hash
    assert isinstance(guard.decide(facts({"roles": ()})), Permit)
    assert isinstance(guard.decide(facts({"country": "DE"})), Deny)
    assert isinstance(guard.decide(facts({"in_scope": False})), Deny)


def test_a_running_process_takes_up_changed_policies_and_stops_at_broken_ones(tmp_path: Path) -> None:
    now = [0.0]
    folder = PolicyFolder(tmp_path, lambda: now[0])
    guard = folder.renewed(None)
    assert isinstance(guard.decide(GOOD), Permit)
    (tmp_path / "mine.cedar").write_text('@id("mine.none") forbid(principal, action, resource);')
    assert folder.renewed(guard) is guard  # not looked at again within a second
    now[0] += 1
    renewed = folder.renewed(guard)
    assert isinstance(renewed.decide(GOOD), Deny)
    now[0] += 1
    assert folder.renewed(renewed) is renewed
    (tmp_path / "mine.cedar").write_text("forbid(")
    now[0] += 1
    broken = folder.renewed(renewed)
    for _ in range(2):
        with pytest.raises(PolicyError):
            broken.decide(GOOD)


def test_the_hash_changes_with_every_text(tmp_path: Path) -> None:
    one = policy_set([PolicyFile("a.cedar", "x"), PolicyFile("b.cedar", "y")])
    assert one.hash != policy_set([PolicyFile("a.cedar", "xy"), PolicyFile("b.cedar", "")]).hash
    assert one.hash != policy_set([PolicyFile("a.cedar", "x"), PolicyFile("c.cedar", "y")]).hash


def test_comments_and_texts_in_policies_are_not_taken_for_policies(tmp_path: Path) -> None:
    (tmp_path / "mine.cedar").write_text(
        '// permit(principal, action, resource);\n@id("mine.x") @reason("forbid (that) // or permit (")\n'
        'permit(principal, action, resource) when { principal.employer == "permit (" };'
    )
    policies = load_policies(tmp_path)
    assert check(policies) == []
    assert [note.id for note in notes(policies).values()][-1] == "mine.x"


def test_the_schema_lists_every_capability() -> None:
    text = shipped_policies().schema
    for each in CAPABILITIES.values():
        assert f'action "{each.id}" in ["{each.group}"]' in text


def test_the_shipped_annotations_read_the_same_with_and_without_cedar() -> None:
    assert shipped_notes() == tuple(notes(shipped_policies()).values())


@given(ANY_FACTS, ANY_FACTS)
def test_a_reused_entity_slice_never_changes_a_verdict(one: Facts, other: Facts) -> None:
    fresh = CedarEvaluator(shipped_policies())
    fresh.evaluate(other)
    assert fresh.evaluate(one) == fixed.shipped(one)


HEADS = (
    "action",
    'action == Glasshouse::Action::"model.call"',
    'action in Glasshouse::Action::"model.call"',
    'action in Glasshouse::Action::"analyse"',
    'action in [Glasshouse::Action::"administer", Glasshouse::Action::"code.scan"]',
)


@pytest.mark.parametrize("effects", [("permit",), ("permit", "forbid")], ids=lambda each: "+".join(each))
def test_leaving_out_policies_about_other_actions_changes_no_verdict(effects: tuple[str, ...]) -> None:
    texts = [f'@id("{n}.{effect}") {effect}(principal, {head}, resource);' for n, head in enumerate(HEADS[1:])
             for effect in effects]  # fmt: skip
    own = PolicyFile("own.cedar", "\n".join([f'@id("all") permit(principal, {HEADS[0]}, resource);', *texts]))
    policies = msgspec.structs.replace(shipped_policies(), files=(own,))
    evaluator, ids = CedarEvaluator(policies), {name: note.id for name, note in notes(policies).items()}
    for capability in CAPABILITIES:
        each = facts({"capability": capability, "capability_group": CAPABILITIES[capability].group})
        whole = cedarpy.is_authorized(cedar._request(each), policies.text(), cedar._entities(each))
        verdict = evaluator.evaluate(each)
        assert verdict.allowed is whole.allowed
        assert set(verdict.deciding) == {ids[name] for name in whole.diagnostics.reasons}
