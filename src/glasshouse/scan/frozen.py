"""The state that running all modules leaves, as plain data, and a machine that takes from it what it needs.

A state is a table of nodes (values, objects, functions as values, frames, labels, steps), each written once, and the
tables of names that lead to them.  A machine with a state has run no module; a node is made when it is first read.
Whatever cannot be written (``Unwritable``) means that modules are run again the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.java.collections import TRUE_VALUE
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.interp.php.constants import CONSTANTS as PHP_CONSTANTS
from glasshouse.scan.interp.php.scope import PHP
from glasshouse.scan.interp.python_builtins import CONSTANTS
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
from glasshouse.scan.languages import INTERPRETED
from glasshouse.scan.outcomes import Numbers
from glasshouse.scan.program import Cls, Fn, Module

SHARED = (UNKNOWN, NONE, TRUE, FALSE, TRUE_VALUE, PHP, *CONSTANTS.values(), *PHP_CONSTANTS.values())  # told by identity
BIG = 1 << 62
SERIES: dict[type, str] = {tuple: "t", list: "l", frozenset: "f", set: "s"}
SERIES_OF: dict[str, Callable[[Iterator[Any]], Any]] = {"t": tuple, "l": list, "f": frozenset, "s": set}
Table = list[tuple[Any, int]]  # name, node


class State(msgspec.Struct, array_like=True):
    """See the module docstring.  The tables are by module, by class, and by name; -1 is no node."""

    nodes: list[list[Any]]
    modules: list[Table]
    frames: list[int]
    classes: list[Table | None]  # None: has not been run
    fields: list[tuple[int, int, Table]]  # of functions (0) and classes (1): their number and what was written to them
    registered: list[int]
    patched: list[int]
    names: list[Table]  # of builtins, of names that nothing defines, of global objects, of patterns
    checked: list[int] = []


class LazyState(State, array_like=True):
    """The same with nodes that are decoded when they are first read."""

    nodes: list[msgspec.Raw]  # type: ignore[assignment]


NODE: msgspec.msgpack.Decoder[list[Any]] = msgspec.msgpack.Decoder(list[Any])


class UnwritableError(Exception):
    """A value for which there is no plain form."""


class GoneError(Exception):
    """A function of the state is no longer there."""


# --- writing ---------------------------------------------------------------------------------------------------------


class StateWriter:
    """Makes a ``State`` of a machine that has run all modules and no roots."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.numbers = Numbers(machine.program)
        self.nodes: list[list[Any]] = []
        self._known: dict[int, int] = {id(value): number for number, value in enumerate(SHARED)}
        self._keep: list[Any] = []
        self._pending: list[tuple[int, Any]] = []
        self._envs = {id(module.env): module.index for module in machine.program.modules if module.env is not None}
        self._bodies = {id(cls.attrs): number for number, cls in enumerate(self.numbers.classes) if cls.ran}
        self.nodes.extend([] for _ in SHARED)

    def state(self) -> State:
        machine, numbers, modules = self.machine, self.numbers, self.machine.modules
        program = machine.program
        envs = [self.table(module.env or {}) for module in program.modules]
        frames = [self.node(modules.frames.get(module.index)) for module in program.modules]
        classes = [self.table(cls.attrs) if cls.ran else None for cls in numbers.classes]
        fields: list[tuple[int, int, Table]] = []
        for owner, table in machine.base.items():
            if owner.__class__ is Fn:
                fields.append((0, numbers.fn(owner), self.table(table)))
            elif owner.__class__ is Cls:
                fields.append((1, numbers.cls(owner), self.table(table)))
        registered = sorted(map(numbers.fn, machine.units.open[0].registered))
        checked = sorted(map(numbers.fn, machine.units.open[0].checked))
        patched = sorted(map(numbers.cls, machine.patched))
        tables = (modules.builtins, modules.unbound, machine.ambient, machine.patterns)
        self._finish()
        names = [self.table(self.reached(table)) for table in tables]
        return State(self.nodes, envs, frames, classes, fields, registered, patched, names, checked)

    def reached(self, table: dict[Any, Any]) -> dict[Any, Any]:
        """Of things that are made when they are first named, those that something holds."""
        return {name: table[name] for name in sorted(table, key=repr) if id(table[name]) in self._known}

    def table(self, table: dict[Any, Any]) -> Table:
        return [(self.name(name), self.node(value)) for name, value in table.items()]

    def name(self, name: Any) -> Any:
        """A name of a variable or field; a field's may be a value."""
        return ["v", self.node(name)] if name.__class__ is Value else self.plain(name)

    def node(self, item: Any) -> int:
        """The number of a node, which is written later."""
        if item is None:
            return -1
        known = self._known.get(id(item))
        if known is None:
            known = self._known[id(item)] = len(self.nodes)
            self.nodes.append([])
            self._keep.append(item)  # so that no other takes its identity
            self._pending.append((known, item))
        return known

    def _finish(self) -> None:
        while self._pending:
            number, item = self._pending.pop()
            write = WRITERS.get(item.__class__)
            if write is None:
                raise UnwritableError(type(item).__name__)
            self.nodes[number] = write(self, item)

    def plain(self, item: Any) -> Any:
        """A constant; what MessagePack does not tell apart gets a tag."""
        kind = item.__class__
        if item is None or kind in (bool, str, float, bytes) or (kind is int and -BIG < item < BIG):
            return item
        if kind is int:
            return ["i", hex(item)]
        if kind in SERIES:
            return [SERIES[kind], [self.plain(each) for each in item]]
        if kind is dict:
            return ["d", [(self.plain(key), self.plain(value)) for key, value in item.items()]]
        raise UnwritableError(kind.__name__)

    def value(self, item: Value) -> list[Any]:
        taint = self.node(item.taint) if item.taint is not None else -1
        refs = [self.node(ref) for ref in item.refs]
        if item.const is NOT_CONST:
            return [0, taint, refs, item.path]
        return [1, taint, refs, item.path, self.plain(item.const)]

    def taint(self, item: dict[Label, Any]) -> list[Any]:
        return [2, [(self.node(label), self.plain(mask), self.node(step)) for label, (mask, step) in item.items()]]

    def label(self, item: Label) -> list[Any]:
        return [3, item.kind, item.index, list(item.path), item.source, item.text, *item.place]

    def step(self, item: Step) -> list[Any]:
        return [4, item.file, item.span, item.text, self.node(item.before), self.node(item.inner)]

    def obj(self, item: Obj) -> list[Any]:
        cls = self.numbers.cls(item.cls) if item.cls is not None else -1
        fields = self.machine.base.get(item)
        table = self.table(fields) if fields is not None else None
        links = [self.node(link) for link in (item.label, item.proto, item.home, item.outer)]
        return [5, item.kind, *item.site, cls, item.open, item.library, links, table]

    def func(self, item: FuncRef) -> list[Any]:
        return [6, self.numbers.fn(item.fn), self.node(item.frame), self.node(item.this)]

    def cls(self, item: ClassRef) -> list[Any]:
        return [7, self.numbers.cls(item.cls), self.node(item.frame)]

    def module(self, item: ModuleRef) -> list[Any]:
        return [8, item.module.index]

    def bound(self, item: Bound) -> list[Any]:
        return [9, self.node(item.receiver), item.name]

    def above(self, item: SuperRef) -> list[Any]:
        return [10, self.numbers.cls(item.cls), self.node(item.this)]

    def frame(self, item: Frame) -> list[Any]:
        links = [self.numbers.fn(item.fn), self.node(item.this), self.node(item.closure)]
        module, body = self._envs.get(id(item.env)), self._bodies.get(id(item.env))
        if module is not None:
            return [11, *links, 0, module]
        if body is not None:
            return [11, *links, 1, body]
        return [11, *links, 2, self.table(item.env)]


