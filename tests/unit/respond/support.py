"""Small rule sets and events for the tests of the response room."""

from __future__ import annotations

from typing import Any

from glasshouse.respond.engine.run import Engine
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.run import Run, Settings, detect
from glasshouse.respond.sigma.compile import RuleFile, compile_rules
from glasshouse.respond.sigma.ir import RuleSet

Event = dict[str, Any]
SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = """
title: Tested
id: 00000000-0000-4000-8000-000000000001
author: A. Tester
logsource: {{product: windows, category: process_creation}}
level: high
detection:
{detection}
"""


def sysmon(**fields: Any) -> Event:
    """A process event of Sysmon."""
    return {"Channel": SYSMON, "EventID": 1, "Computer": "ws1.corp.example", **fields}


def rules_of(*texts: str) -> RuleSet:
    """A compiled rule set; a rule that cannot be compiled fails the test."""
    made = compile_rules(RuleFile(f"rule{number}.yml", text) for number, text in enumerate(texts))
    assert made.problems == ()
    return made


def detection_rule(detection: str) -> RuleSet:
    """One rule for process creation with this detection part."""
    indented = "\n".join("  " + line for line in detection.strip("\n").splitlines())
    return rules_of(RULE.format(detection=indented))


def matched(rules: RuleSet, events: list[Event]) -> list[int]:
    """The positions of the events that some rule matches."""
    engine = Engine(rules, Classifier().tag)
    found = [*engine.feed("test", 0, events, 0, None), *engine.flush()]
    return sorted({match.record for match in found})


def run_of(rules: RuleSet, events: list[Event], settings: Settings | None = None) -> Run:
    """The whole run over some events."""
    return detect([Chunk("test", 0, events, 0)], rules, settings)
