"""From lowered files to raw findings: runs modules, entry points and summaries, and decides what is a library entry."""

from __future__ import annotations

import gc
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.interp import java_builtins, sources
from glasshouse.scan.interp.machine import Fact, Flow, Machine
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.summary import SinkHit
from glasshouse.scan.program import Fn, Module, Program
from glasshouse.scan.rules.loader import RuleSet
from glasshouse.scan.rules.schema import Entry
from glasshouse.words.finding import NotAnalysed

if TYPE_CHECKING:
    from glasshouse.scan.incremental.reuse import Kept

RECURSION = 60_000  # Python frames; pure Python calls use no C stack from 3.11 on (`interp.budget` stays below)
COMMAND_NAME = re.compile(r"^(cmd|command|shell|script)|(cmd|command|script)(line)?$", re.IGNORECASE)
KINDS = frozenset(["function", "method", "lambda"])


class Analysis(NamedTuple):
    """Everything found in one program."""

    program: Program
    flows: list[Flow]
    library: list[Flow]
    facts: list[Fact]
    notes: tuple[str, ...]
    problems: tuple[NotAnalysed, ...] = ()


def analyse(
    files: Sequence[ir.File],
    rules: dict[str, RuleSet],
    progress: Callable[[int, int], None] | None = None,
    kept: Kept | None = None,
) -> Analysis:
    """Analyse lowered files together.  ``rules`` holds the rule set of each language that occurs.

    ``kept`` gives access to an earlier analysis; the result is the same with and without.
    """
    program = Program(files)
    if not program.modules:
        return Analysis(program, [], [], [], ())
    matchers = {
        name: Matcher(found.rules.values(), found.models, found.taint_classes, name) for name, found in rules.items()
    }
    if "java" in matchers:
        program.known_types = matchers["java"].known_types | java_builtins.TYPES
    machine = Machine(program, matchers)
    if kept is not None and reuse(machine, kept, progress):
        return result_of(machine)
    if kept is not None:
        machine = Machine(program, matchers) if machine.trace is None else Machine(renewed(program, files), matchers)
        from glasshouse.scan.incremental.reuse import fresh_trace, keep

        trace = fresh_trace(machine)
        bounded(machine, progress)
        keep(trace, kept)
        machine.trace = None
        return result_of(machine)
    bounded(machine, progress)
    return result_of(machine)


def renewed(program: Program, files: Sequence[ir.File]) -> Program:
    """The program as it was before anything was analysed."""
    made = Program(files)
    made.known_types = program.known_types
    return made


def reuse(machine: Machine, kept: Kept, progress: Callable[[int, int], None] | None) -> bool:
    """Analyse what an edit can have changed; whether that was possible."""
    from glasshouse.scan.incremental.reuse import collect, warm_trace
    from glasshouse.scan.incremental.warm import Abort

    trace = warm_trace(machine, kept)
    if trace is None:
        return False
    try:
        bounded(machine, progress)
        if machine.failed or machine.budget.cut:
            return False
        collect(trace)
    except Abort:
        return False
    return True


def bounded(machine: Machine, progress: Callable[[int, int], None] | None) -> None:
    """Run everything, with the recursion that nested calls take and without collecting cycles."""
    limit = sys.getrecursionlimit()
    collecting = gc.isenabled()
    gc.disable()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        run(machine, progress)
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()


def result_of(machine: Machine) -> Analysis:
    program = machine.program
    flows, facts = list(machine.flows.values()), list(machine.facts.values())
    library = [*library_flows(machine), *machine.guesses.values()]
    return Analysis(program, flows, library, facts, notes(machine), problems(machine))


def run(machine: Machine, progress: Callable[[int, int], None] | None) -> None:
    modules = machine.program.modules
    for module in modules:
        guarded(machine, module, visit, machine, "m", module, machine.modules.ensure)
    for number, module in enumerate(modules):
        for fn, entry in plan_of(machine, module):
            if fn not in machine.registered:
                guarded(machine, module, enter, machine, fn, entry)
        for fn in module.functions:
            if fn.ir.kind in KINDS:
                guarded(machine, module, visit, machine, "s", fn, machine.summary_of)
        if progress is not None:
            progress(number + 1, len(modules))


def visit(machine: Machine, kind: str, target: Any, action: Callable[[Any], object]) -> None:
    """Run a root, unless its result is known from an earlier analysis."""
    if machine.trace is None:
        action(target)
    else:
        machine.trace.visit(kind, target, lambda: action(target))


def plan_of(machine: Machine, module: Module) -> list[tuple[Fn, Entry]]:
    """The functions of a module that a framework calls; rules on decorators apply on the way."""
    plan: list[tuple[Fn, Entry]] = []

    def look() -> None:
        if machine.trace is not None:
            machine.trace.begin("d", module)
        decorators(machine, module)
        for fn in module.functions:
            if fn.ir.kind in KINDS:
                entry = sources.find_entry(machine, fn)
                if entry is not None:
                    plan.append((fn, entry))
        if machine.trace is not None:
            machine.trace.end(plan)

    guarded(machine, module, visit, machine, "d", module, lambda _: look())
    known = None if machine.trace is None else machine.trace.plan(module)
    return plan if known is None else known


