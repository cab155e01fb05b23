"""What each root of an analysis looked at, and what came of it.

A root is one stretch of analysis: a module body (``m``), a class body (``c``), an entry point (``e``), a function's
summary (``s``), what constructors leave in fields (``x``), or the decorators and entry points of a module (``d``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from glasshouse.scan.interp.values import Obj
from glasshouse.scan.program import Cls, Fn, Module

if TYPE_CHECKING:
    from glasshouse.scan.interp.machine import Flow, Machine

Key = tuple[str, Any]


class Record:
    """One root.  ``deps``: what it looked at, in order, with the state seen; ``seen``: shared objects read."""

    __slots__ = (
        "calls",
        "capped",
        "crosses",
        "deps",
        "entries",
        "facts",
        "flows",
        "fresh",
        "guesses",
        "kind",
        "number",
        "payload",
        "ran",
        "registered",
        "seen",
        "steps",
        "target",
        "widened",
    )

    def __init__(self, kind: str, target: Any, number: int) -> None:
        self.kind = kind
        self.target = target
        self.number = number
        self.deps: dict[Any, Any] = {}
        self.seen: dict[Any, None] = {}
        self.calls: dict[Fn, None] = {}
        self.flows: list[Flow] = []
        self.guesses: list[Flow] = []
        self.facts: list[Any] = []
        self.registered: list[Fn] = []
        self.entries: list[Fn] = []
        self.ran: list[Cls] = []
        self.crosses: list[Any] = []
        self.fresh: list[Obj] = []
        self.widened = 0
        self.steps = 0
        self.capped = False
        self.payload: bytes | None = None


class Trace:
    """Records roots as they run.  ``owner``: which root a shared object, frame or class came from."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.records: dict[Key, Record] = {}
        self.stack: list[Record] = []
        self.owner: dict[Any, Record] = {}
        self.wide = Record("", None, -1)  # takes what happens outside of any root
        self.current = self.wide
        self.names: dict[Any, tuple[int, int]] = {}  # stable names of shared objects and frames
        self.numbers: Any = None
        self.items: dict[tuple[int, int], Any] = {}
        self.encode: Callable[[Record, Any], bytes | None] | None = None

    def begin(self, kind: str, target: Any) -> None:
        self.current.widened += self.machine.widened
        self.machine.widened = 0
        record = self.made(kind, target)
        self.stack.append(record)
        self.enter(record)

    def made(self, kind: str, target: Any) -> Record:
        record = self.records[kind, target] = Record(kind, target, len(self.records))
        return record

    def enter(self, record: Record) -> None:
        self.current = record
        machine = self.machine
        machine.program.deps = record.deps
        machine.seen = record.seen
        machine.calls = record.calls

    def end(self, result: Any) -> None:
        record = self.stack.pop()
        record.widened += self.machine.widened
        self.machine.widened = 0
        self.finish(record, result)
        self.enter(self.stack[-1] if self.stack else self.wide)

    def finish(self, record: Record, result: Any) -> None:
        if self.encode is not None:
            record.payload = self.encode(record, result)
        self.settle_classes(record)

    def settle_classes(self, record: Record) -> None:
        """Classes looked at: whose they are by now."""
        owners: dict[Any, None] = {}
        for item in record.deps:
            if item.__class__ is Cls:
                owner = self.owner.get(item)
                if owner is not None and owner is not record:
                    owners[owner] = None
        for owner in owners:
            record.deps["owner", owner.number] = owner in self.stack

    def settled(self, kind: str, target: Any) -> bool:
        """Whether the result of a root is known from an earlier analysis; if so, it has been put in place."""
        return False

    def done(self, kind: str, target: Any) -> bool:
        """Whether a root that was begun has ended."""
        record = self.records.get((kind, target))
        return record is None or record not in self.stack

    def visit(self, kind: str, target: Any, run: Callable[[], object]) -> None:
        """Settle a root without need of its result."""
        run()

    def plan(self, module: Module) -> Any:
        """The entry points of a module, if they are known from an earlier analysis."""
        return None

    # --- what happens inside a root ------------------------------------------------------------------------------

    def class_ran(self, cls: Cls) -> None:
        self.owner[cls] = self.current
        self.current.ran.append(cls)

    def published(self, heap: dict[Any, Any], base: dict[Any, Any]) -> None:
        """Objects become visible to other roots; those that others own are changed by this root."""
        current = self.current
        for obj, fields in heap.items():
            if obj.__class__ is not Obj or obj.kind == "ambient":
                if base.get(obj) is not fields:
                    current.crosses.append(obj)
                continue
            owner = self.owner.get(obj)
            if owner is not None and owner is not current and base.get(obj) is not fields:
                current.crosses.append(obj)

    def wrote_variable(self, module: Module, name: str) -> None:
        """A global variable is changed by another root than its module's."""
        if not (self.current.kind == "m" and self.current.target is module):
            self.current.crosses.append((module, name))

    def wrote_frame(self, frame: Any) -> None:
        owner = self.owner.get(frame)
        if owner is not None and owner is not self.current:
            self.current.crosses.append(frame)