WRITERS: dict[type, Callable[[StateWriter, Any], list[Any]]] = {
    Value: StateWriter.value,
    dict: StateWriter.taint,
    Label: StateWriter.label,
    Step: StateWriter.step,
    Obj: StateWriter.obj,
    FuncRef: StateWriter.func,
    ClassRef: StateWriter.cls,
    ModuleRef: StateWriter.module,
    Bound: StateWriter.bound,
    SuperRef: StateWriter.above,
    Frame: StateWriter.frame,
}


def written(machine: Machine) -> bytes:
    """The state of a machine that has run all modules and no roots, as MessagePack; empty if it cannot be written."""
    try:
        return msgspec.msgpack.encode(StateWriter(machine).state())
    except (UnwritableError, UnicodeEncodeError, OverflowError):
        return b""


def moved(state: State, functions: list[int], place: Callable[[int, int], int]) -> State:
    """The state with functions and places as they are now; raises what ``place`` raises, or ``GoneError``."""

    def fn(number: int) -> int:
        if functions[number] < 0:
            raise GoneError
        return functions[number]

    for row in state.nodes:
        kind = row[0] if row else -1
        if kind == LABEL and row[1] != "param":
            row[7] = place(row[6], row[7])
        elif kind == STEP:
            row[2] = place(row[1], row[2])
        elif kind == OBJ:
            row[3] = place(row[2], row[3])
        elif kind in (FUNC, FRAME):
            row[1] = fn(row[1])
    state.registered = [fn(number) for number in state.registered]
    state.checked = [fn(number) for number in state.checked]
    state.fields = [(kind, number if kind else fn(number), table) for kind, number, table in state.fields]
    return state


