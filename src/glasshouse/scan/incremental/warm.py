"""An analysis that takes from an earlier one every root whose dependencies are as they were.

The order is that of a full analysis: to check a root is to go through what it looked at, in order, and to settle on the
way, one after the other, the roots it asked for.  Where that order cannot be kept, ``Abort`` asks for a full analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.incremental.compare import same_result
from glasshouse.scan.incremental.decode import Decoder, Lazy, LazyBase
from glasshouse.scan.incremental.encode import UNPACK, encode_root
from glasshouse.scan.incremental.numbers import MODULE_RANGE, Numbers
from glasshouse.scan.incremental.snapshot import MAX_FRAMES, RESULTS, Root, Snapshot, cross_name, look_up
from glasshouse.scan.incremental.trace import Record, Trace
from glasshouse.scan.interp.frame import Frame
from glasshouse.scan.interp.machine import Machine
from glasshouse.scan.program import Cls, Fn, Module

NEW, CHECKING, RUNNING, CLEAN, SAME, DIFFERENT, STALE = range(7)
SETTLED = frozenset([CLEAN, SAME, DIFFERENT])
GOOD = frozenset([CLEAN, SAME])


class Abort(BaseException):
    """The earlier analysis does not help; everything must be analysed."""


class NeedsRun(BaseException):
    """A root that is only being checked is looked at from inside: it must be run."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class WarmTrace(Trace):
    """See the module docstring.  ``edited``: old and new IR of changed files, by module number."""

    def __init__(
        self,
        machine: Machine,
        snapshot: Snapshot,
        numbers: Numbers,
        edited: Mapping[int, tuple[ir.File, ir.File] | None],
        same_names: bool,
    ) -> None:
        super().__init__(machine)
        self.snapshot = snapshot
        self.numbers = numbers
        self.edited = edited
        self.same_names = same_names
        self.roots: list[Root] = snapshot.roots
        self.status = [NEW] * len(self.roots)
        self.by_key = {(root.kind, root.target): number for number, root in enumerate(self.roots)}
        self.state: dict[int, bool] = {}  # cells whose state cannot change any more
        self.decoders: dict[int, Decoder] = {}
        self.base = LazyBase()
        machine.base = self.base
        self.crossed = {tuple(item) for item in snapshot.crossed}
        self.crossings: list[Any] = []
        self.risks: dict[int, list[Any]] = {}  # what was changed while a root was checked that then had to be run
        self.encode = self.encoded
        self.run_count = 0
        self.class_owner = {cls: number for number, root in enumerate(self.roots) for cls in root.ran}

    # --- numbers ------------------------------------------------------------------------------------------------

    def fn(self, number: int) -> Fn:
        found: Fn | None = self.numbers.fn_of.get(number)
        if found is None:
            raise Abort
        return found

    def cls(self, number: int) -> Cls:
        found: Cls | None = self.numbers.cls_of.get(number)
        if found is None:
            raise Abort
        return found

    def module(self, number: int) -> Module:
        found: Module | None = self.numbers.modules[number]
        if found is None:
            raise Abort
        return found

    def index_of(self, number: int) -> int:
        return self.module(number).index

    def number_of(self, kind: str, target: Any) -> int | None:
        if target.__class__ is Module:
            number = self.numbers.by_index[target.index]
        else:
            number = self.numbers.functions[target] if target.__class__ is Fn else self.numbers.classes[target]
        return self.by_key.get((kind, number))

    def target(self, root: Root) -> Any:
        if root.kind in "md":
            return self.numbers.modules[root.target]
        return self.numbers.fn_of.get(root.target) if root.kind in "se" else self.numbers.cls_of.get(root.target)

    # --- roots --------------------------------------------------------------------------------------------------

    def settled(self, kind: str, target: Any) -> bool:
        number = self.number_of(kind, target)
        if kind == "c" and (number is None or self.status[number] == NEW):
            self.owner_checked(target)
        if number is None:
            return False
        status = self.status[number]
        if status == CHECKING:
            raise NeedsRun(number)
        if status == NEW:
            self.check(number)
            status = self.status[number]
        if status == CLEAN:
            self.put_in_place(number, target)
            return True
        return False

    def owner_checked(self, cls: Cls) -> None:
        """A class whose body may have been run by a root that is only being checked."""
        owner = self.class_owner.get(self.numbers.classes[cls])
        if owner is not None and self.status[owner] == CHECKING:
            raise NeedsRun(owner)

    def visit(self, kind: str, target: Any, run: Callable[[], object]) -> None:
        """Settle a root without need of its result."""
        number = self.number_of(kind, target)
        if number is not None and self.status[number] in (NEW, STALE):
            if self.status[number] == NEW:
                self.check(number)
            if self.status[number] == STALE:
                run()
        elif number is None:
            run()

    def plan(self, module: Module) -> Any:
        number = self.number_of("d", module)
        if number is None or self.status[number] != CLEAN:
            return None
        entries = self.machine.matchers[module.language].entries
        return [(self.fn(fn), entries[at]) for fn, at in UNPACK(self.snapshot.results[number])]

    def done(self, kind: str, target: Any) -> bool:
        number = self.number_of(kind, target)
        return number is None or self.status[number] != RUNNING

    def check(self, number: int) -> None:
        """Find out whether an earlier result holds: the root is clean then, else stale."""
        root = self.roots[number]
        target = self.target(root)
        if target is None:
            raise Abort
        module = target if target.__class__ is Module else target.module
        if root.again or self.numbers.by_index[module.index] in self.edited:
            self.status[number] = STALE
            return
        for cell in root.deps:
            if not self.fixed(cell):
                self.status[number] = STALE
                return
        self.status[number] = CHECKING
        machine = self.machine
        saved, active, depth, crossings = machine.state(), set(machine.active), len(self.stack), len(self.crossings)
        if root.kind == "s":
            machine.active.add(target)
        holds = False
        try:
            for cell in root.deps:
                if not self.holds(cell):
                    break
            else:
                holds = True
        except NeedsRun as need:
            self.unwind(depth)
            machine.restore(saved)
            self.enter(self.stack[-1] if self.stack else self.wide)
            machine.active = active
            if need.number != number:
                self.status[number] = NEW
                raise
        machine.active = active
        if holds:
            self.status[number] = CLEAN
            self.apply(number, root)
            return
        if len(self.crossings) != crossings:
            self.risks[number] = self.crossings[crossings:]
        self.status[number] = STALE

    def unwind(self, depth: int) -> None:
        """Roots that were begun and left: as if they had never been."""
        while len(self.stack) > depth:
            record = self.stack.pop()
            if record.crosses:
                raise Abort
            if record.number < len(self.roots):
                self.status[record.number] = STALE
            del self.records[record.kind, record.target]
            for fn in record.registered:
                self.machine.registered.discard(fn)
            for cls in record.ran:
                cls.ran = False
                cls.attrs = {}
                self.owner.pop(cls, None)
            modules = self.machine.modules
            if record.kind == "m":
                modules.frames.pop(record.target.index, None)
                record.target.env = None
            elif record.kind == "x":
                modules.states.pop(record.target, None)

    def run(self, number: int) -> None:
        """Run a stale root for its result."""
        root = self.roots[number]
        target = self.target(root)
        machine = self.machine
        if root.kind == "s":
            machine.summary_of(target)
        elif root.kind == "m":
            machine.modules.ensure(target)
        elif root.kind == "c":
            machine.modules.ensure_class(target)
        elif root.kind == "x":
            machine.modules.state_of(target)

    def settle(self, number: int) -> bool:
        """Make a root's result known; whether it is as it was."""
        status = self.status[number]
        if status == NEW:
            self.check(number)
            status = self.status[number]
        if status == STALE:
            self.run(number)
            status = self.status[number]
        return status in GOOD

    def begin(self, kind: str, target: Any) -> None:
        self.run_count += 1
        if self.machine.budget.frames > MAX_FRAMES:
            raise Abort
        super().begin(kind, target)

    def made(self, kind: str, target: Any) -> Record:
        number = self.number_of(kind, target)
        if number is None:
            number = len(self.roots) + len(self.records)
        else:
            self.status[number] = RUNNING
        record = self.records[kind, target] = Record(kind, target, number)
        return record

    def finish(self, record: Record, result: Any) -> None:
        super().finish(record, result)
        number = record.number
        if record.capped or self.too_late(record):
            raise Abort
        self.risks.pop(number, None)
        if number < len(self.roots):
            before = self.snapshot.results[number]
            same = bool(before and record.payload and same_result(before, record.payload))
            self.status[number] = SAME if same or record.kind not in RESULTS else DIFFERENT

    def too_late(self, record: Record) -> bool:
        """Whether a root read, after it was changed, what it should have read before."""
        for number in self.risks:
            if number == record.number or any(item.number == number for item in self.stack):
                for item in self.risks[number]:
                    if item in record.seen or item in record.deps or item in record.crosses:
                        return True
                    if item.__class__ is tuple and item[0] in record.deps:
                        return True
        return False

    def encoded(self, record: Record, result: Any) -> bytes | None:
        for cls in (record.target,) if record.target.__class__ is Cls else ():
            self.numbers.classes.setdefault(cls, -1)
        return encode_root(self, record, result, self.numbers) if record.kind in RESULTS else None

    # --- taking results ------------------------------------------------------------------------------------------

    def apply(self, number: int, root: Root) -> None:
        """What a clean root does to the state that all share."""
        machine = self.machine
        target = self.target(root)
        for position, cls_number in enumerate(root.ran):
            cls = self.cls(cls_number)
            cls.ran = True
            cls.attrs = Lazy(self.attrs_loader(number, position))
        if root.kind == "m":
            target.env = Lazy(self.env_loader(number))
        if root.found:
            machine.registered.update(self.fn(fn) for fn in UNPACK(root.found)[2])
        machine.budget.spend(target.functions[0] if root.kind in "md" else self.any_fn(target), root.steps, False)

    def any_fn(self, target: Any) -> Fn:
        fn: Fn = target if target.__class__ is Fn else target.module.functions[0]
        return fn

    def attrs_loader(self, number: int, position: int) -> Callable[[], dict[Any, Any]]:
        def load() -> dict[Any, Any]:
            decoder = self.decoder(number)
            return decoder.fields(decoder.ran[position][1]) or {}

        return load

    def env_loader(self, number: int) -> Callable[[], dict[Any, Any]]:
        def load() -> dict[Any, Any]:
            decoder = self.decoder(number)
            return decoder.fields(decoder.main[0]) or {}

        return load

    def decoder(self, number: int) -> Decoder:
        found = self.decoders.get(number)
        if found is None:
            status = self.status[number] if number < len(self.status) else NEW
            if status == CHECKING:
                raise NeedsRun(number)
            if status != CLEAN:
                raise Abort
            found = self.decoders[number] = Decoder(self, number, UNPACK(self.snapshot.results[number]))
        return found

    def put_in_place(self, number: int, target: Any) -> None:
        """The result of a clean root, where the interpreter looks for it."""
        kind = self.roots[number].kind
        if kind == "s":
            target.summary = self.decoder(number).summary()
        elif kind == "x":
            decoder = self.decoder(number)
            fields, fresh = decoder.main
            self.machine.modules.states[target] = decoder.fields(fields) or {}
            for owner, position in fresh:
                obj = self.shared(owner, position)
                if owner in self.decoders:
                    source = self.decoders[owner]
                    dict.__setitem__(self.base, obj, source.fields(source.contents[position][7]) or {})
                else:
                    made = self.made_summary(owner)
                    dict.__setitem__(self.base, obj, made.heap[obj])

    def made_summary(self, number: int) -> Any:
        return self.target(self.roots[number]).summary

    def put(self, number: int, position: int, item: Any) -> None:
        self.items[number, position] = item
        self.names[item] = (number, position)

    def shared(self, number: int, position: int) -> Any:
        found = self.items.get((number, position))
        return self.decoder(number).item(position) if found is None else found

    def module_frame(self, number: int) -> Frame:
        module = self.module(number)
        frames = self.machine.modules.frames
        found = frames.get(module.index)
        if found is None:
            root = self.by_key.get(("m", number))
            if root is None:
                raise Abort
            if self.status[root] == CHECKING:
                raise NeedsRun(root)
            if module.env is None:
                raise Abort
            found = frames[module.index] = Frame(self.machine, module.functions[0], module.env, None, None)
            found.exit_env = module.env
        return found

    # --- looking again at what was looked at ---------------------------------------------------------------------

    def fixed(self, cell: int) -> bool:
        """False if a cell differs that does not depend on what the root itself sets going."""
        known = self.state.get(cell)
        if known is not None:
            return known
        data = self.snapshot.cells[cell]
        kind = data[0]
        if kind == "b":
            result = self.same_body(data[1])
        elif kind == "z":
            fn = self.numbers.fn_of.get(data[1])
            result = fn is not None and look_up(self.machine, self.numbers, ("z", fn), None) == data
        elif kind in "tpfvnih":
            result = self.same_names or self.same_look_up(data)
        else:
            return kind not in "wlay" or self.holds(cell)
        self.state[cell] = result
        return result

    def holds(self, cell: int) -> bool:
        known = self.state.get(cell)
        if known is not None:
            return known
        data = self.snapshot.cells[cell]
        kind = data[0]
        if kind in "smxo":
            number = data[1] if kind == "o" else self.by_key.get((kind, data[1]), -1)
            return self.result_holds(cell, kind, number)
        if kind == "a":
            return self.numbers.fn_of.get(data[1]) in self.machine.active
        if kind == "k":
            return self.class_holds(data)
        if kind == "r":
            fn = self.numbers.fn_of.get(data[1])
            return fn is not None and (fn in self.machine.registered) == data[2]
        number = data[1] if kind == "l" else self.by_key.get(("m" if kind == "w" else "x", data[1]), -1)
        return number >= 0 and self.status[number] == CHECKING

    def result_holds(self, cell: int, kind: str, number: int) -> bool:
        if number < 0:
            return False
        status = self.status[number]
        if status not in SETTLED:
            if kind == "o" or status in (CHECKING, RUNNING):
                return False
            if self.target(self.roots[number]) is None:
                return False
            self.settle(number)
            status = self.status[number]
            if status not in SETTLED:
                return False
        result = self.state[cell] = status in GOOD
        return result

    def class_holds(self, data: list[Any]) -> bool:
        _, number, ran, owner = data
        cls: Cls | None = self.numbers.cls_of.get(number)
        if cls is None:
            return False
        if owner >= 0 and self.status[owner] == CHECKING:
            return True
        return cls.ran is bool(ran)

    def same_body(self, number: int) -> bool:
        fn: Fn | None = self.numbers.fn_of.get(number)
        if fn is None:
            return False
        module, position = divmod(number, MODULE_RANGE)
        if module not in self.edited:
            return True
        pair = self.edited[module]
        return pair is not None and pair[0].functions[position] == fn.ir and imports_of(pair[0]) == imports_of(pair[1])

    def same_look_up(self, data: list[Any]) -> bool:
        kind = data[0]
        program, numbers = self.machine.program, self.numbers
        saved, program.deps = program.deps, {}
        try:
            key: tuple[Any, ...]
            found: Any
            if kind in "tp":
                module = self.module(data[1])
                if kind == "t":
                    found, key = program.type_of(module, data[2]), ("t", module, data[2])
                else:
                    found, key = program.find_module(module, data[2], data[3]), ("p", module, data[2], data[3])
            elif kind == "n":
                found, key = program.methods_named.get(data[1]), ("n", data[1])
            else:
                cls = numbers.cls_of.get(data[1])
                if cls is None:
                    return False
                if kind == "f":
                    found, key = program.find_method(cls, data[2], data[3]), ("f", cls, data[2], data[3])
                elif kind == "v":
                    found = program.overrides(cls, data[2], data[3], data[4])
                    key = ("v", cls, data[2], data[3], data[4])
                elif kind == "i":
                    found, key = self.machine.modules.inner_class(cls, data[2]), ("i", cls, data[2])
                else:
                    found, key = program.supers(cls), ("h", cls)
            return look_up(self.machine, numbers, key, found) == data
        finally:
            program.deps = saved

    # --- changes from elsewhere ----------------------------------------------------------------------------------

    def crossing(self, item: Any) -> None:
        name = cross_name(self, self.numbers, item)
        if name is None or tuple(name) not in self.crossed:
            raise Abort
        self.crossings.append(item)
        self.current.crosses.append(item)

    def published(self, heap: dict[Any, Any], base: dict[Any, Any]) -> None:
        for obj, fields in heap.items():
            if obj.__class__ in (Fn, Cls) or obj.kind == "ambient":
                if base.get(obj) is not fields:
                    self.crossing(obj)
                continue
            name = self.names.get(obj)
            if name is not None and name[0] != self.current.number and base.get(obj) is not fields:
                self.crossing(obj)
            self.base.pending.pop(obj, None)

    def wrote_variable(self, module: Module, name: str) -> None:
        if not (self.current.kind == "m" and self.current.target is module):
            self.crossing((module, name))

    def wrote_frame(self, frame: Any) -> None:
        name = self.names.get(frame)
        if name is not None and name[0] != self.current.number:
            self.crossing(frame)


def imports_of(file: ir.File) -> list[tuple[Any, ...]]:
    return [(item.local, item.module, item.name, item.level, item.static) for item in file.imports]
