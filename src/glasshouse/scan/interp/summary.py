"""What a function does, seen from outside: computed once with symbolic parameters, applied at calls by substitution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan.interp import attributes, elements
from glasshouse.scan.interp.arguments import Arguments
from glasshouse.scan.interp.models import SinkModel
from glasshouse.scan.interp.values import (
    NEVER,
    NOT_CONST,
    UNKNOWN,
    Bound,
    FuncRef,
    Label,
    Obj,
    Step,
    Taint,
    Value,
    join,
    join_taint,
    with_taint,
)

if TYPE_CHECKING:
    from glasshouse.scan.interp.frame import Frame
    from glasshouse.scan.program import Fn

THIS = -1
MAX_EFFECTS = 40
MAX_COPIES = 30


class SinkHit(NamedTuple):
    """Data of a parameter reaches a sink."""

    sink: SinkModel
    fn: Fn
    span: int
    label: Label
    step: Step | None
    built: bool  # the data was put into constant text on its way


class Summary:
    """Result, effects on parameters' fields, and sinks reached, in terms of parameter labels.

    ``heap`` holds the fields of the objects that result and effects refer to.  ``params`` are the placeholder objects
    of the parameters, by object.
    """

    __slots__ = ("capped", "effects", "fresh", "heap", "params", "plain", "raised", "result", "sinks")

    def __init__(self) -> None:
        self.result: Value = UNKNOWN
        self.effects: list[tuple[Obj, Any, Value]] = []
        self.sinks: dict[tuple[str, int, int, Label], SinkHit] = {}
        self.heap: dict[Any, dict[Any, Value]] = {}
        self.params: dict[Obj, int] = {}
        self.fresh: set[Obj] = set()  # objects of `heap` that depend on the call (others are shared)
        self.raised: Value | None = None
        self.capped = False
        self.plain = False  # the result does not depend on the call, and there are no effects


class Application:
    """One summary applied at one call."""

    def __init__(self, frame: Frame, found: Summary, ref: FuncRef, given: Arguments, span: int) -> None:
        self.frame = frame
        self.machine = frame.machine
        self.summary = found
        self.span = span
        self.fn = ref.fn
        self.given = given
        self.this = ref.this
        self.copies: dict[Obj, Obj] = {}
        self.known: dict[Label, Taint | None] = {}
        self.values = self.parameters(ref, given)

    def parameters(self, ref: FuncRef, given: Arguments) -> list[Value | None]:
        """The argument of each parameter, by position in the parameter list."""
        result: list[Value | None] = []
        position = 0
        for param in ref.fn.ir.params:
            value: Value | None = None
            if param.kind == "self" and ref.this is not None:
                value = ref.this
            elif param.kind in ("pos", "self"):
                if position < len(given.pos):
                    value = given.pos[position]
                    position += 1
                else:
                    value = given.kw.get(param.name, given.rest)
            elif param.kind == "kw":
                value = given.kw.get(param.name)
            elif param.kind == "*":
                value = self.merged(given.pos[position:], given.rest)
            else:
                value = self.merged([v for name, v in given.kw.items() if name not in ref.fn.names], None)
            result.append(value)
        return result

    def merged(self, values: list[Value], rest: Value | None) -> Value | None:
        """All further arguments as one value."""
        taint: Taint | None = None
        for value in [*values, *([rest] if rest else [])]:
            taint = join_taint(taint, attributes.deep_taint(self.machine, value))
        return Value(taint=taint) if taint else None

    def argument(self, index: int) -> Value | None:
        if index == THIS:
            return self.this
        return self.values[index] if index < len(self.values) else None

    def label_taint(self, label: Label) -> Taint | None:
        """What a parameter label stands for at this call."""
        if label in self.known:
            return self.known[label]
        found = self.known[label] = self.find_label(label)
        return found

    def find_label(self, label: Label) -> Taint | None:
        value = self.argument(label.index)
        if value is None:
            return None
        if value.taint is None and not value.refs:
            if not value.path or not label.path:
                return None
            if self.machine.matcher(self.frame).read(f"{value.path}.{label.path[0]}") is None:
                return None  # nothing is known of what comes from there
        for name in label.path:
            if name == "*":
                value = elements.element(self.frame, value, "values", self.span)
            else:
                value = elements.get_item(self.frame, value, Value(name), self.span)
        return attributes.deep_taint(self.machine, value) if value.refs else value.taint

    def taint(self, taint: Taint | None) -> Taint | None:
        """Taint in the caller's terms."""
        if not taint:
            return None
        result: Taint | None = None
        index = self.frame.module.index
        for label, (mask, step) in taint.items():
            if label.kind != "param":
                result = join_taint(result, {label: (mask, Step(index, self.span, self.returned(), step))})
                continue
            given = self.label_taint(label)
            if given:
                keep = self.machine.kept_bits
                normal = mask & keep
                passed = {
                    inner: (bits & (mask | keep) | normal, Step(index, self.span, self.returned(), before))
                    if inner.kind == "source"
                    else (bits & (mask | keep) | normal, before)
                    for inner, (bits, before) in given.items()
                    if bits & mask
                }
                result = join_taint(result, passed or None)
        return result

    def returned(self) -> str:
        return f"through `{self.fn.ir.name or 'function'}()`"

    def value(self, value: Value, depth: int = 0) -> Value:
        """A summary's value in the caller's terms."""
        if not value.refs and not value.taint:
            return Value(value.const, None, (), value.path)  # a new one: values are told apart by identity
        refs: list[Any] = []
        outside: Value | None = None
        for ref in value.refs:
            if ref.__class__ is Obj:
                index = self.summary.params.get(ref)
                if index is not None:
                    given = self.argument(index)
                    if given is not None and given.taint and ref.cls is None:
                        given = with_taint(given, self.kept(given.taint, value.taint, index))
                    outside = given if outside is None or given is None else join(outside, given)
                elif ref in self.summary.heap:
                    refs.append(self.copy(ref, depth) if ref in self.summary.fresh else ref)
                elif ref.kind != "param":
                    refs.append(ref)
            elif ref.__class__ is not Bound:
                refs.append(ref)
        result = Value(value.const, self.taint(value.taint), tuple(refs), value.path)
        return result if outside is None else join(outside, result)

    def kept(self, given: Taint, result: Taint | None, index: int) -> Taint | None:
        """An argument's taint as the function gives it back: without what its checks have ruled out."""
        mark = (result or {}).get(self.machine.param_label(index, ()))
        mask = mark[0] if mark is not None else 0
        if mask & self.machine.everything == self.machine.everything:
            return given
        keep = self.machine.kept_bits
        return {label: (bits & (mask | keep), step) for label, (bits, step) in given.items() if bits & mask} or None

    def copy(self, obj: Obj, depth: int) -> Obj:
        have = self.copies.get(obj)
        if have is not None:
            return have
        if len(self.copies) >= MAX_COPIES or depth > 4:
            return obj
        made = Obj(obj.kind, obj.site, obj.cls, obj.open, None, obj.proto)
        made.home = obj.home
        made.library = obj.library
        made.outer = self.value(obj.outer, depth + 1) if obj.outer is not None else None
        self.copies[obj] = made
        self.machine.heap[made] = {
            self.value(name) if name.__class__ is Value else name: self.value(item, depth + 1)
            for name, item in self.summary.heap[obj].items()
        }
        return made

    def run(self) -> Value:
        found = self.summary
        for param, name, value in found.effects:
            index = found.params[param]
            target = self.argument(index)
            if target is None:
                continue
            made = self.value(value)
            if name.__class__ is Value:
                name = self.value(name)
            for ref in target.refs:
                if ref.__class__ is Obj:
                    self.machine.write(ref, name, made, weak=name == "*" or len(target.refs) > 1)
        if found.sinks:
            self.machine.steps += len(found.sinks) >> 2  # many sinks are work
            self.sinks()
        if found.raised is not None:
            self.frame.note_raise(self.value(found.raised))
        elif self.frame.tries:
            self.frame.note_raise(None)
        return NEVER if found.result is NEVER else self.value(found.result)

    def sinks(self) -> None:
        index = self.frame.module.index
        for hit in self.summary.sinks.values():
            given = self.label_taint(hit.label)
            if not given:
                continue
            self.machine.steps += len(given)
            text = f"passed to `{self.fn.ir.name or 'function'}`"
            for label, (bits, step) in given.items():
                if bits & hit.sink.bit:
                    way = Step(index, self.span, text, step, hit.step)
                    built = hit.built or bool(bits & self.machine.built_bit)
                    self.machine.flow(hit.sink, hit.fn, hit.span, label, bits, way, built)


