"""Cedar behind a small interface: policies parsed and validated once, each request with the entities that matter."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from glasshouse.guard.fixed import Verdict
from glasshouse.guard.policy import Policies, PolicyNote, note_of
from glasshouse.words.capability import CAPABILITIES
from glasshouse.words.errors import PolicyError

if TYPE_CHECKING:
    from glasshouse.access.facts import Facts

MAX_SLICES = 10_000
_SPACE = "Glasshouse"
_POLICY_NUMBER = re.compile(r"`?(policy\d+)`?")


class CedarEvaluator:
    """Evaluates facts under one policy set.  Raises `PolicyError` for a set that does not parse or validate."""

    def __init__(self, policies: Policies) -> None:
        import cedarpy

        problems = check(policies)
        if problems:
            raise PolicyError(problems[0], hint="Run `glasshouse policy check`; it lists every problem.")
        self._static: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(policies.text()))["staticPolicies"]
        self._about: dict[tuple[str, str], Any] = {}
        self._compile = cedarpy.PolicySet.from_json_str
        self.notes = notes(policies)
        self._ids = {name: note.id for name, note in self.notes.items()}
        self._evaluate = cedarpy.is_authorized
        self._parse = cedarpy.Entities.from_json_str
        self._known: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def evaluate(self, facts: Facts) -> Verdict:
        """The verdict.  An error while a policy is evaluated is no answer: it raises `PolicyError`."""
        if facts.capability not in CAPABILITIES:
            return Verdict(False, ())
        policies = self._policies_about(facts.capability, facts.capability_group)
        result = self._evaluate(_request(facts), policies, self._slice(facts))
        if result.diagnostics.errors:
            raise PolicyError(f"a policy cannot be evaluated: {_named(str(result.diagnostics.errors[0]), self._ids)}")
        return Verdict(result.allowed, tuple(self._ids[each] for each in _in_order(result.diagnostics.reasons)))

    def _policies_about(self, capability: str, group: str) -> Any:
        """The policies whose head admits this action.  Cedar would find that no other one applies, only later."""
        known = self._about.get((capability, group))
        if known is None:
            names = {capability, group}
            chosen = {name: each for name, each in self._static.items() if _admits(each["action"], names)}
            text = json.dumps({"templates": {}, "staticPolicies": chosen, "templateLinks": []})
            known = self._about[capability, group] = self._compile(text)
        return known

    def _slice(self, facts: Facts) -> Any:
        """The parsed entities of a request; most requests differ from an earlier one in their context alone."""
        key = _slice_key(facts)
        known = self._known.get(key)
        if known is None:
            known = self._parse(msgspec.json.encode(_entities(facts)).decode())
            self._known[key] = known
            if len(self._known) > MAX_SLICES:
                self._known.popitem(last=False)
        return known


def check(policies: Policies) -> list[str]:
    """Everything that is wrong with a policy set; empty when it is in order."""
    import cedarpy

    for file in policies.files:
        try:
            cedarpy.PolicySet.from_str(file.text)
            notes(Policies((file,), "", ""))
        except ValueError as error:
            return [f"{file.name}: {error}"]
        except PolicyError as error:
            return [f"{file.name}: {error.what}"]
    try:
        ids = {name: note.id for name, note in notes(policies).items()}
    except PolicyError as error:
        return [error.what]
    result = cedarpy.validate_policies(policies.text(), policies.schema)
    return [] if result.validation_passed else [_named(each.error, ids) for each in result.errors]


def notes(policies: Policies) -> dict[str, PolicyNote]:
    """The annotations of every policy, by the name that Cedar gives it.

    A policy without ``@id``, or a second one with the same, is an error: the id is what decisions and the log name.
    """
    import cedarpy

    parsed = json.loads(cedarpy.policies_to_json_str(policies.text()))
    if parsed["templates"]:
        raise PolicyError("templates are not supported", hint="Write a policy for each case.")
    found: dict[str, PolicyNote] = {}
    for name in _in_order(parsed["staticPolicies"]):
        each = parsed["staticPolicies"][name]
        note = note_of(each.get("annotations", {}))
        if not note.id:
            raise PolicyError(f'a {each["effect"]} policy has no @id("...")')
        if note.id in {other.id for other in found.values()}:
            raise PolicyError(f"two policies have the id {note.id}")
        if note.asks and each["effect"] != "forbid":
            raise PolicyError(f'{note.id}: @effect("ask") belongs on a forbid')
        found[name] = note
    return found


def _admits(head: dict[str, Any], names: set[str]) -> bool:
    """Whether a policy's head can match an action of one of these names; a head that cannot be read can."""
    if head.get("op") not in ("==", "in"):
        return True
    entities = head.get("entities") or [head.get("entity")]
    return any(not isinstance(each, dict) or each.get("id") in names for each in entities)


def _named(text: str, ids: dict[str, str]) -> str:
    return _POLICY_NUMBER.sub(lambda match: f"`{ids.get(match.group(1), match.group(1))}`", text)


def _in_order(reasons: Iterable[str]) -> list[str]:
    return sorted(reasons, key=lambda name: int(name.removeprefix("policy")))


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": f"{_SPACE}::{kind}", "id": name}


def _request(facts: Facts) -> dict[str, Any]:
    return {
        "principal": _uid("Caller", facts.caller),
        "action": _uid("Action", facts.capability),
        "resource": _uid("Engagement", facts.engagement),
        "context": {
            "capability": facts.capability,
            "capability_tier": facts.capability_tier,
            "in_term": facts.in_term,
            "member": facts.member,
            "in_scope": facts.in_scope,
            "key_live": facts.key_live,
            "halted": facts.halted,
            "asks": facts.asks,
            "approved": facts.approved,
            "screened": facts.screened,
            "misuse": facts.misuse,
        },
    }


def _slice_key(facts: Facts) -> tuple[object, ...]:
    """The facts that `_entities` reads."""
    return (
        facts.organisation,
        facts.organisation_state,
        facts.engagement_organisation,
        facts.caller,
        facts.caller_kind,
        facts.caller_active,
        facts.roles,
        facts.country,
        facts.employer,
        facts.clearance,
        facts.engagement,
        facts.engagement_state,
        facts.granted,
        facts.engagement_tier,
        facts.misuse_asks_at,
        facts.misuse_denies_at,
        facts.capability,
        facts.capability_group,
    )


def _entities(facts: Facts) -> list[dict[str, Any]]:
    """The slice of the world that this request needs: caller, engagement, their organisations, the action."""
    own, other = _uid("Organisation", facts.organisation), _uid("Organisation", facts.engagement_organisation)
    caller = {
        "organisation": {"__entity": own},
        "kind": facts.caller_kind,
        "active": facts.caller_active,
        "roles": list(facts.roles),
        "country": facts.country,
        "employer": facts.employer,
        "clearance": facts.clearance,
    }
    engagement = {
        "organisation": {"__entity": other},
        "state": facts.engagement_state,
        "capabilities": list(facts.granted),
        "tier": facts.engagement_tier,
        "misuse_asks_at": facts.misuse_asks_at,
        "misuse_denies_at": facts.misuse_denies_at,
    }
    return [
        {"uid": own, "attrs": {"state": facts.organisation_state}, "parents": []},
        {"uid": _uid("Caller", facts.caller), "attrs": caller, "parents": [own]},
        {"uid": _uid("Engagement", facts.engagement), "attrs": engagement, "parents": []},
        {"uid": _uid("Action", facts.capability), "attrs": {}, "parents": [_uid("Action", facts.capability_group)]},
    ]
