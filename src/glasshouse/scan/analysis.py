"""From lowered files to raw findings: runs modules, entry points and summaries, and decides what is a library entry."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from glasshouse.scan import ir, store_flows
from glasshouse.scan.interp import entry_points, sources
from glasshouse.scan.interp.findings import Fact, Flow
from glasshouse.scan.interp.java import builtins as java_builtins
from glasshouse.scan.interp.javascript import fields as javascript_fields
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.summary import SinkHit
from glasshouse.scan.interp.units import PLAN
from glasshouse.scan.interp.values import Step
from glasshouse.scan.languages import INTERPRETED
from glasshouse.scan.program import Fn, Module, Program
from glasshouse.scan.rules.loader import RuleSet
from glasshouse.scan.rules.schema import Entry, Rule
from glasshouse.words.finding import NotAnalysed

if TYPE_CHECKING:
    from glasshouse.scan.outcomes import Merged
    from glasshouse.scan.reuse import Earlier

RECURSION = 60_000  # Python frames; pure Python calls use no C stack from 3.11 on (`interp.budget` stays below)
COMMAND_NAME = re.compile(
    r"^(cmd|command|shell|script)|(cmd|command|script)(line)?$|^(bin|binary|executable|program)(_?path)?$",
    re.IGNORECASE,
)
PATH_NAME = re.compile(
    r"(?i)(path|file|dir(ectory)?|folder|root|dest(ination)?|src|source|target|location|base|home|prefix)(name|s)?$"
    r"|^(path|file|dir|src|dst|f|fn|fp|fname|out(put)?|repo|ui|config|cfg|conf|settings|options|opts|args|jar|zip|war|tar|archive)(_|$)"
)
HANDLE = re.compile(
    r"[.\\](DB|Tx|Conn|Stmt|Context|T|B|TB|Time|Duration|Logger|ResponseWriter|Connection|EntityManager(Interface)?|LoggerInterface|"
    r"ContainerInterface)$|^(PDO|mysqli|wpdb)$"
)  # types, with their package, of parameters that hold no text of a caller: connections, clocks, loggers
FILE_HANDLE = re.compile(
    r"(^|\.)(File|Path|URI|[A-Z]\w*Dir|Directory|Resource|PurePath)$"
)  # a file the caller has chosen
FIELD_CLASSES = frozenset("command code sql path xss template".split())  # for which fields count as parameters do
LARGE = 80_000  # instructions of one part; smaller ones make more summaries twice
Progress = Callable[[int, int], None]
Item = TypeVar("Item")


class Analysis(NamedTuple):
    """Everything found in one program."""

    program: Program
    flows: list[Flow]
    library: list[Flow]
    facts: list[Fact]
    notes: tuple[str, ...]
    problems: tuple[NotAnalysed, ...] = ()
    capped: tuple[tuple[int, int], ...] = ()  # functions analysed only in part: file and position in it
    widened: tuple[tuple[int, int], ...] = ()  # calls with too many possible targets: file and span


def analyse(
    files: Sequence[ir.File],
    rules: dict[str, RuleSet],
    progress: Progress | None = None,
    jobs: int = 1,
    large: int = LARGE,
    earlier: Earlier | None = None,
) -> Analysis:
    """Analyse lowered files together.  ``rules`` holds the rule set of each language that occurs.

    A program of more than one and a half times ``large`` instructions is analysed in parts (see ``parts``), up to
    ``jobs`` (0: one per core) at a time; what is found does not depend on ``jobs``.  With what is known of an
    ``earlier`` state, only what may have changed is run; what is found is the same, and what to know the next time is
    put there.
    """
    if all(file.language not in INTERPRETED for file in files):
        return Analysis(Program(files), [], [], [], ())
    from glasshouse.scan import outcomes, parts

    with bounded():
        machine = machine_for(files, rules)
        if earlier is not None and earlier.promising():
            known = earlier.again(machine, large, rules)
            if known is not None:
                return result_of(machine, outcomes.merged(machine, [known]))
            if earlier.spoiled:
                machine = machine_for(files, rules)
        if not machine.units.frozen:
            run_modules(machine)
        keep = earlier.keep_state if earlier is not None else None
        found = parts.run(machine, progress, jobs, large, lambda: machine_for(files, rules), keep)
        if earlier is not None:
            earlier.keep(machine, found, large)
        return result_of(machine, outcomes.merged(machine, found))


def machine_for(files: Sequence[ir.File], rules: dict[str, RuleSet]) -> Machine:
    """A machine that has not run anything."""
    matchers = {
        name: Matcher(found.rules.values(), found.models, found.taint_classes, name)
        for name, found in rules.items()
        if name in INTERPRETED
    }
    known = library_types(matchers["java"]) if "java" in matchers else frozenset()
    return Machine(Program(files, known), matchers)


def library_types(matcher: Matcher) -> frozenset[str]:
    """Full names of all classes outside the program that rules and models speak of, also in conditions only."""
    found = set(matcher.known_types | java_builtins.TYPES)
    for rule in matcher.rules.values():
        conditions = [item for sink in rule.sinks for item in (*sink.where, *sink.safe_when)]
        conditions += [item for match in rule.matches for item in (*match.where, *match.unless)]
        for protocol in rule.protocol:
            conditions += [*protocol.where, *protocol.use_where]
            conditions += [item for match in (*protocol.secured, *protocol.unsafe) for item in match.where]
        found.update(name for item in conditions for name in item.type or ())
    return frozenset(found)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """The recursion that nested calls take."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def result_of(machine: Machine, found: Merged) -> Analysis:
    store_flows.link(machine, found)
    flows, guesses = in_order(found.flows), in_order(found.guesses)
    library = [*library_flows(machine, found), *guesses]
    facts, capped = in_order(found.facts), tuple(sorted(fn.id for fn in found.capped))
    widened = tuple(sorted(found.widened))
    return Analysis(machine.program, flows, library, facts, notes(found), problems(found), capped, widened)


