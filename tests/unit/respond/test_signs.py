"""Signs speak for techniques: each can be seen, none is an alarm, and only what is near an incident counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.respond.examples import START, detection, rule
from tests.unit.respond.support import detection_rule, run_of, sysmon

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.run import Engine
from glasshouse.respond.engine.sightings import Sightings
from glasshouse.respond.group.attack import attack
from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.group.near import NEAR_S, Nearby
from glasshouse.respond.run import Settings
from glasshouse.respond.sigma.ir import CompiledRule, RuleSet
from glasshouse.respond.sigma.join import joined
from glasshouse.respond.sigma.signs import Sign, compiled, read_signs, sign_rules
from glasshouse.words.errors import SigmaRuleError
from glasshouse.words.incident import RuleRef, Sighting

SIGNS = list(read_signs())
RULES = compiled(iter(SIGNS))
BY_NAME = {each.name: each for each in RULES.rules}
AUDIT_OFF = {"Image": "C:\\Windows\\System32\\auditpol.exe", "CommandLine": "auditpol /clear /y"}


def test_every_sign_names_techniques_of_the_extract_and_has_a_name_of_its_own() -> None:
    known = attack().techniques
    assert [each.sign for each in SIGNS if set(each.techniques) - set(known)] == []
    assert len({each.sign for each in SIGNS}) == len(SIGNS)
    assert len({technique.partition(".")[0] for each in SIGNS for technique in each.techniques}) > 100


_PLACE = {"startswith": 0, "": 1, "exists": 1, "contains": 1, "endswith": 2}


def _event(sign: Sign) -> dict[str, Any]:
    """An event made of the words of the sign's first selection."""
    parts: dict[str, list[str]] = {}
    for name, value in sign.match[0].items():
        field, *modifiers = name.split("|")
        values = [str(each) for each in (value if isinstance(value, tuple) else (value,))]
        words = " ".join(values) if "all" in modifiers else values[0]
        place = parts.setdefault(field or "any", ["", "", ""])
        at = _PLACE[modifiers[0] if modifiers else ""]
        place[at] = f"{place[at]} {words}" if place[at] else words
    return {field: "".join(place) for field, place in parts.items()}


def _tag(rule: CompiledRule, event: dict[str, Any]) -> SourceTag:
    route = rule.routes[0]
    number = str(event.get("EventID", route.event_ids[0] if route.event_ids else ""))
    categories = (route.category,) if route.category else ()
    return SourceTag(route.product, route.service, categories, route.channels[0] if route.channels else "", number)


def test_every_sign_sees_an_event_made_of_its_own_words() -> None:
    events = [_event(each) for each in SIGNS]
    tags = {id(event): _tag(BY_NAME[sign.sign], event) for sign, event in zip(SIGNS, events, strict=True)}
    engine = Engine(RULES, lambda event: tags[id(event)])
    found = [*engine.feed("x", 0, events, 0, None), *engine.flush()]
    seen = {(match.record, RULES.rules[match.rule].name) for match in found}
    assert [each.sign for number, each in enumerate(SIGNS) if (number, each.sign) not in seen] == []


def test_a_sign_is_kept_by_minute_and_makes_no_detection() -> None:
    events = [sysmon(UtcTime=f"2026-11-27 10:00:{second:02}.000", **AUDIT_OFF) for second in (1, 2, 59)]
    run = run_of(RULES, events, Settings(min_level="informational"))
    assert (run.detections, run.rules) == ((), 0)
    seen = {each.sign.title: (each.host, each.count) for each in run.sightings}
    assert seen["A command turns event logging off or elsewhere."] == ("ws1", 3)


def test_signs_near_a_detection_name_its_technique_with_their_reason() -> None:
    alarm = detection_rule("sel:\n  Image|endswith: auditpol.exe\ncondition: sel")
    run = run_of(joined([alarm, RULES]), [sysmon(UtcTime="2026-11-27 10:00:01.000", **AUDIT_OFF)])
    (incident,) = incidents_of(run.detections, run.sightings).incidents
    named = {each.id: each for each in incident.techniques}
    assert named["T1562.002"].signs == ("A command turns event logging off or elsewhere.",)
    assert named["T1562.002"].rules == ()


def test_signs_make_no_incident_and_no_incident_graver() -> None:
    seen = [Sighting(_sign(name), "ws1", START) for name in BY_NAME]
    assert incidents_of([], seen).incidents == ()
    found = [detection(by=rule("l", "low"))]
    (plain,), (signed,) = incidents_of(found).incidents, incidents_of(found, seen).incidents
    assert (plain.severity, plain.score, plain.id) == (signed.severity, signed.score, signed.id)


@given(st.lists(st.tuples(st.floats(0, 5_000), st.sampled_from(["ws1", "ws2"])), max_size=20), st.data())
def test_only_signs_on_a_host_of_the_incident_and_within_minutes_are_near(
    places: list[tuple[float, str]], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(places), max_size=5)) if places else []
    group = [detection(offset, host=host) for offset, host in chosen]
    ref = _sign("audit-policy-changed")
    seen = [Sighting(ref, host, START + offset) for offset, host in places]
    near = [s for s in seen if any(d.host == s.host and abs((d.time or 0) - s.time) <= NEAR_S for d in group)]
    assert Nearby(seen).to(group)[ref] == len(near)


def _sign(name: str) -> RuleRef:
    return BY_NAME[name].ref


GOOD = "sign: x, techniques: [T1003], weight: weak, because: b, source: windows/file_event, match: [{a: b}]"


@pytest.mark.parametrize(
    "text",
    [
        "- {sign: x}",
        "- {" + GOOD.replace("sign: x", "sign: X!") + "}",
        "- {" + GOOD.replace("[T1003]", "[]") + "}",
        "- {" + GOOD.replace("[{a: b}]", "[]") + "}",
        "- {" + GOOD.replace("{a: b}", "{'a|re': b}") + "}",
        "- {" + GOOD.replace("windows/file_event", "'windows:nowhere'") + "}",
        "- {" + GOOD + ", or: 1}",
        "[",
    ],
)
def test_a_sign_that_says_too_little_or_too_much_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yml").write_text(text)
    with pytest.raises(SigmaRuleError):
        sign_rules(None, tmp_path)


def test_the_cache_gives_the_same_signs(tmp_path: Path) -> None:
    first: RuleSet = sign_rules(tmp_path)
    assert sign_rules(tmp_path) == first == RULES


def test_what_is_seen_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glasshouse.respond.engine.sightings.MAX_SEEN", 2)
    seen = Sightings(RULES)
    engine = Engine(RULES, lambda _: SourceTag("windows", "", (), "security", "1102"))
    events = [{"EventID": 1102, "Computer": f"ws{n}", "SystemTime": "2026-11-27T10:00:00Z"} for n in range(9)]
    for match in [*engine.feed("x", 0, events, 0, None), *engine.flush()]:
        assert seen.take(match)
    assert len(seen.seen()) == 2
