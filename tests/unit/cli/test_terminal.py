"""Colour follows the conventions; a file is replaced as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshouse.cli.terminal import Color, use_color, write_file
from glasshouse.words.errors import PathError


@pytest.mark.parametrize(
    ("choice", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_follows_option_environment_and_terminal(
    choice: Color, environ: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert use_color(choice, environ, is_terminal=is_terminal) is expected


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    write_file(file, ["new ", "report"])
    assert file.read_text() == "new report"
    assert list(tmp_path.iterdir()) == [file]


def test_the_old_file_stays_when_writing_fails_half_way(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def pieces() -> Iterator[str]:
        yield "half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_file(file, pieces())
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_does_not_exist_is_a_path_error(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="cannot write"):
        write_file(tmp_path / "none" / "report.json", ["x"])
