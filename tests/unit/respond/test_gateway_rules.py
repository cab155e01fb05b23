"""The rules that watch Glasshouse itself: each fires on what it describes, ordinary work raises none."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest

from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.run import detect
from glasshouse.respond.sigma.ir import RuleSet
from glasshouse.respond.sigma.load import STARTER, read_folder, rule_set

Event = dict[str, Any]
TAG = SourceTag("glasshouse", "gateway", ("ocsf",))
NOON_MS = 1_750_075_200_000
MINUTE_MS = 60_000


@lru_cache(maxsize=1)
def starter() -> RuleSet:
    return rule_set(read_folder(STARTER), None)


def titles(events: list[Event]) -> set[str]:
    return {each.rule.title for each in detect([Chunk("log", 0, events, 0, TAG)], starter()).detections}


def call(at: int, *, user: str = "eve", ip: str = "192.0.2.1", session: str = "s", misuse: int = 3) -> Event:
    return {
        "class_uid": 6003,
        "time": NOON_MS + at,
        "action_id": 1,
        "api": {"operation": "model.call"},
        "actor": {"user": {"uid": user, "credential_uid": f"key-{user}"}},
        "src_endpoint": {"ip": ip},
        "policy": {"uid": "grant.operator"},
        "unmapped": {"misuse": misuse, "session": session},
        "entry": {"kind": "act.request", "gap": False},
    }


def denied(at: int, policy: str = "core.above-tier", target: str = "t") -> Event:
    event = call(at)
    more = {"action_id": 2, "policy": {"uid": policy}, "resources": [{"name": target}]}
    return {**event, **more, "entry": {"kind": "act.denied", "gap": False}}


def tokens(at: int, count: int) -> Event:
    event = call(at)
    return {**event, "unmapped": {"counts": {"output_tokens": count}}, "entry": {"kind": "act.outcome", "gap": False}}


def vote(at: int) -> Event:
    return {**call(at), "api": {"operation": "approval.decide"}, "unmapped": {"vote": {"verdict": "approve"}}}


def change(at: int) -> Event:
    return {**call(at), "api": {"operation": "access.change"}, "entry": {"kind": "access.change", "gap": False}}


MISUSES: dict[str, list[Event]] = {
    "One key from many addresses": [call(n, ip=f"192.0.2.{n}") for n in range(5)],
    "Many keys from one address": [call(n, user=f"u{n}") for n in range(60)],
    "Denials pile up for one caller": [denied(n) for n in range(8)],
    "Many targets out of scope tried": [denied(n, "core.out-of-scope", f"host{n}") for n in range(5)],
    "Denied as misuse, then let through in the same conversation": [denied(0, "core.misuse"), call(9, misuse=45)],
    "Raised screening scores throughout a conversation": [call(n * MINUTE_MS, misuse=50) for n in range(6)],
    "Bulk extraction of answers by one caller": [tokens(n * MINUTE_MS, 300_000) for n in range(5)],
    "Calls at machine speed in one conversation": [call(n * 500) for n in range(60)],
    "Approvals given in a burst": [vote(n * 10_000) for n in range(8)],
    "Many keys refused": [{**denied(n), "entry": {"kind": "access.refused", "gap": False}} for n in range(30)],
    "Register, halt or log changed at night": [change(14 * 60 * MINUTE_MS)],
    "Counter of a key with a gap": [{**call(0), "entry": {"kind": "act.request", "gap": True}}],
}


@pytest.mark.parametrize("title", MISUSES)
def test_each_rule_fires_on_what_it_describes(title: str) -> None:
    assert title in titles(MISUSES[title])


def test_ordinary_work_raises_nothing() -> None:
    day = [call(n * 40_000, user=f"u{n % 7}", ip=f"192.0.2.{n % 7}", session=f"s{n // 20}") for n in range(300)]
    assert titles([*day, denied(5), tokens(7, 4_000), vote(9), change(0)]) == set()


def test_the_starter_rules_all_compile_and_say_who_wrote_them() -> None:
    rules = starter()
    assert rules.problems == ()
    refs = [each.ref for each in rules.rules] + [each.ref for each in rules.correlations]
    assert {ref.author for ref in refs} == {"The Glasshouse authors"}
    assert len({ref.id for ref in refs}) == len(refs)
