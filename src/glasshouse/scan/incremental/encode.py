"""Results of roots as plain MessagePack: values, shared objects and frames by stable numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.summary import SinkHit, Summary
from glasshouse.scan.interp.values import (
    FALSE,
    NONE,
    NOT_CONST,
    TRUE,
    UNKNOWN,
    Bound,
    ClassRef,
    FuncRef,
    Label,
    ModuleRef,
    Obj,
    Step,
    SuperRef,
    Value,
)

if TYPE_CHECKING:
    from glasshouse.scan.incremental.numbers import Numbers
    from glasshouse.scan.incremental.trace import Record, Trace

PACK = msgspec.msgpack.Encoder().encode
UNPACK = msgspec.msgpack.Decoder().decode
FIXED: list[Value] = [UNKNOWN, NONE, TRUE, FALSE]
PLAIN = frozenset([str, int, float, bool, type(None), bytes])


class UnstorableError(Exception):
    """A result holds something that cannot be kept; its root is run again whenever it is needed."""


class Encoder:
    """Encodes the result of one root.  ``trace.names`` maps objects and frames to (root, position)."""

    def __init__(self, trace: Any, record: Record, numbers: Numbers, heap: Any, summary: bool) -> None:
        self.trace = trace
        self.record = record
        self.numbers = numbers
        self.heap = heap
        self.summary = summary
        self.nodes: list[Any] = []
        self.memo: dict[int, int] = {}
        self.keep: list[Any] = []
        self.shared: list[Any] = []  # objects and frames of this root, by position
        self.contents: list[Any] = []

    def add(self, item: Any, made: list[Any]) -> int:
        index = self.memo[id(item)] = len(self.nodes)
        self.nodes.append(made)
        self.keep.append(item)
        return index

    def const(self, const: Any) -> Any:
        if const is NOT_CONST:
            return []
        if const.__class__ is tuple:
            return [1, [self.const(item) for item in const]]
        if const.__class__ not in PLAIN:
            raise UnstorableError(repr(const.__class__))
        if const.__class__ is int and not -(1 << 63) <= const < 1 << 63:
            return [2, str(const)]
        if const.__class__ is str and not storable(const):
            return [3, const.encode("utf-8", "surrogatepass")]
        return [0, const]

    def value(self, value: Value) -> int:
        for index, item in enumerate(FIXED):
            if value is item:
                return -1 - index
        have = self.memo.get(id(value))
        if have is not None:
            return have
        made: list[Any] = [0]
        index = self.add(value, made)
        made += [
            self.const(value.const),
            None if value.taint is None else [self.mark(label, mark) for label, mark in value.taint.items()],
            [self.ref(ref) for ref in value.refs],
            value.path,
        ]
        return index

    def mark(self, label: Label, mark: tuple[int, Step | None]) -> list[Any]:
        way = -1 if self.summary and label.kind == "param" else self.step(mark[1])
        return [self.label(label), mark[0], way]

    def label(self, label: Label) -> list[Any]:
        if label.kind == "param":
            return [label.index, list(label.path)]
        place = [self.numbers.module_number(label.place[0]), label.place[1]]
        return [label.kind, label.source, label.text, place]

    def step(self, step: Step | None) -> int:
        """Steps are linked back to the source: encoded from there on."""
        chain = []
        while step is not None and id(step) not in self.memo:
            chain.append(step)
            step = step.before
        last = -1 if step is None else self.memo[id(step)]
        for item in reversed(chain):
            inner = self.step(item.inner)
            last = self.add(item, [1, self.numbers.module_number(item.file), item.span, item.text, last, inner])
        return last

    def ref(self, ref: Any) -> list[Any]:
        kind = ref.__class__
        if kind is Obj:
            if ref.kind == "ambient":
                return [7, self.numbers.module_number(ref.site[0])]
            return [0, *self.named(ref)]
        if kind is FuncRef:
            return [1, self.function(ref)]
        if kind is ClassRef:
            return [2, self.numbers.classes[ref.cls], self.frame(ref.frame)]
        if kind is ModuleRef:
            return [3, self.numbers.module_number(ref.module.index)]
        if kind is Bound:
            return [4, self.value(ref.receiver), ref.name]
        if kind is SuperRef:
            return [5, self.numbers.classes[ref.cls], self.value(ref.this)]
        raise UnstorableError(repr(kind))

    def function(self, ref: FuncRef | None) -> int:
        if ref is None:
            return -1
        have = self.memo.get(id(ref))
        if have is not None:
            return have
        made: list[Any] = [2, self.numbers.functions[ref.fn]]
        index = self.add(ref, made)
        made += [self.frame(ref.frame), None if ref.this is None else self.value(ref.this)]
        return index

    def frame(self, frame: Frame | None) -> list[int]:
        if frame is None:
            return []
        if frame is frame.machine.modules.frames.get(frame.module.index):
            return [self.numbers.module_number(frame.module.index)]
        return self.named(frame)

    def named(self, item: Any) -> list[int]:
        """The stable name of an object or frame; those met first become this root's own."""
        name = self.trace.names.get(item)
        if name is None:
            if item.__class__ is Frame and item.exit_env is None:
                raise UnstorableError("a frame that is still running")
            name = self.trace.names[item] = (self.record.number, len(self.shared))
            self.trace.owner[item] = self.record
            self.trace.items[name] = item
            self.shared.append(item)
        return [*name]

    def key(self, name: Any) -> Any:
        if name.__class__ is Value:
            return [9, self.value(name)]
        return self.const(name)

    def fields(self, fields: dict[Any, Value] | None) -> Any:
        return None if fields is None else [[self.key(name), self.value(value)] for name, value in fields.items()]

    def fill(self) -> None:
        """The contents of shared objects, until no new ones turn up."""
        while len(self.contents) < len(self.shared):
            item = self.shared[len(self.contents)]
            made: list[Any] = []
            self.contents.append(made)
            if item.__class__ is Frame:
                made += [
                    1,
                    self.numbers.functions[item.fn],
                    self.fields(item.env),
                    None if item.this is None else self.value(item.this),
                    self.frame(item.closure),
                ]
                continue
            cls = -1 if item.cls is None else self.numbers.classes[item.cls]
            label = None if item.label is None else self.label(item.label)
            fields = self.heap.get(item)
            if fields is None:
                fields = self.trace.machine.base.get(item)
            made += [0, item.kind, cls, item.open, label, self.function(item.proto), self.frame(item.home)]
            made.append(self.fields(fields))

    def hit(self, hit: SinkHit) -> list[Any]:
        return [
            self.numbers.sink(hit.sink),
            self.numbers.functions[hit.fn],
            hit.span,
            self.label(hit.label),
            self.step(hit.step),
            hit.built,
        ]

    def summarised(self, found: Summary) -> list[Any]:
        result = self.value(found.result)
        raised = None if found.raised is None else self.value(found.raised)
        params = [[*self.named(obj), index] for obj, index in found.params.items()]
        effects = [[*self.named(obj), self.key(name), self.value(value)] for obj, name, value in found.effects]
        heap = [[*self.named(obj), self.fields(fields), obj in found.fresh] for obj, fields in found.heap.items()]
        sinks = [self.hit(hit) for hit in found.sinks.values()]
        return [result, raised, params, effects, heap, sinks, found.capped]


def storable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def encode_root(trace: Trace, record: Record, result: Any, numbers: Numbers) -> bytes | None:
    """What a root leaves behind, or None if that cannot be kept."""
    machine = trace.machine
    heap = result.heap if record.kind == "s" else machine.base
    encoder = Encoder(trace, record, numbers, heap, record.kind == "s")
    try:
        main: Any = None
        if record.kind == "s":
            main = encoder.summarised(result)
        elif record.kind in ("m", "x"):
            main = [encoder.fields(result), [encoder.named(obj) for obj in record.fresh]]
        ran = [[numbers.classes[cls], encoder.fields(cls.attrs)] for cls in record.ran]
        encoder.fill()
        return PACK([main, ran, encoder.nodes, encoder.contents])
    except (UnstorableError, KeyError, RecursionError):
        return None
