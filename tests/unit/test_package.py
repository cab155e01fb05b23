"""The package as others install it: one version, pinned names, an explained module each."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import glasshouse

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "src" / "glasshouse").rglob("*.py"))
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][0-9A-Za-z.]*")


def project() -> dict[str, object]:
    """The project table of pyproject.toml."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(table, dict)
    return table


def normal(requirement: str) -> str:
    """The normalised name at the start of a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>~!; ]", requirement, maxsplit=1)[0]).lower()


def test_constraints_hold_names_and_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_constraints_name_each_distribution_once() -> None:
    names = [normal(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    assert sorted(set(names)) == sorted(names)


def test_constraints_pin_every_direct_requirement() -> None:
    table = project()
    extras = table["optional-dependencies"]
    assert isinstance(extras, dict)
    direct = [*table["dependencies"], *(each for extra in extras.values() for each in extra)]  # type: ignore[misc]
    pinned = {normal(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {normal(each) for each in direct} - pinned == set()


def test_the_version_is_the_same_in_the_package_and_in_its_metadata() -> None:
    assert project()["version"] == glasshouse.__version__


def test_the_changelog_tells_of_the_current_version() -> None:
    assert f"## {glasshouse.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_extra_is_empty() -> None:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    assert [name for name, needs in extras.items() if not needs] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_says_what_it_is_for(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text()))
