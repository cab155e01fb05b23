"""Findings alike in severity and confidence are shown in the order in which their class is exploited."""

from __future__ import annotations

from glasshouse.scan.render.interface import most_severe_first
from glasshouse.words.finding import Finding, Severity
from glasshouse.words.location import Location


def finding(name: str, severity: Severity, cwe: int) -> Finding:
    """A finding in a file of its own name."""
    return Finding(name, "message", Location(name, 1), severity, "high", (cwe,))


def test_the_class_that_attackers_use_comes_first_within_a_severity_and_never_across() -> None:
    found = [finding("a", "medium", 78), finding("b", "high", 79), finding("c", "high", 78), finding("d", "high", 79)]
    assert [each.rule_id for each in most_severe_first(found)] == ["c", "b", "d", "a"]
