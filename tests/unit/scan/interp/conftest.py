"""What the built-in rules report on one small file, by the lines they report."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable

import pytest

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.interp.findings import Fact, Flow
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
    found: list[Flow | Fact] = [*analysis.flows, *analysis.facts]
    return sorted({ir.unpack_span(item.span)[0] for item in found if cwe in item.rule.cwe})


@pytest.fixture
def lines() -> Lines:
    """``lines(language, code, cwe)``: the lines that are reported."""
    return reported


Reaches = Callable[[str], bool]
PRELUDE = "import os, sys\ndata = sys.argv[1]\n"


@pytest.fixture
def reaches() -> Reaches:
    """``reaches(code)``: whether Python code that has a command-line argument in ``data`` gives it to a shell."""
    return lambda code: bool(reported("python", PRELUDE + textwrap.dedent(code), 78))


Guessed = Callable[..., list[str]]


def from_parameters(code: str, cwe: int, language: str = "python") -> list[str]:
    """What library mode says about code, one text for each finding of this weakness: the source."""
    file = front_end(language).lower(textwrap.dedent(code).encode(), SUFFIXES[language], LowerLimits())
    analysis = analyse([file], {language: rules_of(language)})
    assert analysis.problems == ()
    return [flow.label.text for flow in analysis.library if cwe in flow.rule.cwe and flow.built]


@pytest.fixture
def weak() -> Guessed:
    """``weak(code, cwe, language)``: the sources of findings from parameters and from values of unknown origin."""
    return from_parameters


NODE = "const { execSync } = require('child_process');\nconst data = process.argv[2];\n"


@pytest.fixture
def runs() -> Reaches:
    """``runs(code)``: whether JavaScript code that has a command-line argument in ``data`` gives it to a shell."""
    return lambda code: bool(reported("javascript", NODE + textwrap.dedent(code), 78))


Program = Callable[[dict[str, str], int], list[str]]


def reported_in_program(files: dict[str, str], cwe: int) -> list[str]:
    """``file:line`` of the findings of one weakness in a JavaScript program of several files."""
    lowered = [
        front_end("javascript").lower(textwrap.dedent(code).encode(), path, LowerLimits())
        for path, code in files.items()
    ]
    analysis = analyse(lowered, {"javascript": rules_of("javascript")})
    assert analysis.problems == ()
    found = [flow for flow in analysis.flows if cwe in flow.rule.cwe]
    return sorted({f"{flow.fn.module.file.path}:{ir.unpack_span(flow.span)[0]}" for flow in found})


@pytest.fixture
def program() -> Program:
    """``program({path: code}, cwe)``: where a program of several files is reported."""
    return reported_in_program
