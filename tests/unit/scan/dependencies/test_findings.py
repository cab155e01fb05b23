"""Findings about dependencies: one for a flaw, severe as the advisory says, the most likely to be exploited first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from glasshouse.inventory.advisory import Advisory, Interval
from glasshouse.scan.dependencies import Known, scan_dependencies
from glasshouse.scan.dependencies.cyclonedx import cyclonedx
from glasshouse.scan.dependencies.findings import severity
from glasshouse.scan.render.interface import Context, Report, gather
from glasshouse.scan.render.text import RENDERER
from glasshouse.words.errors import NothingToAnalyseError

BEFORE_2 = (Interval("0", fixed="2.0"),)


def advisory(name: str, package: str = "x", **details: object) -> Advisory:
    """An advisory about versions of a package before 2.0."""
    return Advisory(name, "PyPI", package, "2024", intervals=BEFORE_2, **details)  # type: ignore[arg-type]


def scanned(
    place: Path, known: Sequence[Advisory], chances: Mapping[str, float] = {}, listed: frozenset[str] = frozenset()
) -> Report:
    """The report of a scan with these advisories."""

    def look_up(ecosystem: str, names: Sequence[str]) -> Iterator[Advisory]:
        return (each for each in known if each.ecosystem == ecosystem and each.package in names)

    covered = frozenset(each.ecosystem for each in known)
    return gather(scan_dependencies([place], Known(look_up, covered, lambda _: (chances, listed))))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project that uses x, y and z."""
    (tmp_path / "requirements.txt").write_text("x==1.0\ny==1.0\nz==1.0\nclean==1.0\n")
    return tmp_path


def test_databases_that_describe_one_flaw_give_one_finding(place: Path) -> None:
    known = [
        advisory("GHSA-1", aliases=("CVE-2024-1000",), score=7.5, summary="Injection."),
        advisory("PYSEC-1", aliases=("CVE-2024-1000",)),
        advisory("PYSEC-2", aliases=("CVE-2024-2000",)),
    ]
    first, second = scanned(place, known).findings
    assert first.flaw is not None
    assert second.flaw is not None
    assert {first.flaw.advisory, second.flaw.advisory} == {"GHSA-1", "PYSEC-2"}
    whole = first if first.flaw.advisory == "GHSA-1" else second
    assert whole.message == ("x 1.0 has a published flaw (GHSA-1, CVE-2024-1000): Injection; fixed in 2.0")
    assert whole.flaw is not None
    assert whole.flaw.fixed == ("2.0",)
    assert (whole.location.path, whole.location.line) == ("requirements.txt", 1)


def test_listed_flaws_come_first_then_the_most_likely_then_the_most_severe(place: Path) -> None:
    known = [
        advisory("A", "x", aliases=("CVE-2024-1000",), score=9.9),
        advisory("B", "y", aliases=("CVE-2024-1001",), score=5.0),
        advisory("C", "z", aliases=("CVE-2024-1002",), score=1.0),
        advisory("D", "z", score=2.0),
        advisory("E", "y", score=9.0),
    ]
    found = scanned(place, known, {"CVE-2024-1000": 0.01, "CVE-2024-1001": 0.4}, frozenset({"CVE-2024-1002"}))
    assert [each.flaw.advisory for each in found.findings if each.flaw] == ["C", "B", "A", "E", "D"]
    assert found.findings[0].reasons[0] == "it is listed as known to be exploited"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"score": 9.0}, "critical"),
        ({"score": 8.9}, "high"),
        ({"score": 4.0}, "medium"),
        ({"score": 3.9}, "low"),
        ({"score": 3.9, "rating": "critical"}, "low"),
        ({"rating": "moderate"}, "medium"),
        ({"rating": "important"}, "high"),
        ({"rating": "negligible"}, "low"),
        ({}, "medium"),
        ({"malicious": True}, "critical"),
    ],
)
def test_severity_is_the_score_else_the_word_else_medium(details: dict[str, object], expected: str) -> None:
    assert severity(advisory("A", **details)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "columns"),
    [("x==1.0", (4, 7)), ("x[a] === 1.0 ; python_version > '3'", (10, 13)), ("x==1.0 --hash=sha256:00", None)],
)
def test_a_pin_is_fixed_in_its_place_unless_a_hash_belongs_to_it(
    tmp_path: Path, line: str, columns: tuple[int, int] | None
) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    fix = scanned(tmp_path, [advisory("A")]).findings[0].fix
    assert (fix and (fix.location.column, fix.location.end_column, fix.replacement)) == (columns and (*columns, "2.0"))


