"""A program analysed in parts gives what it gives as a whole, in any number of processes or without any."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.scan.pathological_programs import PROGRAMS

from glasshouse.scan import ir
from glasshouse.scan.analysis import LARGE, Analysis, analyse
from glasshouse.scan.discover import SourceFile
from glasshouse.scan.interp.findings import Flow
from glasshouse.scan.interp.values import Step
from glasshouse.scan.lowered import Task, lower, rules_for
from glasshouse.scan.outcomes import Numbers, Writer
from glasshouse.scan.program import Program
from glasshouse.scan.run import discovered
from glasshouse.scan.settings import ScanSettings

SHOP = Path(__file__).parents[3] / "examples" / "shop"
CHOSEN = ("itself.py", "diamonds.py", "generators.py", "Hierarchy.java", "nested_callbacks.js")


def lowered(folder: Path) -> list[ir.File]:
    chosen = ScanSettings()
    files: list[SourceFile] = discovered([folder], chosen)[0]
    made = [lower(Task(file, chosen.max_file_bytes, 60.0, (), (), None)).file for file in files]
    return [file for file in made if file is not None]


STORE = {
    "kept.py": "from flask import g, request\n\ndef load():\n    g.name = request.args['n']\n",
    "used.py": "import os\nfrom flask import g\n\ndef show():\n    os.system(g.name)\n",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[ir.File]:
    """The example shop and programs with many ways through them."""
    folder = tmp_path_factory.mktemp("programs")
    for name in CHOSEN:
        (folder / name).write_text(PROGRAMS[name])
    for name, code in STORE.items():
        (folder / name).write_text(code)
    return [*lowered(SHOP), *lowered(folder)]


def analysed(files: Sequence[ir.File], jobs: int, large: int) -> Analysis:
    rules = {name: rules_for(name, (), (), None) for name in {file.language for file in files}}
    return analyse(files, rules, None, jobs, large)


def told(found: Analysis) -> list[object]:
    """Everything in an analysis that ends up in a report, in order."""
    facts = [(fact.rule.id, fact.fn.id, fact.span, dict(fact.details), fact.confidence) for fact in found.facts]
    flows = [*map(shown, found.flows)], [*map(shown, found.library)]
    return [sorted(map(repr, facts)), sorted(flows[0]), sorted(flows[1]), found.notes, found.problems]


def shown(flow: Flow) -> str:
    way: list[tuple[int, int, str]] = []
    pending = [flow.step]
    while pending and len(way) < 100:
        step = pending.pop()
        if step is not None:
            way.append((step.file, step.span, step.text))
            pending += [step.before, step.inner]
    return repr((flow.rule.id, flow.sink, flow.act, flow.fn.id, flow.span, flow.label.key(), flow.built, way))


@pytest.fixture(scope="module")
def whole(programs: list[ir.File]) -> list[object]:
    found = analysed(programs, 1, LARGE)
    assert len(found.flows) > 20
    assert len(found.library) > 5
    return told(found)


@pytest.mark.parametrize(("jobs", "large"), [(1, 300), (2, 300), (3, 900)])
def test_parts_find_together_what_the_whole_finds(
    jobs: int, large: int, programs: list[ir.File], whole: list[object]
) -> None:
    assert told(analysed(programs, jobs, large)) == whole


def test_without_forking_parts_find_the_same(programs: list[ir.File], whole: list[object]) -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)  # a second thread makes forking unsafe
    other.start()
    try:
        assert told(analysed(programs, 2, 900)) == whole
    finally:
        done.set()
        other.join()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_steps_survive_their_rows_with_what_they_share(links: list[tuple[int, int]]) -> None:
    steps: list[Step] = [Step(0, 0, "start", None)]
    for number, (before, inner) in enumerate(links):
        own = steps[inner % len(steps)] if inner else None
        steps.append(Step(number, number, f"s{number}", steps[before % len(steps)], own))
    writer = Writer(Numbers(Program([])))
    positions = [writer.step(step) for step in steps]
    made: list[Step] = []
    for file, span, text, before, inner in writer.steps:
        made.append(Step(file, span, text, made[before] if before >= 0 else None, made[inner] if inner >= 0 else None))
    assert [made[position] for position in positions] == steps
    assert len(writer.steps) == len(steps)


def test_a_long_way_needs_no_recursion() -> None:
    step: Step | None = None
    for number in range(50_000):
        step = Step(0, number, "", step)
    assert Writer(Numbers(Program([]))).step(step) == 49_999