LABEL, STEP, OBJ, FUNC, FRAME = 3, 4, 5, 6, 11  # kinds of nodes that say where something is


# --- reading ---------------------------------------------------------------------------------------------------------


class Later(dict[Any, Any]):
    """Names and what they lead to, made when it is read; until then a number stands for it."""

    __slots__ = ("_reader",)

    def __init__(self, reader: StateReader, table: Table) -> None:
        super().__init__((reader.name(name), number) for name, number in table)
        self._reader = reader

    def get(self, key: Any, default: Any = None) -> Any:
        found = dict.get(self, key, default)
        return self[key] if found.__class__ is int else found

    def __getitem__(self, key: Any) -> Any:
        found = dict.__getitem__(self, key)
        if found.__class__ is int:
            found = self._reader.node(found)
            dict.__setitem__(self, key, found)
        return found

    def __iter__(self) -> Iterator[Any]:  # without it, copies would be made past `__getitem__`
        return dict.__iter__(self)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else dict.setdefault(self, key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        if key in self:
            found = self[key]
            dict.pop(self, key)
            return found
        return dict.pop(self, key, *default)

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]


class StateReader:
    """Gives a machine that has run nothing the state of all modules.

    ``functions`` and ``place`` say where the numbers of functions and the spans of files are now; ``place`` raises for
    one that has no counterpart.
    """

    def __init__(self, machine: Machine, data: bytes, functions: list[int], place: Callable[[int, int], int]) -> None:
        self.machine = machine
        self.state = state = msgspec.msgpack.decode(data, type=LazyState)
        self.numbers = Numbers(machine.program)
        self._functions = functions
        self._place = place
        self._made: list[Any] = [*SHARED, *([None] * (len(state.nodes) - len(SHARED)))]

    def install(self) -> None:
        machine, state, classes = self.machine, self.state, self.numbers.classes
        modules = machine.modules
        for module, table in zip(machine.program.modules, state.modules, strict=True):
            if module.language in INTERPRETED:
                module.env = Later(self, table)
        for cls, attrs in zip(classes, state.classes, strict=True):
            if attrs is not None:
                cls.ran, cls.attrs = True, Later(self, attrs)
        for kind, number, table in state.fields:
            owner: Any = classes[number] if kind else self.fn(number)
            machine.base[owner] = Later(self, table)
        machine.units.open[0].registered = {self.fn(number) for number in state.registered}
        machine.units.open[0].checked = {self.fn(number) for number in state.checked}
        machine.patched = {classes[number] for number in state.patched}
        modules.builtins, modules.unbound, machine.ambient, machine.patterns = (
            Later(self, table) for table in state.names
        )
        modules.frames = Later(self, [(index, node) for index, node in enumerate(state.frames) if node >= 0])
        machine.units.frozen = True

    def define(self, module: Module, cls: int, name: str, fn: Fn | None) -> None:
        """A definition that has come since, or (None) gone."""
        frame = self.machine.modules.frames.get(module.index)
        if frame is None or module.env is None:
            raise GoneError
        table: dict[str, Any] = module.env
        if cls >= 0:
            owner = module.classes[cls]
            if not owner.ran:
                raise GoneError
            body = Frame(self.machine, module.functions[owner.ir.body], owner.attrs, None, frame)
            body.unit, frame, table = self.machine.units.open[0], body, owner.attrs
        if fn is None:
            dict.pop(table, name, None)
        else:
            table[name] = Value(refs=(FuncRef(fn, frame),))

    def bind(self, module: Module, name: str, given: list[Any]) -> None:
        """A name that has been given a constant, or a module or a name in it, since (see ``definitions.Binding``)."""
        if module.env is None:
            raise GoneError
        if len(given) == 1:
            value = Value(given[0])
        else:
            target, part = given
            value = self.machine.import_value(module, target, part, 0)
            if value.refs or self.machine.program.find_module(module, target, 0) is not None:
                raise GoneError  # what a module of the program gives depends on when it is imported
        module.env[name] = value

    def fn(self, number: int) -> Fn:
        place = self._functions[number]
        if place < 0:
            raise GoneError
        return self.numbers.functions[place]

    def name(self, name: Any) -> Any:
        if name.__class__ is list:
            return self.node(name[1]) if name[0] == "v" else self.plain(name)
        return name

    def plain(self, item: Any) -> Any:
        if item.__class__ is not list:
            return item
        kind, content = item
        if kind == "i":
            return int(content, 16)
        if kind == "d":
            return {self.plain(key): self.plain(value) for key, value in content}
        return SERIES_OF[kind](self.plain(each) for each in content)

    def node(self, number: int) -> Any:
        """What a number stands for; always the same."""
        if number < 0:
            return None
        made = self._made[number]
        if made is None:
            row = NODE.decode(self.state.nodes[number])
            made = READERS[row[0]](self, number, row)
        return made

    def value(self, number: int, row: list[Any]) -> Value:
        made = self._made[number] = Value()
        if row[0]:
            made.const = self.plain(row[4])
        made.path = row[3]
        made.taint = self.node(row[1])
        made.refs = tuple(map(self.node, row[2]))
        return made

    def taint(self, number: int, row: list[Any]) -> dict[Label, Any]:
        made = self._made[number] = {}
        for label, mask, step in row[1]:
            made[self.node(label)] = (self.plain(mask), self.node(step))
        return made

    def label(self, number: int, row: list[Any]) -> Label:
        _, kind, index, path, source, text, file, span = row
        if kind == "param":
            made = self.machine.param_label(index, tuple(path))
        else:
            made = self.machine.source_label(kind, source, text, (file, self._place(file, span)))
        self._made[number] = made
        return made

    def step(self, number: int, row: list[Any]) -> Step:
        """Steps are linked without bound, so this does not recur."""
        pending = [number]
        while pending:
            item = pending[-1]
            _, file, span, text, before, inner = NODE.decode(self.state.nodes[item])
            later = [each for each in (before, inner) if each >= 0 and self._made[each] is None]
            if later and self._made[item] is None:
                pending += later
                continue
            pending.pop()
            if self._made[item] is None:
                self._made[item] = Step(file, self._place(file, span), text, self.node(before), self.node(inner))
        made: Step = self._made[number]
        return made

    def obj(self, number: int, row: list[Any]) -> Obj:
        _, kind, file, span, cls, is_open, library, links, table = row
        made = self._made[number] = Obj(kind, (file, self._place(file, span)), open=is_open)
        made.library = library
        if cls >= 0:
            made.cls = self.numbers.classes[cls]
        if table is not None:
            self.machine.base[made] = Later(self, table)
        made.label, made.proto, made.home, made.outer = map(self.node, links)
        return made

    def func(self, number: int, row: list[Any]) -> FuncRef:
        made = self._made[number] = FuncRef(self.fn(row[1]))
        made.frame, made.this = self.node(row[2]), self.node(row[3])
        return made

    def cls(self, number: int, row: list[Any]) -> ClassRef:
        made = self._made[number] = ClassRef(self.numbers.classes[row[1]])
        made.frame = self.node(row[2])
        return made

    def module(self, number: int, row: list[Any]) -> ModuleRef:
        made = self._made[number] = ModuleRef(self.machine.program.modules[row[1]])
        return made

    def bound(self, number: int, row: list[Any]) -> Bound:
        made = self._made[number] = Bound(self.node(row[1]), row[2])
        return made

    def above(self, number: int, row: list[Any]) -> SuperRef:
        made = self._made[number] = SuperRef(self.numbers.classes[row[1]], self.node(row[2]))
        return made

    def frame(self, number: int, row: list[Any]) -> Frame:
        _, fn, this, closure, kind, env = row
        made = self._made[number] = Frame(self.machine, self.fn(fn), {}, None, None)
        if kind == 0:
            module: Module = self.machine.program.modules[env]
            made.env = module.env or {}
        else:
            made.env = self.numbers.classes[env].attrs if kind == 1 else Later(self, env)
        made.unit = self.machine.units.open[0]
        made.this, made.closure = self.node(this), self.node(closure)
        return made


READERS: tuple[Callable[[StateReader, int, list[Any]], Any], ...] = (
    StateReader.value,
    StateReader.value,
    StateReader.taint,
    StateReader.label,
    StateReader.step,
    StateReader.obj,
    StateReader.func,
    StateReader.cls,
    StateReader.module,
    StateReader.bound,
    StateReader.above,
    StateReader.frame,
)
