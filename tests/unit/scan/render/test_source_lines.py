"""Source is shown from disk only where it agrees with what the engine saw, and never where a secret may stand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from glasshouse.scan.render.excerpt import excerpts
from glasshouse.scan.render.source import MAX_FILE_BYTES, SourceLines, agrees
from glasshouse.words.finding import Finding, Step
from glasshouse.words.location import Location

LINES = ["import os", "", "def run(text):", "    os.system(text)", "", "run(1)"]


def finding(snippet: str, line: int = 4, cwe: int = 78) -> Finding:
    """One in a.py."""
    return Finding("py-x", "m", Location("a.py", line, 5), "high", "high", (cwe,), snippet=snippet)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with a.py."""
    (tmp_path / "a.py").write_text("\n".join(LINES))
    return tmp_path


def shown(found: Finding, root: Path) -> list[str]:
    """The lines around a finding."""
    return [line.text for line in SourceLines([found], [root]).around(found.location, 1, 1)]


def test_lines_around_the_place_are_shown(root: Path) -> None:
    assert shown(finding("os.system(text)"), root) == LINES[2:5]


def test_a_file_that_changed_since_the_scan_is_not_shown(root: Path) -> None:
    assert shown(finding("os.system(other)"), root) == ["os.system(other)"]


def test_a_file_with_a_finding_about_a_secret_is_not_shown(root: Path) -> None:
    assert shown(finding("os.system(text)", cwe=798), root) == ["    os.system(text)"]


def test_a_redacted_line_of_a_closed_file_is_never_read_from_it(root: Path) -> None:
    assert shown(finding("os.system(***)", cwe=798), root) == ["os.system(***)"]


def test_each_finding_keeps_what_it_says_of_a_line_that_two_speak_of(root: Path) -> None:
    true, other = finding("os.system(text)"), finding("the option is not set")
    for order in ([true, other], [other, true]):
        source = SourceLines(order, [root])
        assert [line.text for line in source.around(true.location, 0, 0, true.snippet)] == ["    os.system(text)"]
        assert [line.text for line in source.around(other.location, 0, 0, other.snippet)] == ["the option is not set"]


def test_a_file_that_is_gone_is_shown_by_its_snippet(tmp_path: Path) -> None:
    assert shown(finding("os.system(text)"), tmp_path) == ["os.system(text)"]


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    assert shown(finding("os.system(text)"), tmp_path) == ["os.system(text)"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.py").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert shown(finding("os.system(text)"), tmp_path) == ["os.system(text)"]


def test_a_line_cut_off_by_the_engine_agrees_with_the_whole_line() -> None:
    long = "x = " + "a" * 500
    assert agrees([long], {1: long[:200]})
    assert agrees([long], {1: long[:200] + "..."})


def test_a_redacted_line_does_not_agree() -> None:
    assert not agrees(["key = 'abcdefgh'"], {1: "key = 'abc...'"})
    assert not agrees(["key = abcdefgh"], {1: "key = abc..."})


def test_steps_in_one_file_share_an_excerpt_and_keep_their_numbers(root: Path) -> None:
    first = Step(Location("a.py", 3, 9, 3, 13), "parameter", "def run(text):")
    last = Step(Location("a.py", 4, 5, 4, 20), "sink", "os.system(text)")
    (part,) = excerpts([(1, first), (2, last)], SourceLines([finding("os.system(text)")], [root]))
    marked = {line.number: (line.steps, line.pieces[1], line.role) for line in part.lines if line.steps}
    assert marked == {3: ((1,), "text", "source"), 4: ((2,), "os.system(text)", "sink")}