def enter(machine: Machine, fn: Fn, entry: Entry) -> None:
    """Run a function that a framework calls."""
    machine.registered.add(fn)

    def run(target: Fn) -> None:
        if machine.trace is not None:
            machine.trace.begin("e", fn)
            machine.trace.current.entries.append(fn)
        machine.run_entry(target, entry)
        if machine.trace is not None:
            machine.trace.end(None)

    visit(machine, "e", fn, run)


def guarded(machine: Machine, module: Module, action: Callable[..., object], *arguments: object) -> None:
    """One step of the analysis.  An error in it is a result: the file is reported as not analysed because of it."""
    state = machine.state()
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001 - recorded, never hidden: one odd file must not end the scan
        machine.restore(state)
        machine.active.clear()
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}:{place.lineno}"
        machine.failed.setdefault(module, f"{type(error).__name__}: {str(error)[:200]} ({where})")


def decorators(machine: Machine, module: object) -> None:
    """Rules on decorators and annotations."""
    matcher = machine.matchers[module.language]  # type: ignore[attr-defined]
    if not matcher.decorators:
        return
    items = [(fn, fn.ir.decorators) for fn in module.functions]  # type: ignore[attr-defined]
    body = module.functions[0] if module.functions else None  # type: ignore[attr-defined]
    items += [(body, cls.ir.decorators) for cls in module.classes]  # type: ignore[attr-defined]
    for fn, found in items:
        for decorator in found:
            for path in sources.decorator_paths(machine, module, decorator.name):
                for match in matcher.decorators.get(path, ()):
                    sources.check_decorator(machine, fn, decorator, match)


def library_flows(machine: Machine) -> list[Flow]:
    """Parameters that reach sinks, in functions of the public interface."""
    best: dict[tuple[str, int, int], Flow] = {}
    for fn in machine.program.functions():
        if fn.summary is None or not public(fn):
            continue
        for hit in fn.summary.sinks.values():
            if not weak_source(fn, hit):
                continue
            key = (hit.sink.rule.id, hit.fn.module.index, hit.span)
            text = f"parameter `{parameter_name(fn, hit.label.index)}` of `{fn.ir.qualname}`"
            label = machine.source_label("weak", "parameter", text, (fn.module.index, fn.ir.span))
            sink = hit.sink
            flow = Flow(
                sink.rule, sink.name, sink.label, sink.confidence, hit.fn, hit.span, label, hit.step, not fn.called
            )
            have = best.get(key)
            if have is None or (flow.built, -sources.way_length(flow.step)) > (
                have.built,
                -sources.way_length(have.step),
            ):
                best[key] = flow
    return list(best.values())


def public(fn: Fn) -> bool:
    if fn.ir.kind not in KINDS or fn.ir.flags & ir.TEST or fn.entry:
        return False
    return bool(fn.ir.flags & ir.EXPORTED) or internal(fn)


def internal(fn: Fn) -> bool:
    """Whether a Python function is private by its name only and nothing that was scanned calls it."""
    outermost = fn.parent is None or fn.parent.ir.kind in ("module", "class")
    return fn.module.language == "python" and not fn.called and outermost and fn.ir.kind != "lambda"


def weak_source(fn: Fn, hit: SinkHit) -> bool:
    """Whether a parameter counts as a source for library mode (the receiver's own fields do not)."""
    library = hit.sink.rule.options.get("library")
    if library is False or (library == "built" and not deliberate(fn, hit)):
        return False
    kinds = hit.sink.rule.source_kinds
    if kinds and "parameter" not in kinds and "request" not in kinds:
        return False
    if hit.label.index < 0:
        return False
    params = fn.ir.params
    return not (hit.label.index < len(params) and params[hit.label.index].kind == "self")


def deliberate(fn: Fn, hit: SinkHit) -> bool:
    """Whether constant text stands before the data: a parameter passed on whole is a command by intention."""
    return hit.built and not COMMAND_NAME.search(parameter_name(fn, hit.label.index))


def parameter_name(fn: Fn, index: int) -> str:
    return fn.ir.params[index].name if 0 <= index < len(fn.ir.params) else "this"


def notes(machine: Machine) -> tuple[str, ...]:
    found = []
    if machine.capped_roots:
        count = len(machine.capped_roots)
        found.append(f"{count} function{'s were' if count > 1 else ' was'} analysed only in part (too large)")
    if machine.budget.cut:
        found.append(f"{machine.budget.cut} calls were not followed (too deep inside other calls)")
    if machine.widened:
        found.append(f"{machine.widened} calls were not followed (more than 3 methods of that name)")
    return tuple(found)


def problems(machine: Machine) -> tuple[NotAnalysed, ...]:
    """Files that were analysed only in part."""
    found = []
    for module, count in machine.budget.exhausted.items():
        reason = f"too many steps; {count} function{'s were' if count > 1 else ' was'} analysed only in part"
        found.append(NotAnalysed(module.path, "limit", reason, incomplete=True))
    for module, reason in machine.failed.items():
        found.append(NotAnalysed(module.path, "error", reason, incomplete=True))
    return tuple(found)
