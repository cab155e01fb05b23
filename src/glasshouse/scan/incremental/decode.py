"""Results of roots back from MessagePack, each when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.incremental.encode import FIXED
from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.summary import SinkHit, Summary
from glasshouse.scan.interp.values import (
    NOT_CONST,
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
    from glasshouse.scan.incremental.warm import WarmTrace


class Lazy(dict[Any, Any]):
    """A dict that is filled when it is first used."""

    __slots__ = ("load",)

    def __init__(self, load: Callable[[], dict[Any, Any]]) -> None:
        dict.__init__(self)
        self.load: Callable[[], dict[Any, Any]] | None = load

    def fill(self) -> None:
        load, self.load = self.load, None
        if load is not None:
            dict.update(self, load())

    def get(self, name: Any, default: Any = None) -> Any:
        if self.load is not None:
            self.fill()
        return dict.get(self, name, default)

    def __getitem__(self, name: Any) -> Any:
        if self.load is not None:
            self.fill()
        return dict.__getitem__(self, name)

    def __setitem__(self, name: Any, value: Any) -> None:
        if self.load is not None:
            self.fill()
        dict.__setitem__(self, name, value)

    def __contains__(self, name: Any) -> bool:
        if self.load is not None:
            self.fill()
        return dict.__contains__(self, name)

    def __iter__(self) -> Any:
        if self.load is not None:
            self.fill()
        return dict.__iter__(self)

    def __len__(self) -> int:
        if self.load is not None:
            self.fill()
        return dict.__len__(self)

    def items(self) -> Any:
        if self.load is not None:
            self.fill()
        return dict.items(self)

    def keys(self) -> Any:
        if self.load is not None:
            self.fill()
        return dict.keys(self)

    def values(self) -> Any:
        if self.load is not None:
            self.fill()
        return dict.values(self)


class LazyBase(dict[Any, Any]):
    """Fields of shared objects; those of objects that were read back are decoded when asked for."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        dict.__init__(self)
        self.pending: dict[Any, Callable[[], Any]] = {}

    def get(self, obj: Any, default: Any = None) -> Any:
        found = dict.get(self, obj)
        if found is None and self.pending:
            load = self.pending.pop(obj, None)
            if load is not None:
                found = load()
                if found is not None:
                    dict.__setitem__(self, obj, found)
        return default if found is None else found


