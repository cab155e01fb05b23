"""The analysis of any valid program is bounded, and what was left out is said."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
from tests.unit.scan.pathological_programs import FLASK, PROGRAMS, each

from glasshouse.scan import ir
from glasshouse.scan.analysis import analyse
from glasshouse.scan.interp.operators import fold
from glasshouse.scan.interp.values import NOT_CONST
from glasshouse.scan.lowered import problems_of, rules_for
from glasshouse.scan.run import scan_tree
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.finding import Finding, NotAnalysed, Result, ScanSummary

SECONDS = 20.0  # of processor time, on a machine that others use; nearly all take less than 2 on their own
BYTES = 400 << 20


def scanned(folder: Path, files: dict[str, str]) -> list[Result]:
    for name, text in files.items():
        folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(name).write_text(text)
    return list(scan_tree([folder], ScanSettings(jobs=1)))


def summary(results: list[Result]) -> ScanSummary:
    last = results[-1]
    assert isinstance(last, ScanSummary)
    return last


def failures(results: list[Result]) -> list[NotAnalysed]:
    return [item for item in results if isinstance(item, NotAnalysed) and item.code not in ("limit", "minified")]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_pathological_program_is_analysed_in_bounded_time_and_memory(name: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    results = scanned(tmp_path, {name: PROGRAMS[name]})
    assert time.process_time() - start < SECONDS
    assert failures(results) == []
    assert summary(results).files == 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES


# --- what was left out is said ---------------------------------------------------------------------------------------


def test_functions_cut_short_are_counted_in_the_notes(tmp_path: Path) -> None:
    results = scanned(tmp_path, {"loops.js": PROGRAMS["loops.js"]})
    assert "1 function was analysed only in part (too large)" in summary(results).notes


def test_a_file_that_uses_up_its_steps_is_listed_as_incomplete(tmp_path: Path) -> None:
    results = scanned(tmp_path, {"many.py": PROGRAMS["many_entries.py"], "small.py": FLASK})
    (problem,) = [item for item in results if isinstance(item, NotAnalysed)]
    assert (problem.path.endswith("many.py"), problem.code, problem.incomplete) == (True, "limit", True)
    assert "too many steps" in problem.reason


def test_a_function_body_that_was_lowered_only_in_part_is_listed_as_incomplete() -> None:
    body = ir.Function("f", "K.f", "method", [], [], [], 0, ir.pack_span(1, 0, 9, 0), capped="more than 9 nodes")
    file = ir.File("a.py", "python", "", [body], [], [], 9, 10)
    (problem,) = problems_of(file)
    assert (problem.code, problem.incomplete) == ("limit", True)
    assert "K.f" in problem.reason
    assert "more than 9 nodes" in problem.reason


def test_an_error_in_the_analysis_of_one_file_is_listed_and_the_others_are_analysed() -> None:
    """Lowered files are plain data: a damaged one must not end the scan."""
    sound, damaged = (
        ir.File(path, "python", "", [ir.Function("", "", "module", [], body, [], 0, 0)], [], [], 1, 1)
        for path, body in (("a.py", []), ("b.py", [[ir.MOVE, 0]]))
    )
    found = analyse([damaged, sound], {"python": rules_for("python", (), (), None)})
    assert [(item.path, item.code, item.incomplete) for item in found.problems] == [("b.py", "error", True)]
    assert "instructions.py" in found.problems[0].reason


def test_a_long_chain_of_calls_is_followed_from_end_to_end(tmp_path: Path) -> None:
    results = scanned(tmp_path, {"chain.py": PROGRAMS["chain.py"]})
    assert [item.mode for item in results if isinstance(item, Finding)].count("application") == 1


def test_calls_beyond_the_depth_limit_are_counted_in_the_notes(tmp_path: Path) -> None:
    text = each("def f@(x):\n  return f@+(x)\n", 3000) + "def f3000(x): return x\n"
    notes = " ".join(summary(scanned(tmp_path, {"deep.py": text})).notes)
    assert "not followed (too deep inside other calls)" in notes


def test_a_chain_of_imports_and_a_circle_of_imports_end(tmp_path: Path) -> None:
    chain = {f"m{n}.py": f"from m{n + 1} import x\nx = x\n" for n in range(1500)}
    circle = {
        f"c{n}.py": f"from c{(n + 1) % 5} import *\nimport c{(n + 2) % 5}\ny{n} = c{(n + 2) % 5}.y0\n" for n in range(5)
    }
    script = {f"s{n}.js": f"const next = require('./s{(n + 1) % 5}'); exports.f = () => next.f();\n" for n in range(5)}
    results = scanned(tmp_path, {**chain, **circle, **script})
    assert failures(results) == []
    assert summary(results).files == 1510


def test_text_is_never_repeated_beyond_the_bound() -> None:
    for left, right in ((1 << 40, "x"), ("x", 1 << 40), (True, "x" * 4096), ("x" * 4096, 64)):
        result = fold("*", left, right, "python")
        assert result is NOT_CONST or len(result) <= 4096
