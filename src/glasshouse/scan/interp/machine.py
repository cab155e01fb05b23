"""The interpreter's state and services: heap, roots, summaries, modules."""

from __future__ import annotations

from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.interp import calls, instructions, sources
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.budget import Budget
from glasshouse.scan.interp.findings import Findings, Root
from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.heap import Heap
from glasshouse.scan.interp.matcher import Matcher
from glasshouse.scan.interp.modules import Modules
from glasshouse.scan.interp.protocols import Protocols
from glasshouse.scan.interp.python_builtins import CONSTANTS
from glasshouse.scan.interp.summary import THIS, Summary, snapshot
from glasshouse.scan.interp.units import SUMMARY, Key, Unit, Units
from glasshouse.scan.interp.values import (
    NEVER,
    NOT_CONST,
    UNKNOWN,
    ClassRef,
    FuncRef,
    Label,
    Obj,
    Step,
    Taint,
    Value,
    join,
    join_taint,
    with_taint,
    without,
)
from glasshouse.scan.program import Cls, Fn, Module, Program

ROOT_STEPS = 60_000  # instructions per root
FIELD_LIMIT = 400
OPENING = "\"'([{ "  # characters that alone do not make text around data


class Machine(Findings):
    """Runs roots over one program."""

    def __init__(self, program: Program, matchers: dict[str, Matcher]) -> None:
        super().__init__(matchers)
        self.program = program
        first = next(iter(matchers.values()))
        self.everything = first.all
        self.normal_bit = first.normal_bit
        self.kept_bits = first.normal_bit | first.built_bit
        self.numeric = first.numeric_mask
        self.bits = first.bits
        self.arithmetic = any("$arith" in matcher.calls for matcher in matchers.values())
        self.heap: Heap = Heap()
        self.base: dict[Any, dict[Any, Value]] = {}
        self.steps = 0
        self.limit = ROOT_STEPS
        self.capped = False
        self.failed: dict[Module, str] = {}
        self.labels: dict[tuple[Any, ...], Label] = {}
        self.refined: dict[int, Value] = {}
        self.keep: list[Value] = []
        self.constants = CONSTANTS
        self.patched: set[Cls] = set()  # classes whose attributes are written from outside their bodies
        self.budget = Budget()
        self.ambient: dict[int, Value] = {}
        self.patterns: dict[tuple[str, str], Obj] = {}
        self.refusing: dict[Fn, bool] = {}
        self.adding: dict[Fn, bool] = {}  # see `command_lines`
        self.route = ""  # of the function that is being handed to a framework
        self.root = Root(program.modules[0].functions[0], True)
        self.stack = self.root.stack
        self.unit: Unit
        self.units = Units(self, sum(len(module.functions) for module in program.modules))
        self.protocols = Protocols(self)
        self.modules = Modules(self)

    # --- small services -----------------------------------------------------------------------------------------

    def matcher(self, frame: Frame) -> Matcher:
        return self.matchers[frame.module.language]

    def bit(self, name: str) -> int:
        return self.bits.get(name, 0)

    def fields(self, obj: Any) -> dict[Any, Value] | None:
        found = self.heap.get(obj)
        return self.base.get(obj) if found is None else found

    def write(self, obj: Any, name: Any, value: Value, weak: bool = False) -> None:
        fields = self.fields(obj)
        if fields is None:
            self.heap[obj] = {name: value}
            return
        if len(fields) > FIELD_LIMIT and name not in fields:
            name, weak = "*", True
        if weak and name in fields:
            value = join(fields[name], value)
        self.heap[obj] = {**fields, name: value}

    def new_obj(self, kind: str, frame: Frame, span: int) -> Obj:
        return Obj(kind, (frame.module.index, span))

    def new_frame(self, fn: Fn, this: Value | None, closure: Frame | None) -> Frame:
        self.unit.touched.add(fn)
        return Frame(self, fn, {}, this, closure)

    def symbolic(self, frame: Frame) -> bool:
        return frame.fn is self.root.fn and not self.root.concrete

    def param_label(self, index: int, path: tuple[str, ...]) -> Label:
        key = ("param", index, path)
        label = self.labels.get(key)
        if label is None:
            label = self.labels[key] = Label("param", index, path, "parameter", "", (0, 0))
        return label

    def source_label(self, kind: str, source: str, text: str, place: tuple[int, int]) -> Label:
        key = (kind, source, text, place)
        label = self.labels.get(key)
        if label is None:
            label = self.labels[key] = Label(kind, 0, (), source, text, place)
        return label

    def after_prefix(self, prefix: str, taint: Taint | None) -> Taint | None:
        """Taint that follows constant text: a URL's host, once fixed, cannot be changed by what comes after."""
        mask = 0
        _, found, rest = prefix.partition("://")
        if (found and "/" in rest) or ("?" in prefix and (found or prefix.startswith("/"))):
            mask = self.bit("ssrf") | self.bit("redirect")
        elif len(prefix) > 1 and prefix[0] == "/" and prefix[1] not in "/\\":
            mask = self.bit("redirect") | self.bit("ssrf")
        taint = without(taint, mask) if mask else taint
        return self.in_text(taint) if taint and prefix.strip(OPENING) else taint

    def in_text(self, taint: Taint) -> Taint:
        """Taint of data that is a part of some text, and not passed on as it came."""
        for label in taint:
            if label.kind == "param":
                built = self.built_bit
                return {item: (bits | built, step) for item, (bits, step) in taint.items()}
        return taint

    def assign(self, table: dict[str, Value], name: str, value: Value) -> None:
        """Write a variable that others see; in a unit, until its end."""
        if self.units.frozen:
            self.unit.writes.append([table, name, table.get(name)])
        table[name] = value

    def refine_note(self, new: Value, old: Value) -> None:
        self.refined[id(new)] = old
        self.keep.append(new)

    def taint_variable(self, frame: Frame, value: Value, taint: Taint) -> None:
        """A value that has no object of its own takes taint: every variable that holds it does."""
        if value is UNKNOWN:
            return
        new = Value(NOT_CONST, join_taint(value.taint, taint), value.refs, value.path)
        for name, held in frame.env.items():
            if held is value:
                frame.env[name] = new

    def clean_everywhere(self, frame: Frame, value: Value, mask: int) -> None:
        new = with_taint(value, without(value.taint, mask))
        if new is not value:
            self.refine_note(new, value)
            for name, held in frame.env.items():
                if held is value:
                    frame.env[name] = new

    def imports(self, module: Any, name: str) -> bool:
        """Whether a file imports a module or package (or something below it)."""
        for entry in module.file.imports:
            full = entry.module.removeprefix("node:")
            if full == name or full.startswith((name + ".", name + "/")) or f"{full}.{entry.name}" == name:
                return True
        return False

    def partial(self, ref: FuncRef, bound: list[Value], this: Value | None) -> FuncRef:
        return FuncRef(ref.fn, ref.frame, this)

    def ambient_this(self, frame: Frame) -> Value:
        """``this`` of a plain JavaScript call: the global object, or whatever a caller we do not see binds."""
        return self.ambient_of(frame.module.index)

    def ambient_of(self, index: int) -> Value:
        found = self.ambient.get(index)
        if found is None:
            obj = Obj("ambient", (index, 0), open=True)
            found = self.ambient[index] = Value(refs=(obj,))
        return found

    def pending_arguments(self, frame: Frame, given: Arguments) -> None:
        """JavaScript's ``arguments`` object, made only for functions that name it."""
        if "arguments" not in self.modules.names_of(frame.fn):
            return
        obj = self.new_obj("list", frame, 0)
        fields: dict[Any, Value] = dict(enumerate(given.pos))
        fields["#len"] = Value(len(given.pos)) if given.rest is None else UNKNOWN
        if given.rest is not None:
            fields["*"] = given.rest
        self.heap[obj] = fields
        frame.env["arguments"] = Value(refs=(obj,))

    # --- roots --------------------------------------------------------------------------------------------------

    def isolated(self, root: Root, limit: int = ROOT_STEPS) -> tuple[Any, ...]:
        """Begin a root with its own heap; returns what ``rejoin`` needs."""
        saved = self.state()
        budget = self.budget
        limit = budget.limit(root.fn, limit)
        budget.enter(budget.height(root.fn))
        self.heap, self.root, self.steps, self.limit, self.capped = Heap(), root, 0, limit, False
        self.refined, self.keep = {}, []
        self.stack = root.stack
        return saved

    def rejoin(self, saved: tuple[Any, ...], result: Value | None = None) -> None:
        self.protocols.finish(result)
        fn = self.root.fn
        if self.capped:
            self.unit.capped[fn] = None
        self.unit.spend(fn.module.index, self.steps)
        self.budget.spend(fn, self.steps, self.capped)
        self.restore(saved)

    def state(self) -> tuple[Any, ...]:
        """What belongs to the current root."""
        frames = self.budget.frames
        return self.heap, self.root, self.steps, self.limit, self.capped, self.refined, self.keep, frames

    def restore(self, saved: tuple[Any, ...]) -> None:
        """Back to an earlier ``state``."""
        self.heap, self.root, self.steps, self.limit, self.capped, self.refined, self.keep, frames = saved
        self.budget.frames = frames
        self.stack = self.root.stack

    def summary_of(self, fn: Fn) -> Summary | None:
        """The function's summary; None while it is being computed (recursion)."""
        key = SUMMARY, fn
        if fn.summary is not None:
            self.unit.needs.add(key)
            return fn.summary
        held: Summary | None = self.units.passing(key)
        if held is not None or self.units.under_way(key) or not self.budget.fits(fn):
            return held
        self.units.begin(key)
        found = self.summarised(fn)
        self.settle(self.units.end(found))
        return found

    def freeze(self) -> None:
        """Modules have run.  What was concluded on the way, from modules half run, is forgotten."""
        self.units.freeze()
        self.modules.states.clear()
        self.modules.around.clear()
        for fn in self.program.functions():
            fn.summary = fn.constants = None

    def settle(self, known: list[tuple[Key, Any]]) -> None:
        """Keep results that depend on the program only."""
        for (kind, item), result in known:
            if kind == SUMMARY:
                item.summary = result
            else:
                self.modules.states[item] = result

    def summarised(self, fn: Fn) -> Summary:
        """Run a function with symbolic parameters."""
        root = Root(fn, False)
        saved = self.isolated(root)
        found = Summary()
        frame = self.new_frame(fn, None, None)
        self.symbolic_parameters(frame, found)
        before = {obj: dict(fields) for obj in found.params if (fields := self.heap.get(obj))}
        root.stack.append(fn)
        found.result = frame.run()
        if frame.exit_env is None and not self.capped and calls.ends(fn):
            found.result = NEVER
        found.raised = frame.raised
        found.sinks = root.sinks
        found.capped = self.capped
        snapshot(found, self.heap, before, self.base)
        if found.heap:
            self.base.update((obj, fields) for obj, fields in found.heap.items() if obj not in found.fresh)
        self.rejoin(saved, found.result)
        return found

    def symbolic_parameters(self, frame: Frame, found: Summary) -> None:
        """Bind every parameter (and the receiver) to a placeholder with its own label."""
        fn = frame.fn
        if fn.cls is not None and not fn.ir.flags & ir.STATIC and fn.module.language != "python":
            frame.this = self.placeholder(frame, found, THIS, "this", fn.cls, fn.ir.span)
        elif fn.ir.kind == "function" and fn.module.language == "javascript" and "this" in self.modules.names_of(fn):
            frame.this = self.placeholder(frame, found, THIS, "this", None, fn.ir.span)
        for index, param in enumerate(fn.ir.params):
            if param.kind == "self" and fn.cls is not None:
                if fn.ir.flags & ir.CLASS_METHOD:
                    frame.env[param.name] = Value(refs=(ClassRef(fn.cls),))
                else:
                    frame.this = self.placeholder(frame, found, index, param.name, fn.cls, param.span)
                    frame.env[param.name] = frame.this
                continue
            value = self.placeholder(frame, found, index, param.name, None, param.span)
            if param.type:
                value = self.modules.typed(frame.module, param.type, value)
            frame.env[param.name] = self.sensitive(frame, param.name, value, param.span)

    def placeholder(self, frame: Frame, found: Summary, index: int, name: str, cls: Cls | None, span: int) -> Value:
        label = self.param_label(index, ())
        kind = "instance" if cls is not None else "param"
        obj = Obj(kind, (frame.module.index, span), cls, open=True, label=label)
        found.params[obj] = index
        if cls is not None:
            return Value(refs=(obj,))
        step = Step(frame.module.index, span or frame.fn.ir.span, f"parameter `{name}`", None)
        return Value(taint={label: (self.everything, step)}, refs=(obj,))

    # --- what the interpreter tells us --------------------------------------------------------------------------

    def note_call(self, frame: Frame, fn: Fn) -> None:
        if fn is not frame.fn and not frame.fn.ir.flags & ir.TEST:
            self.unit.called.add(fn)

    def assigned(self, frame: Frame, name: str, value: Value, span: int, owner: Value | None = None) -> None:
        """A name (with ``owner``: an attribute of that object) got a value: rules on assignments apply."""
        matcher = self.matchers[frame.module.language]
        if not matcher.assign_matches or name[:1] == "$":
            return
        for match in matcher.assigned(name):
            if not span or (match.imports and not any(self.imports(frame.module, item) for item in match.imports)):
                continue
            if sources.value_meets(frame, match, value, owner):
                self.report_rule(match.rule, frame.fn, span, {"name": name, "sink": name}, match.confidence)

    def sensitive(self, frame: Frame, name: str, value: Value, span: int) -> Value:
        """Values whose name makes them a source for some rules carry that rule's label."""
        found = self.matchers[frame.module.language].named(name)
        if not found or value.const is not NOT_CONST:
            return value
        if any(ref.__class__ in (FuncRef, ClassRef) for ref in value.refs):
            return value
        for model in found:
            if value.taint and any(item.kind == "private" and item.source == model.kind for item in value.taint):
                continue
            value = sources.from_source(self, frame, model, value, span, f"{model.text} (`{name}`)")
        return value

    # the rest is delegated, so that instructions need to know only the machine
    def global_value(self, frame: Frame, name: str) -> Value:
        return self.modules.global_value(frame, name)

    def set_global(self, frame: Frame, name: str, value: Value) -> None:
        self.modules.set_global(frame, name, value)

    def run_class_body(self, frame: Frame, cls: Cls) -> None:
        self.modules.run_class_body(frame, cls)

    def ensure_class(self, cls: Cls) -> None:
        if not cls.ran:
            self.modules.ensure_class(cls)

    def inner_class(self, cls: Cls, name: str) -> Cls | None:
        return self.modules.inner_class(cls, name)

    def import_star(self, frame: Frame, module: str, level: int) -> None:
        self.modules.import_star(frame, module, level)

    def import_value(self, module: Any, target: str, name: str, level: int) -> Value:
        return self.modules.import_value(module, target, name, level)

    def module_attr(self, module: Any, name: str) -> Value | None:
        return self.modules.module_attr(module, name)

    def declared(self, module: Any, text: str, current: Value | None) -> Value:
        return self.modules.typed(module, text, current if current is not None else UNKNOWN)

    def cast(self, frame: Frame, value: Value, text: str) -> Value:
        return self.modules.typed(frame.module, text, value)

    def instance_field(self, frame: Frame, obj: Obj, name: str) -> Value | None:
        return self.modules.instance_field(frame, obj, name)

    def matcher_base_attr(self, frame: Frame, obj: Obj, name: str, span: int = 0) -> Value | None:
        """A field inherited from an external base class."""
        assert obj.cls is not None
        above = self.program.supers(obj.cls)[1]
        return self.outside_attr(frame, above, name, span) if above else None

    def outside_attr(self, frame: Frame, above: list[str], name: str, span: int = 0) -> Value | None:
        for item in above:
            full = f"{item}.{name}"
            model = self.matcher(frame).read(full)
            if model is not None:
                return self.apply_read(frame, model, Value(path=full), full, span)
        return None

    def from_source(self, frame: Frame, source: Any, result: Value, span: int, path: str) -> Value:
        return sources.from_source(self, frame, source, result, span, source.text)

    def apply_read(self, frame: Frame, model: Any, value: Value, path: str, span: int) -> Value:
        return sources.apply_read(self, frame, model, value, path, span)

    def check_assign_sink(self, frame: Frame, target: Value, name: str, value: Value, span: int) -> None:
        sources.check_assign_sink(self, frame, target, name, value, span)

    def check_statement(self, frame: Frame, path: str, value: Value, span: int) -> None:
        """Text of a known type (SQL) is given to something the rules do not know: ``$query(name, text)``."""
        name = path.rpartition(".")[2]
        sources.pseudo_call(self, frame, value.path, [Value(name), value], span, name)

    def check_index(self, frame: Frame, value: Value, key: Value, span: int) -> None:
        sources.pseudo_call(self, frame, "$index", [value, key], span)

    def check_key_write(self, frame: Frame, target: Value, key: Value, value: Value, span: int) -> None:
        sources.pseudo_call(self, frame, "$set_key", [target, key, value], span)

    def check_comparison(self, frame: Frame, op: str, a: Value, b: Value, span: int) -> None:
        shown = op if frame.module.language == "go" else ""
        sources.pseudo_call(self, frame, "$compare", [a, b, Value(op)], span, shown)

    def check_arithmetic(self, frame: Frame, op: str, a: Value, b: Value, span: int) -> None:
        text = self.bit("sql")  # data that may still be text is not a number
        if op == "+" and str in (a.const.__class__, b.const.__class__):
            return
        if op == "+" and any(bits & text for side in (a, b) for bits, _ in (side.taint or {}).values()):
            return
        sources.pseudo_call(self, frame, "$arith", [Value(op), a, b], span)


assert instructions.TABLE  # importing it makes every instruction known to the frames
