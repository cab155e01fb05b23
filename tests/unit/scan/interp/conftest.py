"""What the built-in rules report on one small file, by the lines they report."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import RuleSet, load_rules

SUFFIXES = {"python": "code.py", "javascript": "code.js", "java": "Code.java"}
Lines = Callable[[str, str, int], list[int]]


@functools.cache
def rules_of(language: str) -> RuleSet:
    return load_rules([language])


def reported(language: str, code: str, cwe: int) -> list[int]:
    """Lines of ``code`` with a flow or pattern finding of this weakness, from real sources only."""
    file = front_end(language).lower(code.encode(), SUFFIXES[language], LowerLimits())
    analysis = analyse([file], {language: rules_of(language)})
    assert analysis.problems == ()
    found = [*analysis.flows, *analysis.facts]
    return sorted({ir.unpack_span(item.span)[0] for item in found if cwe in item.rule.cwe})


@pytest.fixture
def lines() -> Lines:
    """``lines(language, code, cwe)``: the lines that are reported."""
    return reported
