"""The exit code says what the caller must do, in one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.cli.scan import exit_code, rule_selection
from glasshouse.cli.settings.options import Value
from glasshouse.cli.settings.resolve import resolve
from glasshouse.scan.render.interface import Report
from glasshouse.words.finding import Finding, NotAnalysed
from glasshouse.words.location import Location

GAP = NotAnalysed("a.py", "timeout", "too slow", incomplete=True)
SKIPPED = NotAnalysed("a.min.js", "minified", "minified", incomplete=False)
FOUND = Finding("py-x", "m", Location("a.py", 1), "medium", "high", (78,))
SUPPRESSED = Finding("py-x", "m", Location("a.py", 1), "critical", "high", (78,), suppressed="reviewed")
KNOWN = Finding("py-x", "m", Location("a.py", 1), "critical", "high", (78,), status="unchanged")


@pytest.mark.parametrize(
    ("findings", "gaps", "given", "code"),
    [
        ((), (), {}, 0),
        ((FOUND,), (), {}, 1),
        ((FOUND,), (), {"fail_on": "medium"}, 1),
        ((FOUND,), (), {"fail_on": "high"}, 0),
        ((FOUND,), (), {"fail_on": "never"}, 0),
        ((SUPPRESSED, KNOWN), (), {}, 0),
        ((), (SKIPPED,), {}, 0),
        ((), (GAP,), {}, 5),
        ((FOUND,), (GAP,), {}, 5),
        ((FOUND,), (GAP,), {"fail_on": "never"}, 5),
        ((FOUND,), (GAP,), {"allow_incomplete": True}, 1),
        ((), (GAP,), {"allow_incomplete": True}, 0),
        ((FOUND,), (), {"format": "sarif"}, 0),
        ((FOUND,), (), {"format": "sarif", "output": "-"}, 0),
        ((FOUND,), (), {"format": "sarif", "output": "x.sarif"}, 1),
        ((FOUND,), (), {"format": "sarif", "fail_on": "low"}, 1),
        ((FOUND,), (GAP,), {"format": "sarif"}, 5),
    ],
)
def test_the_exit_code_follows_from_findings_gaps_and_options(
    findings: tuple[Finding, ...], gaps: tuple[NotAnalysed, ...], given: dict[str, Value], code: int, tmp_path: Path
) -> None:
    settings = resolve(given, {}, tmp_path)
    report = Report(findings, gaps)
    assert exit_code(report, settings.typed(), fail_on_given=settings.given("fail_on")) == code


def test_a_leading_minus_removes_a_rule() -> None:
    assert rule_selection(("py-*", "-py-xss")) == ("py-*", "!py-xss")