def test_a_malicious_package_is_a_finding_of_its_own_rule_and_comes_before_guesses(place: Path) -> None:
    found = scanned(place, [advisory("A", "x", score=9.9), advisory("MAL-1", "y", malicious=True)])
    assert [each.rule_id for each in found.findings] == ["dependency-malicious", "dependency-vulnerable"]


def test_without_advisories_components_are_listed_and_nothing_is_called_clean(place: Path) -> None:
    found = scanned(place, [])
    assert [each.purl for each in found.dependencies][:2] == ["pkg:pypi/x@1.0", "pkg:pypi/y@1.0"]
    assert [item.code for item in found.incomplete] == ["not-judged"]
    assert found.summary.notes[0].startswith("0 advisories known")


def test_a_fingerprint_survives_another_version_and_another_line(place: Path) -> None:
    before = scanned(place, [advisory("A")]).findings[0].fingerprint
    (place / "requirements.txt").write_text("y==1.0\nx==1.5\n")
    assert scanned(place, [advisory("A")]).findings[0].fingerprint == before


def test_a_folder_without_inventories_is_nothing_to_analyse(tmp_path: Path) -> None:
    with pytest.raises(NothingToAnalyseError):
        scanned(tmp_path, [])


def test_the_bill_of_materials_follows_the_schema_and_is_the_same_twice(place: Path) -> None:
    (place / "package-lock.json").write_text(
        json.dumps({"packages": {"node_modules/@a/b": {"version": "1.0.0"}, "node_modules/c": {"version": "2.0.0"}}})
    )
    report = scanned(place, [])
    made = cyclonedx(report.dependencies, "1.0")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made) is None
    assert cyclonedx(report.dependencies[::-1], "1.0") == made
    assert {each["purl"] for each in json.loads(made)["components"]} >= {"pkg:npm/%40a/b@1.0.0", "pkg:pypi/x@1.0"}


def shown(place: Path, *known: Advisory) -> str:
    """The report for people of a scan of a folder."""
    return "".join(RENDERER.render(scanned(place, known), Context("1", roots=(place,))))


def test_a_finding_shows_the_line_of_the_file_and_the_change_of_it(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("X == 1.0 ; python_version > '3'  # old\n")
    text = shown(tmp_path, advisory("GHSA-1"))
    assert "1 | X == 1.0 ; python_version > '3'  # old\n" in text
    assert "suggested fix: X 1.0 -> 2.0, or later\n" in text
    assert "- X == 1.0 ; python_version > '3'  # old\n" in text
    assert "+ X == 2.0 ; python_version > '3'  # old\n" in text


def test_neither_neighbours_nor_credentials_of_a_line_are_shown(tmp_path: Path) -> None:
    secret = "--index-url https://me:hunter2@packages.example/\n"
    (tmp_path / "requirements.txt").write_text(f"{secret}x==1.0  # of https://me:hunter2@packages.example/\n{secret}")
    report = scanned(tmp_path, [advisory("GHSA-1")])
    text = "".join(RENDERER.render(report, Context("1", roots=(tmp_path,))))
    assert "2 | x==1.0  # of https://***@packages.example/\n" in text
    assert "hunter2" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("now", ["", "something else\n", "x\0==1.0\n", "{" + " " * 500 + "x==1.0\n", None])
def test_a_line_that_does_not_show_the_component_is_not_shown(place: Path, now: str | None) -> None:
    report = scanned(place, [advisory("GHSA-1")])
    file = place / "requirements.txt"
    file.unlink()
    if now is not None:
        file.write_text(now)
    text = "".join(RENDERER.render(report, Context("1", roots=(place,))))
    assert "1 | x 1.0\n" in text
    assert "suggested fix: x 1.0 -> 2.0, or later\n" in text
    assert "\n      + " not in text


@pytest.mark.parametrize("line", ["x @ {}x.tgz", "-e git+{}x.git", "-r {}more.txt", "x @ {}" + "a" * 200])
def test_what_could_not_be_judged_is_told_without_credentials(tmp_path: Path, line: str) -> None:
    address = "https://me:hunter2" + "w" * 60 + "@p@packages.example/"
    (tmp_path / "requirements.txt").write_text(f"x==1.0\n{line.format(address)}\n")
    text = shown(tmp_path, advisory("GHSA-1"))
    assert "https://***@packages.example/" in text
    assert "hunter2" not in text
