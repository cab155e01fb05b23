"""What is left out of a report is counted, and only what was asked for is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.baseline import Baseline, baseline_of, with_fingerprints
from glasshouse.scan.narrow import at_least, touches
from glasshouse.scan.render.interface import Report
from glasshouse.scan.since import against
from glasshouse.words.finding import CONFIDENCES, SEVERITIES, Finding, NotAnalysed, Step
from glasshouse.words.location import Location

FINDINGS = st.builds(
    Finding,
    rule_id=st.sampled_from(["py-a", "py-b"]),
    message=st.just("m"),
    location=st.builds(Location, path=st.sampled_from(["a.py", "b.py"]), line=st.integers(1, 9)),
    severity=st.sampled_from(SEVERITIES),
    confidence=st.sampled_from(CONFIDENCES),
    cwe=st.just((78,)),
    snippet=st.sampled_from(["x", "y"]),
    suppressed=st.sampled_from([None, "reviewed"]),
    probability=st.sampled_from([None, 0.0, 0.31, 0.8]),
)
REPORTS = st.lists(FINDINGS, max_size=12).map(lambda found: Report(tuple(with_fingerprints(found))))


def place(line: int, end_line: int = 0) -> Location:
    """In a.py."""
    return Location("a.py", line, 1, end_line)


@given(REPORTS, st.sampled_from(SEVERITIES), st.sampled_from(CONFIDENCES))
def test_shown_and_left_out_findings_add_up(report: Report, severity: str, confidence: str) -> None:
    narrowed = at_least(report, severity, confidence)  # type: ignore[arg-type]
    assert len(narrowed.open) + sum(narrowed.hidden.values()) == len(report.open)
    lowest = SEVERITIES.index(severity)
    assert all(SEVERITIES.index(finding.severity) >= lowest for finding in narrowed.findings)


@given(REPORTS, st.floats(0, 1))
def test_what_is_less_probable_than_asked_for_is_left_out_and_counted(report: Report, least: float) -> None:
    narrowed = at_least(report, "low", least)
    assert len(narrowed.open) + sum(narrowed.hidden.values()) == len(report.open)
    assert all(item.probability is None or item.probability >= least for item in narrowed.findings)
    assert narrowed.below == ()


@given(REPORTS, st.sampled_from(SEVERITIES), st.floats(0, 1) | st.sampled_from(CONFIDENCES))
def test_what_is_left_out_can_be_listed(report: Report, severity: str, confidence: float | str) -> None:
    narrowed = at_least(report, severity, confidence, listed=True)  # type: ignore[arg-type]
    assert len(narrowed.below) == sum(narrowed.hidden.values())
    assert len(narrowed.open) + len(narrowed.below) == len(report.open)


@given(REPORTS)
def test_against_its_own_baseline_nothing_is_new_and_nothing_is_fixed(report: Report) -> None:
    compared = against(report, baseline_of(report.findings), "known", lambda _: True)
    assert compared.open == []
    assert compared.fixed == ()


@given(REPORTS)
def test_against_an_empty_baseline_everything_is_new(report: Report) -> None:
    compared = against(report, Baseline("x", ()), "known", lambda _: True)
    assert len(compared.open) == len(report.open)


def test_a_file_that_was_not_analysed_in_full_has_nothing_fixed() -> None:
    (known,) = with_fingerprints([Finding("py-a", "m", place(1), "low", "low", (78,), snippet="x")])
    report = Report((), (NotAnalysed("a.py", "timeout", "slow", incomplete=True),))
    assert against(report, baseline_of([known]), "known", lambda _: True).fixed == ()
    assert len(against(Report(()), baseline_of([known]), "known", lambda _: True).fixed) == 1


def test_a_rule_that_was_not_run_has_nothing_fixed() -> None:
    (known,) = with_fingerprints([Finding("py-a", "m", place(1), "low", "low", (78,), snippet="x")])
    assert against(Report(()), baseline_of([known]), "known", lambda _: True, frozenset({"py-b"})).fixed == ()


def test_a_finding_touches_a_change_by_its_place_or_by_its_path() -> None:
    finding = Finding(
        "py-a", "m", place(5, 6), "low", "low", (78,), path=(Step(place(2), "source"), Step(place(5), ""))
    )
    assert touches(finding, {"a.py": [(6, 9)]})
    assert touches(finding, {"a.py": [(1, 1), (2, 2)]})
    assert not touches(finding, {"a.py": [(3, 4), (7, 8)], "b.py": [(1, 99)]})