def apply(frame: Frame, found: Summary, ref: FuncRef, given: Arguments, span: int) -> Value:
    """The result of a call by summary; effects and sinks happen in the caller's context."""
    if found.plain:
        if frame.tries:
            frame.note_raise(None)
        return found.result
    return Application(frame, found, ref, given, span).run()


def snapshot(
    found: Summary, heap: dict[Any, dict[Any, Value]], before: dict[Obj, dict[Any, Value]], shared: dict[Any, Any]
) -> None:
    """Take from the heap what the summary refers to: effects on parameters, and objects reachable from the result.

    Objects that are ``shared`` and have been written here are the call's own from now on.
    """
    for param in found.params:
        fields = heap.get(param)
        if not fields:
            continue
        old = before.get(param, {})
        for name, value in fields.items():
            if old.get(name) is not value and len(found.effects) < MAX_EFFECTS:
                if only_derived(param, name, value):
                    continue
                found.effects.append((param, name, value))
    queue = [value for _, _, value in found.effects]
    if found.result.refs:
        queue.insert(0, found.result)
    if found.raised is not None:
        queue.append(found.raised)
    while queue and len(found.heap) < MAX_COPIES:
        value = queue.pop()
        for ref in value.refs:
            if ref.__class__ is Obj and ref not in found.params and ref not in found.heap and ref in heap:
                fields = heap[ref]
                found.heap[ref] = fields
                if ref in shared:
                    found.fresh.add(ref)
                queue.extend(fields.values())
    if found.heap:
        mark_fresh(found)
    found.plain = (
        not found.effects
        and not found.sinks
        and found.raised is None
        and not found.result.taint
        and not depends(found, found.result)
    )


def mark_fresh(found: Summary) -> None:
    """Objects that hold parameters' data, directly or inside, must be made anew for every call."""
    changed = True
    while changed:
        changed = False
        for obj, fields in found.heap.items():
            if obj not in found.fresh and any(depends(found, value) for value in fields.values()):
                found.fresh.add(obj)
                changed = True


def depends(found: Summary, value: Value) -> bool:
    if value.taint and any(label.kind == "param" for label in value.taint):
        return True
    return any(ref.__class__ is Obj and (ref in found.params or ref in found.fresh) for ref in value.refs)


def only_derived(param: Obj, name: Any, value: Value) -> bool:
    """A field that was only read (the machine remembers reads): its taint is just the parameter's own field."""
    if param.label is None or not value.taint or value.const is not NOT_CONST:
        return False
    return all(
        label.kind == "param" and label.index == param.label.index and label.path == (*param.label.path, name)
        for label in value.taint
    )
