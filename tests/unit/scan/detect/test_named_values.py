"""Detectors that judge constants by their names; the engine hands them lowered files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.detect.mentions import mentions_of
from glasshouse.scan.detect.registry import detector
from glasshouse.scan.ir import File, unpack_span
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end
from glasshouse.scan.rules.loader import load_rules

RULES = {rule.detector: rule for rule in load_rules(["python"]).rules.values() if rule.detector}


def lowered(source: str) -> File:
    return front_end("python").lower(source.encode(), "a.py", LowerLimits())


def lines(name: str, source: str, options: Mapping[str, Any] | None = None) -> list[int]:
    """Lines that the detector reports with the options of the built-in rule."""
    hits = detector(name)(lowered(source), RULES[name].options if options is None else options)
    return sorted(unpack_span(hit.span)[0] for hit in hits)


@pytest.mark.parametrize(
    "source",
    [
        'password = "Xk29!vrT0-pq"',
        'self.password = "Xk29!vrT0-pq"',
        'config["api_key"] = "f3a9c0d1e2b4a5968778"',
        'config = {"api_key": "f3a9c0d1e2b4a5968778"}',
        'connect(password="Xk29!vrT0-pq")',
        'def connect(password="Xk29!vrT0-pq"): pass',
        'class Settings:\n    SECRET_KEY = "f3a9c0d1e2b4a5968778"',
    ],
)
def test_a_credential_is_found_wherever_it_is_given_a_name(source: str) -> None:
    assert lines("hardcoded-credential", source)


def test_the_credential_itself_does_not_leave_the_detector() -> None:
    hits = list(detector("hardcoded-credential")(lowered('password = "Xk29!vrT0-pq-1234567"'), {}))
    assert "vrT0" not in repr(hits)


def test_a_credential_may_be_an_argument_that_is_known_to_be_one() -> None:
    source = 'import smtplib\nserver = smtplib.SMTP("mail")\nserver.login("me", "Xk29!vrT0-pq")\n'
    assert lines("hardcoded-credential", source) == [3]


def test_random_numbers_matter_only_where_they_become_a_secret() -> None:
    assert lines("weak-random", "import random\ntoken = random.random()\n") == [2]
    assert lines("weak-random", "import random\ncolour = random.random()\n") == []
    assert lines("weak-random", "import secrets\ntoken = secrets.token_hex()\n") == []


def test_a_slow_pattern_matters_only_where_it_is_used_as_one() -> None:
    assert lines("redos", 'import re\nre.compile(r"^(\\w+\\s?)*$")\n') == [2]
    assert lines("redos", 'import re\nPATTERN = r"^(\\w+\\s?)*$"\nre.match(PATTERN, "x")\n') == [3]
    assert lines("redos", 'import re\ntext = r"^(\\w+\\s?)*$"\n') == []


def test_what_is_mentioned_is_found_in_every_nested_block() -> None:
    source = (
        "def f():\n  for x in y:\n    try:\n      if x: g.first(k=1)\n    except E as e:\n      while x: second()\n"
    )
    assert {"first", "second"} <= mentions_of(lowered(source)).called
    assert mentions_of(lowered(source)).catches


@given(st.text(alphabet="ab=(){}[]:'\"\n \\*+,.#@%", max_size=80), st.sampled_from(sorted(RULES)))
def test_no_source_makes_a_detector_fail(source: str, name: str) -> None:
    assert lines(name, source) is not None
