"""From lowered files to raw findings: runs modules, entry points and summaries, and decides what is a library entry."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.interp import sources
from glasshouse.scan.interp.machine import Fact, Flow, Machine
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.summary import SinkHit
from glasshouse.scan.program import Fn, Program
from glasshouse.scan.rules.loader import RuleSet

RECURSION = 60_000  # Python frames; pure Python calls use no C stack from 3.11 on
KINDS = frozenset(["function", "method", "lambda"])


class Analysis(NamedTuple):
    """Everything found in one program."""

    program: Program
    flows: list[Flow]
    library: list[Flow]
    facts: list[Fact]
    notes: tuple[str, ...]


def analyse(
    files: Sequence[ir.File], rules: dict[str, RuleSet], progress: Callable[[int, int], None] | None = None
) -> Analysis:
    """Analyse lowered files together.  ``rules`` holds the rule set of each language that occurs."""
    program = Program(files)
    if not program.modules:
        return Analysis(program, [], [], [], ())
    matchers = {
        name: Matcher(found.rules.values(), found.models, found.taint_classes, name) for name, found in rules.items()
    }
    if "java" in matchers:
        program.known_types = matchers["java"].known_types
    machine = Machine(program, matchers)
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
    return Analysis(
        program, list(machine.flows.values()), library_flows(machine), list(machine.facts.values()), notes(machine)
    )


def run(machine: Machine, progress: Callable[[int, int], None] | None) -> None:
    modules = machine.program.modules
    for module in modules:
        machine.modules.ensure(module)
    for number, module in enumerate(modules):
        decorators(machine, module)
        for fn in module.functions:
            if fn.ir.kind in KINDS and fn not in machine.registered:
                entry = sources.find_entry(machine, fn)
                if entry is not None:
                    machine.registered.add(fn)
                    machine.run_entry(fn, entry)
        for fn in module.functions:
            if fn.ir.kind in KINDS:
                machine.summary_of(fn)
        if progress is not None:
            progress(number + 1, len(modules))


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
    return bool(fn.ir.flags & ir.EXPORTED) and fn.ir.kind in KINDS and not fn.ir.flags & ir.TEST and not fn.entry


def weak_source(fn: Fn, hit: SinkHit) -> bool:
    """Whether a parameter counts as a source for library mode (the receiver's own fields do not)."""
    kinds = hit.sink.rule.source_kinds
    if kinds and "parameter" not in kinds and "request" not in kinds:
        return False
    if hit.label.index < 0:
        return False
    params = fn.ir.params
    return not (hit.label.index < len(params) and params[hit.label.index].kind == "self")


def parameter_name(fn: Fn, index: int) -> str:
    return fn.ir.params[index].name if 0 <= index < len(fn.ir.params) else "this"


def notes(machine: Machine) -> tuple[str, ...]:
    found = []
    if machine.capped_roots:
        found.append(f"{len(machine.capped_roots)} functions were analysed only in part (too large)")
    if machine.widened:
        found.append(f"{machine.widened} calls were not followed (more than 3 methods of that name)")
    return tuple(found)
