"""Baselines and fingerprints."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.baseline import (
    baseline_of,
    compare,
    finding_fingerprint,
    parse_baseline,
    read_baseline,
    with_fingerprints,
    write_baseline,
)
from glasshouse.words.errors import BaselineError
from glasshouse.words.finding import Finding
from glasshouse.words.location import Location


def finding(
    line: int, text: str = "run(x)", rule: str = "cmd", path: str = "a.py", suppressed: str | None = None
) -> Finding:
    where = Location(path, line)
    return Finding(rule, "m", where, "high", "high", (78,), function="f", snippet=text, suppressed=suppressed)


_LINES = st.lists(st.sampled_from(["run(x)", "run(y)", "  run(x)"]), min_size=1, max_size=8)


@given(_LINES, st.integers(1, 50))
def test_lines_inserted_above_do_not_change_a_fingerprint(lines: list[str], inserted: int) -> None:
    before = with_fingerprints([finding(number, text) for number, text in enumerate(lines, 1)])
    after = with_fingerprints([finding(number + inserted, text) for number, text in enumerate(lines, 1)])
    assert [each.fingerprint for each in before] == [each.fingerprint for each in after]


@given(_LINES, st.randoms(use_true_random=False))
def test_fingerprints_differ_and_do_not_depend_on_the_order_of_findings(lines: list[str], random: object) -> None:
    findings = [finding(number, text) for number, text in enumerate(lines, 1)]
    shuffled = list(findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    by_place = {each.location: each.fingerprint for each in with_fingerprints(findings)}
    assert {each.location: each.fingerprint for each in with_fingerprints(shuffled)} == by_place
    assert len(set(by_place.values())) == len(lines)


def test_white_space_does_not_count_but_every_field_does() -> None:
    one = finding_fingerprint("r", "p", "f", "run( x )", 0)
    assert one == finding_fingerprint("r", "p", "f", "\trun(  x ) ", 0)
    others = [("s", "p", "f", 0), ("r", "q", "f", 0), ("r", "p", "g", 0), ("r", "p", "f", 1), ("rp", "", "f", 0)]
    assert one not in {finding_fingerprint(a, b, c, "run( x )", n) for a, b, c, n in others}
    assert len(one) == 32
    assert int(one, 16) >= 0


def test_a_baseline_accepts_what_it_was_written_from(tmp_path: Path) -> None:
    findings = with_fingerprints([finding(3), finding(1), finding(2, rule="sql")])
    (tmp_path / "base.json").write_bytes(write_baseline(findings))
    marked, fixed = compare(findings, read_baseline(tmp_path / "base.json"))
    assert {each.status for each in marked} == {"unchanged"}
    assert fixed == []


@given(_LINES, st.data())
def test_new_unchanged_and_fixed_add_up(lines: list[str], data: st.DataObject) -> None:
    old = [finding(number, text) for number, text in enumerate(lines, 1)]
    now = data.draw(st.lists(st.sampled_from(old), max_size=10))
    marked, fixed = compare(with_fingerprints(now), baseline_of(with_fingerprints(old)))
    unchanged = sum(each.status == "unchanged" for each in marked)
    assert unchanged + sum(each.status == "new" for each in marked) == len(now)
    assert unchanged + len(fixed) == len(old)


def test_a_second_finding_with_a_known_fingerprint_is_new() -> None:
    known = with_fingerprints([finding(1)])
    marked, _ = compare([*known, *known], baseline_of(known))
    assert [each.status for each in marked] == ["unchanged", "new"]


def test_what_was_not_looked_at_is_not_fixed() -> None:
    known = with_fingerprints([finding(1), finding(1, path="b.py")])
    _, fixed = compare([], baseline_of(known), covered=lambda path: path == "b.py")
    assert [entry.path for entry in fixed] == ["b.py"]


def test_suppressed_findings_need_no_baseline() -> None:
    assert baseline_of(with_fingerprints([finding(1, suppressed="ok")])).findings == ()


def test_the_file_is_the_same_whatever_the_order_and_holds_no_source() -> None:
    findings = with_fingerprints([finding(1, "secret_name(x)"), finding(2)])
    data = write_baseline(findings)
    assert data == write_baseline(findings[::-1])
    assert b"secret_name" not in data
    assert data.endswith(b"}\n")


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"schema": "other/1", "findings": []}', b'{"schema": 1}', b"\xff\xfe", b"[" * 100_000],
)
def test_other_files_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(BaselineError):
        parse_baseline(data)


def test_a_missing_baseline_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot read"):
        read_baseline(tmp_path / "none.json")