def in_order(table: dict[tuple[str, int, int], Item]) -> list[Item]:
    """What was found, by rule and place."""
    return [table[key] for key in sorted(table)]


def interpreted(machine: Machine) -> list[Module]:
    """The modules whose code is run; those of other languages have been looked at file by file."""
    return [module for module in machine.program.modules if module.language in INTERPRETED]


def run_modules(machine: Machine) -> None:
    """Run the body of every module, and of classes that are still to be run; then their state is frozen."""
    modules = interpreted(machine)
    for module in modules:
        guarded(machine, module, machine.modules.ensure, module)
    for module in modules:
        for cls in module.classes:
            guarded(machine, module, machine.ensure_class, cls)
    machine.freeze()


def run_roots(machine: Machine, modules: Sequence[Module], progress: Progress | None) -> None:
    """Run entry points and summaries of some modules."""
    for number, module in enumerate(modules):
        for fn, entry in plan_of(machine, module):
            if not entry_points.registered(machine, fn):
                guarded(machine, module, entry_points.enter, machine, fn, entry)
        for fn in module.functions:
            if fn.ir.kind in ir.CALLED:
                guarded(machine, module, machine.summary_of, fn)
        if progress is not None:
            progress(number + 1, len(modules))


def plan_of(machine: Machine, module: Module) -> list[tuple[Fn, Entry]]:
    """The functions of a module that a framework calls; rules on decorators apply on the way."""
    plan: list[tuple[Fn, Entry]] = []

    def look() -> None:
        machine.units.begin((PLAN, module))
        decorators(machine, module)
        for fn in module.functions:
            if fn.ir.kind in ir.CALLED:
                entry = sources.find_entry(machine, fn)
                if entry is not None:
                    plan.append((fn, entry))
        machine.units.end(None)

    guarded(machine, module, look)
    return plan


def guarded(machine: Machine, module: Module, action: Callable[..., object], *arguments: object) -> None:
    """One step of the analysis.  An error in it is a result: the file is reported as not analysed because of it."""
    state, depth = machine.state(), len(machine.units.open)
    try:
        action(*arguments)
    except Exception as error:  # noqa: BLE001 - recorded, never hidden: one odd file must not end the scan
        machine.restore(state)
        machine.units.drop(depth)
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}:{place.lineno}"
        machine.failed.setdefault(module, f"{type(error).__name__}: {str(error)[:200]} ({where})")


def decorators(machine: Machine, module: Module) -> None:
    """Rules on decorators and annotations."""
    matcher = machine.matchers[module.language]
    if not matcher.decorators or not module.functions:
        return
    items = [(fn, fn.ir.decorators) for fn in module.functions]
    items += [(module.functions[0], cls.ir.decorators) for cls in module.classes]
    for fn, found in items:
        for decorator in found:
            for path in sources.decorator_paths(machine, module, decorator.name):
                for match in matcher.decorators.get(path, ()):
                    sources.check_decorator(machine, fn, decorator, match)


class WeakHit(NamedTuple):
    """A parameter of ``fn`` reaches a sink, and may count as a source if nothing calls ``fn``."""

    fn: Fn
    parameter: int
    rule: Rule
    sink: str
    act: str
    confidence: str | None
    place: Fn
    span: int
    step: Step | None
    field: str  # of the receiver, when the data comes from there ("" for a parameter)


