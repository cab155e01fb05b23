"""Simulated normal traffic of a gateway, and how far the rules' thresholds are above it.

python bench/gateway_traffic.py [--days 7] [--seed 1]

240 keys: 200 people in three time zones (an office with one address for 40 of them, a home, a phone), 40 agents that
call quickly from four build machines.  Sessions, turns, pauses, tokens, scores and denials are drawn from the
distributions written below; they are assumptions, stated so that an operator can replace them by measurements.  For
each rule the script prints the largest value in any window of normal traffic beside its threshold, and runs the rules.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from glasshouse.respond.engine.correlate import Correlator
from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.run import Engine
from glasshouse.respond.engine.windows import Occurrence, windows
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.sigma.ir import Correlation, RuleSet
from glasshouse.respond.sigma.load import STARTER, read_folder, rule_set

Event = dict[str, Any]
TAG = SourceTag("glasshouse", "gateway", ("ocsf",))
START_S = 1_750_032_000  # a Monday, 00:00 UTC
PEOPLE, AGENTS, OFFICES, PER_OFFICE = 200, 40, 5, 40
DENIED_SHARE = 0.005


def call(time: float, user: str, address: str, session: str, score: int) -> Event:
    """The request entry of a model call, as the door writes it."""
    return {
        "class_uid": 6003,
        "time": round(time * 1000),
        "action_id": 1,
        "api": {"operation": "model.call"},
        "actor": {"user": {"uid": user, "credential_uid": f"key-{user}"}},
        "src_endpoint": {"ip": address},
        "unmapped": {"misuse": score, "session": session},
        "policy": {"uid": "grant.operator"},
        "entry": {"kind": "act.request", "gap": False},
    }


def outcome(request: Event, tokens: int) -> Event:
    """Its outcome entry."""
    return {
        **request,
        "time": request["time"] + 3_000,
        "unmapped": {"outcome": "done", "counts": {"output_tokens": tokens}},
        "entry": {"kind": "act.outcome", "gap": False},
    }


def denial(request: Event, policy: str = "core.above-tier", target: str = "model-x") -> Event:
    """The same call denied."""
    return {
        **request,
        "action_id": 2,
        "policy": {"uid": policy},
        "resources": [{"name": target}],
        "entry": {"kind": "act.denied", "gap": False},
    }


def vote(time: float, approver: str) -> Event:
    """An approval."""
    return {
        "class_uid": 6003,
        "time": round(time * 1000),
        "action_id": 1,
        "api": {"operation": "approval.decide"},
        "actor": {"user": {"uid": approver}},
        "unmapped": {"vote": {"verdict": "approve"}},
        "entry": {"kind": "approval.vote", "gap": False},
    }


def traffic(days: int, seed: int) -> list[Event]:
    """Normal traffic in order of time."""
    generator = random.Random(seed)
    events: list[Event] = []
    for day in range(days):
        for number in range(PEOPLE):
            events += _person(generator, number, START_S + day * 86_400)
        for number in range(AGENTS):
            events += _agent(generator, number, START_S + day * 86_400)
        for number in range(5):
            for _ in range(generator.randrange(3)):
                at = START_S + day * 86_400 + generator.uniform(7, 17) * 3600
                pause, count = generator.uniform(20, 90), generator.randint(1, 4)
                events += [vote(at + n * pause, f"approver{number}") for n in range(count)]
    return sorted(events, key=lambda event: event["time"])


def _person(generator: random.Random, number: int, midnight: float) -> Iterator[Event]:
    zone = (-5, 0, 1)[number % 3]
    office, home = f"198.51.100.{number // PER_OFFICE}", f"203.0.113.{number}"
    phone = f"192.0.2.{generator.randrange(250)}"
    for session in range(generator.randrange(9)):
        time = midnight + (generator.triangular(7, 20, 10) - zone) * 3600
        address = generator.choices((office, home, phone), (6, 3, 1))[0]
        for _ in range(generator.randint(3, 30)):
            time += generator.lognormvariate(3.7, 0.8)
            score = min(int(100 * generator.betavariate(1, 14)), 99)
            request = call(time, f"person{number}", address, f"s{midnight}-{number}-{session}", score)
            if generator.random() < DENIED_SHARE:
                yield denial(request)
            else:
                yield request
                yield outcome(request, int(generator.lognormvariate(6.4, 1.0)))


def _agent(generator: random.Random, number: int, midnight: float) -> Iterator[Event]:
    address = f"198.51.100.{200 + number % 4}"
    for session in range(generator.randrange(6)):
        time = midnight + generator.uniform(0, 24) * 3600
        for _ in range(generator.randint(20, 200)):
            time += generator.lognormvariate(1.4, 0.5)
            score = min(int(100 * generator.betavariate(1, 20)), 99)
            request = call(time, f"agent{number}", address, f"a{midnight}-{number}-{session}", score)
            yield request
            yield outcome(request, int(generator.lognormvariate(6.0, 0.8)))


def largest(rule: Correlation, groups: list[list[Occurrence]]) -> float:
    """The largest result in any window of normal traffic, found by trying thresholds."""

    def fires(threshold: float) -> bool:
        tried = msgspec.structs.replace(rule, threshold=threshold)
        return any(next(iter(windows(tried, found)), None) is not None for found in groups)

    low, high = 0.0, 1.0
    while fires(high) and high < 1e9:
        low, high = high, high * 2
    while high - low > max(1.0, low * 0.02):
        middle = (low + high) / 2
        low, high = (middle, high) if fires(middle) else (low, middle)
    return low


def gathered(events: list[Event], rules: RuleSet) -> Correlator:
    """The matches of the rules that correlations use."""
    engine, correlator = Engine(rules, Classifier().tag), Correlator(rules)
    for match in (*engine.feed("simulated", 0, events, 0, TAG), *engine.flush()):
        if correlator.wants(match.rule):
            correlator.add(match)
    return correlator


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    events = traffic(options.days, options.seed)
    rules = rule_set(read_folder(STARTER), None)
    correlator = gathered(events, rules)
    found = [*correlator.detections()]
    told = f"{len(events):,} events of {PEOPLE + AGENTS} keys in {options.days} days"
    print(f"{told}: {len(found)} false detections\n")
    print("| rule | largest in normal traffic | threshold |\n| --- | --- | --- |")
    for number, each in enumerate(rules.correlations):
        groups = [sorted(group) for group in correlator.occurrences(number)]
        if groups and each.operator == "GTE" and each.kind != "temporal_ordered":
            print(f"| {each.ref.title} | {largest(each, groups):,.0f} | {each.threshold:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
