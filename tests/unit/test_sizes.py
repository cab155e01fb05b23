"""One screen, one subject: functions of at most 70 lines of body, modules of at most 600 lines, no drawers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for folder in ("src", "bench", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
MAX_BODY_LINES = 70
MAX_MODULE_LINES = 600
DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function of a module, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the end."""
    documented = ast.get_docstring(function, clean=False) is not None and len(function.body) > 1
    first = function.body[1 if documented else 0]
    return (function.end_lineno or first.lineno) - first.lineno + 1


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_function_fits_a_screen_and_a_module_has_one_subject(module: Path) -> None:
    text = module.read_text()
    long = [each.name for each in functions(ast.parse(text)) if body_lines(each) > MAX_BODY_LINES]
    assert long == []
    assert len(text.splitlines()) <= MAX_MODULE_LINES


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    named = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert named & DRAWERS == set()