class Decoder:
    """Decodes what one root left behind."""

    def __init__(self, trace: WarmTrace, number: int, data: list[Any]) -> None:
        self.trace = trace
        self.machine = trace.machine
        self.numbers = trace.numbers
        self.number = number
        self.main, self.ran, self.nodes, self.contents = data
        self.made: dict[int, Any] = {}

    def const(self, data: list[Any]) -> Any:
        if not data:
            return NOT_CONST
        if data[0] == 0:
            return data[1]
        if data[0] == 1:
            return tuple(self.const(item) for item in data[1])
        return int(data[1]) if data[0] == 2 else data[1].decode("utf-8", "surrogatepass")

    def value(self, index: int) -> Value:
        if index < 0:
            return FIXED[-1 - index]
        have: Value | None = self.made.get(index)
        if have is not None:
            return have
        _, const, taint, refs, path = self.nodes[index]
        value = self.made[index] = Value(self.const(const), None, (), path)
        if taint is not None:
            value.taint = {self.label(label): (mask, self.step(way)) for label, mask, way in taint}
        value.refs = tuple([self.ref(ref) for ref in refs])
        return value

    def label(self, data: list[Any]) -> Label:
        if len(data) == 2:
            return self.machine.param_label(data[0], tuple(data[1]))
        kind, source, text, (module, span) = data
        return self.machine.source_label(kind, source, text, (self.trace.index_of(module), span))

    def step(self, index: int) -> Step | None:
        if index < 0:
            return None
        chain = []
        while index >= 0 and index not in self.made:
            chain.append(index)
            index = self.nodes[index][4]
        last: Step | None = self.made[index] if index >= 0 else None
        for number in reversed(chain):
            _, module, span, text, _, inner = self.nodes[number]
            last = self.made[number] = Step(self.trace.index_of(module), span, text, last, self.step(inner))
        return last

    def ref(self, data: list[Any]) -> Any:
        kind = data[0]
        if kind == 0:
            return self.trace.shared(data[1], data[2])
        if kind == 1:
            return self.function(data[1])
        if kind == 2:
            return ClassRef(self.trace.cls(data[1]), self.frame(data[2]))
        if kind == 3:
            return ModuleRef(self.trace.module(data[1]))
        if kind == 4:
            return Bound(self.value(data[1]), data[2])
        if kind == 5:
            return SuperRef(self.trace.cls(data[1]), self.value(data[2]))
        module = self.trace.module(data[1])
        return self.machine.ambient_of(module.index).refs[0]

    def function(self, index: int) -> FuncRef | None:
        if index < 0:
            return None
        have: FuncRef | None = self.made.get(index)
        if have is None:
            _, fn, frame, this = self.nodes[index]
            have = self.made[index] = FuncRef(self.trace.fn(fn))
            have.frame = self.frame(frame)
            have.this = None if this is None else self.value(this)
        return have

    def frame(self, data: list[int]) -> Frame | None:
        if not data:
            return None
        if len(data) == 1:
            return self.trace.module_frame(data[0])
        found: Frame = self.trace.shared(data[0], data[1])
        return found

    def key(self, data: list[Any]) -> Any:
        return self.value(data[1]) if data and data[0] == 9 else self.const(data)

    def fields(self, data: list[Any] | None) -> dict[Any, Value] | None:
        return None if data is None else {self.key(key): self.value(value) for key, value in data}

    def item(self, position: int) -> Any:
        """A shared object or frame; fields are left for later."""
        data = self.contents[position]
        if data[0] == 1:
            frame: Frame = Frame(
                self.machine, self.trace.fn(data[1]), Lazy(lambda: self.fields(data[2]) or {}), None, None
            )
            self.trace.put(self.number, position, frame)
            frame.this = None if data[3] is None else self.value(data[3])
            frame.closure = self.frame(data[4])
            frame.exit_env = frame.env
            return frame
        _, kind, cls, is_open, label, proto, home, fields = data
        obj = Obj(kind, (0, 0), None if cls < 0 else self.trace.cls(cls), is_open)
        self.trace.put(self.number, position, obj)
        obj.label = None if label is None else self.label(label)
        obj.proto = self.function(proto)
        obj.home = self.frame(home)
        if fields is not None and not self.is_fresh(position):
            self.trace.base.pending[obj] = lambda: self.fields(fields)
        return obj

    def is_fresh(self, position: int) -> bool:
        """Whether the fields are a summary's own, made anew for every call."""
        if self.main is None or len(self.main) != 7:
            return False
        return any(fresh and (number, at) == (self.number, position) for number, at, _, fresh in self.main[4])

    def summary(self) -> Summary:
        result, raised, params, effects, heap, sinks, capped = self.main
        found = Summary()
        shared = self.trace.shared
        found.params = {shared(number, at): index for number, at, index in params}
        found.result = self.value(result)
        found.raised = None if raised is None else self.value(raised)
        found.effects = [(shared(no, at), self.key(key), self.value(value)) for no, at, key, value in effects]
        for number, at, fields, fresh in heap:
            obj = shared(number, at)
            found.heap[obj] = self.fields(fields) or {}
            if fresh:
                found.fresh.add(obj)
        for sink, fn, span, label, step, built in sinks:
            hit = SinkHit(self.numbers.sinks[sink], self.trace.fn(fn), span, self.label(label), self.step(step), built)
            found.sinks[hit.sink.rule.id, hit.fn.module.index, span, hit.label] = hit
        found.capped = capped
        return found