def weak_hits(fn: Fn) -> list[WeakHit]:
    """Parameters of a summarised function that reach sinks."""
    if fn.summary is None or fn.ir.kind not in ir.CALLED or fn.ir.flags & ir.TEST:
        return []
    found = []
    for hit in fn.summary.sinks.values():
        if weak_source(fn, hit):
            sink, index = hit.sink, hit.label.index
            field = str(hit.label.path[0]) if index < 0 else ""
            what = (sink.rule, sink.name, sink.label, sink.confidence)
            found.append(WeakHit(fn, index, *what, hit.fn, hit.span, hit.step, field))
    return found


def library_flows(machine: Machine, found: Merged) -> list[Flow]:
    """Parameters that reach sinks, in functions of the public interface."""
    best: dict[tuple[str, int, int], Flow] = {}
    for hit in sorted(found.weak, key=lambda hit: hit.fn.id):
        fn = hit.fn
        if not public(fn, found) or (hit.field and not javascript_fields.given(fn, hit.field)):
            continue
        key = (hit.rule.id, hit.place.module.index, hit.span)
        name = f"field `{hit.field}`" if hit.field else f"parameter `{parameter_name(fn, hit.parameter)}`"
        text = f"{name} of `{fn.ir.qualname}`"
        label = machine.source_label("weak", "parameter", text, (fn.module.index, fn.ir.span))
        flow = Flow(
            hit.rule, hit.sink, hit.act, hit.confidence, hit.place, hit.span, label, hit.step, fn not in found.called
        )
        have = best.get(key)
        if have is None or (flow.built, -sources.way_length(flow.step)) > (have.built, -sources.way_length(have.step)):
            best[key] = flow
    return list(best.values())


def public(fn: Fn, found: Merged) -> bool:
    if fn.ir.kind not in ir.CALLED or fn.ir.flags & ir.TEST or fn in found.entries:
        return False
    return bool(fn.ir.flags & ir.EXPORTED) or (fn not in found.called and internal(fn))


def internal(fn: Fn) -> bool:
    """Whether a Python function is private by its name only and nothing that was scanned calls it."""
    outermost = fn.parent is None or fn.parent.ir.kind in ("module", "class")
    return fn.module.language == "python" and outermost and fn.ir.kind != "lambda"


def weak_source(fn: Fn, hit: SinkHit) -> bool:
    """Whether a parameter counts as a source for library mode; of the receiver's fields those in text may."""
    library = hit.sink.rule.options.get("library")
    if library is False or (library == "built" and not deliberate(fn, hit)):
        return False
    if library == "path" and not hit.built and PATH_NAME.search(parameter_name(fn, hit.label.index)):
        return False  # whoever passes a whole path says which file is meant
    kinds = hit.sink.rule.source_kinds
    if kinds and "parameter" not in kinds and "request" not in kinds:
        return False
    if hit.label.index < 0:
        built = hit.sink.rule.taint in FIELD_CLASSES and bool(hit.label.path) and deliberate(fn, hit)
        return built and fn.module.language == "javascript"
    params = fn.ir.params
    if hit.label.index >= len(params):
        return True
    param = params[hit.label.index]
    if hit.sink.rule.taint == "path" and FILE_HANDLE.search(param.type):
        return False
    return param.kind != "self" and not HANDLE.search(param.type)


def deliberate(fn: Fn, hit: SinkHit) -> bool:
    """Whether the data becomes part of some text: a parameter passed on whole is a command by intention."""
    named = hit.label.path[-1] if hit.label.path else parameter_name(fn, hit.label.index)
    return hit.built and not COMMAND_NAME.search(named)


def parameter_name(fn: Fn, index: int) -> str:
    return fn.ir.params[index].name if 0 <= index < len(fn.ir.params) else "this"


def notes(found: Merged) -> tuple[str, ...]:
    told = []
    if found.capped:
        count = len(found.capped)
        told.append(f"{count} function{'s were' if count > 1 else ' was'} analysed only in part (too large)")
    if found.cut:
        told.append(f"{found.cut} calls were not followed (too deep inside other calls)")
    if found.widened:
        told.append(f"{len(found.widened)} calls were not followed (more than 3 methods of that name)")
    return tuple(told)


def problems(found: Merged) -> tuple[NotAnalysed, ...]:
    """Files that were analysed only in part."""
    told = []
    for module, count in found.exhausted.items():
        reason = f"too many steps; {count} function{'s were' if count > 1 else ' was'} analysed only in part"
        told.append(NotAnalysed(module.path, "limit", reason, incomplete=True))
    for module, reason in found.failed.items():
        told.append(NotAnalysed(module.path, "error", reason, incomplete=True))
    return tuple(told)
