"""What is known about a file before it is run: types, globals, macros, and facts about each function and loop."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol

from glasshouse.scan import ir
from glasshouse.scan.ir import KERNEL_PACKAGE
from glasshouse.scan.language.c import CPP_ENDINGS
from glasshouse.scan.language.c.types import size_said
from glasshouse.scan.memory.api import (
    ALLOCATORS,
    COMMANDS,
    COPIES,
    DEALLOCATORS,
    FILLS,
    LIBRARIES,
    LOCKS,
    NO_RETURN,
    PATHS,
    PRINTERS,
    RESOURCES,
    SCANNERS,
    SOURCES,
    SQL,
    UNLOCKS,
)

if TYPE_CHECKING:
    from glasshouse.scan.memory.outside import Outside

DEFINES = frozenset(
    [ir.MOVE, ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.MAKE, ir.CAST, ir.ADDR]
)
EFFECTIVE = frozenset(
    [
        *(*ALLOCATORS, *DEALLOCATORS, *FILLS, *COPIES, *SOURCES, *SCANNERS, *COMMANDS, *PATHS, *RESOURCES, *LOCKS),
        *(*UNLOCKS, *SQL, *LIBRARIES, *(name for name, (_, target, _) in PRINTERS.items() if target >= 0)),
        *(name for name in PRINTERS if name.startswith("v")),
    ]
)


class Named(Protocol):
    """Functions by the name they are called by."""

    def get(self, name: str, /) -> FunctionFacts | None: ...


class LoopFacts:
    """What a loop changes: variables, and those that only count up or down."""

    __slots__ = ("assigned", "calls", "down", "up")

    def __init__(self) -> None:
        self.assigned: set[str] = set()
        self.up: set[str] = set()
        self.down: set[str] = set()
        self.calls = False


class FunctionFacts:
    """Facts about one function of the file."""

    __slots__ = (
        "_ends",
        "_finds",
        "addressed",
        "callees",
        "defs",
        "every",
        "function",
        "index",
        "owner",
        "owner_class",
        "returns_memory",
        "size",
    )

    def __init__(self, function: ir.Function, index: int, owner: FileFacts) -> None:
        self.function = function
        self.owner = owner  # of the file that defines it
        self.index = index
        self.every: list[ir.Instr] = list(walk(function.body))  # instructions, inner ones included, in order
        self.size = len(self.every)
        self.callees: set[str] = set()
        self.addressed: set[str] = set()
        self.returns_memory = function.returns.endswith("*")
        self.owner_class = function.qualname.rpartition("::")[0].rpartition("::")[2]  # of a method
        self.defs: dict[int, ir.Instr] = {}  # temporary -> the instruction that writes it
        for ins in self.every:
            op = ins[0]
            if op in DEFINES and ins[2].__class__ is int:
                self.defs[ins[2]] = ins
                if op == ir.CALL and isinstance(ins[3], str):
                    self.callees.add(ins[3])
                elif op == ir.NEW and "fstream" in ins[3]:
                    self.callees.add("ifstream_open")
                elif op == ir.UNOP and ins[3] == "&" and isinstance(ins[4], str):
                    self.addressed.add(ins[4])
        self._ends: bool | None = None
        self._finds: bool | None = None

    @property
    def finds(self) -> bool:
        """Whether it looks for something: it returns a pointer from a loop, and null where it comes to its end."""
        if self._finds is None:
            last = self.function.body[-1] if self.function.body else None
            self._finds = (
                self.returns_memory
                and last is not None
                and last[0] == ir.RETURN
                and self.is_null(last[2])
                and any(
                    inner[0] == ir.RETURN and not self.is_null(inner[2])
                    for ins in self.every
                    if ins[0] in (ir.LOOP, ir.DO_LOOP, ir.FOREACH)
                    for number in ir.BLOCK_FIELDS[ins[0]]
                    for inner in walk(ins[number])
                )
            )
        return self._finds

    def is_null(self, operand: Any) -> bool:
        """Whether an operand is a null pointer, written as such."""
        if operand.__class__ is int and operand < 0:
            return bool(self.function.consts[-1 - operand] in (0, None))
        made = self.defs.get(operand) if operand.__class__ is int else None
        return bool(
            operand in ("NULL", "nullptr") or (made is not None and made[0] == ir.CAST and self.is_null(made[4]))
        )

    @property
    def never_returns(self) -> bool:
        """Whether it always ends in a call that does not return, such as ``exit``, or in a loop without an end."""
        if self._ends is None:
            self._ends = False  # while it is looked at: functions that only call each other
            last = next((ins for ins in reversed(self.function.body) if ins[0] != ir.NOP), None)
            if last is not None and all(ins[0] != ir.RETURN for ins in self.every):
                self._ends = self._goes_nowhere(last)
        return self._ends

    def _goes_nowhere(self, last: ir.Instr) -> bool:
        if last[0] == ir.LOOP:
            inner = list(walk(last[5])) if last[4] == "" else []
            calls = [ins for ins in inner if ins[0] == ir.CALL]
            return any(self._goes_nowhere(ins) for ins in calls) and all(ins[0] != ir.BREAK for ins in inner)
        name = last[3] if last[0] == ir.CALL else ""
        if not isinstance(name, str) or not name:
            return False
        callee = self.owner.callee(name)
        return name in NO_RETURN or name in self.owner.ends or (callee is not None and callee.never_returns)


class FileFacts:
    """One lowered file with its look-up tables."""

    def __init__(self, file: ir.File, outside: Outside | None = None) -> None:
        self.file = file
        self.kernel = file.package == KERNEL_PACKAGE
        self.cpp = file.path.endswith(CPP_ENDINGS)
        self.functions = [FunctionFacts(function, index, self) for index, function in enumerate(file.functions)]
        self.elsewhere: Named = outside.functions if outside is not None else {}
        self.by_name: dict[str, int] = {}
        for index, function in enumerate(file.functions):
            if index:
                self.by_name.setdefault(function.qualname, index)
                self.by_name.setdefault(function.name, index)
        self.records: dict[str, dict[str, str]] = {}
        self.typedefs: dict[str, str] = {}
        for cls in file.classes:
            if cls.fields:
                self.records.setdefault(cls.name, dict(cls.fields))
            elif len(cls.bases) == 1 and cls.bases[0] != cls.name:
                self.typedefs.setdefault(cls.name, cls.bases[0])
        self.macros: dict[str, tuple[str, list[str] | None]] = {}
        self.globals: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.prototypes: dict[str, str] = {}  # what functions return that are declared in headers
        self.ends: set[str] = set()  # functions that a header says do not return
        self.late: dict[str, str] = {}  # macros of a header that need names of others
        self.written: set[str] = set()
        self.called: set[str] = set()
        self.size_symbols: dict[str, int] = {}
        self.borrowed: frozenset[str] = frozenset()  # records of operating-system headers: macros write them unseen
        self._sizes: dict[str, int | None] = {}
        self._matters: dict[int, bool] = {}
        self._loops: dict[int, LoopFacts] = {}
        self._allocators: dict[tuple[str, str], set[str]] | None = None
        self._globals(outside is not None)
        for facts in self.functions[1:]:
            self.called |= facts.callees
        if outside is not None:
            self._with(outside)

    def _with(self, outside: Outside) -> None:
        """Add what headers say; what the file itself says comes first."""
        if self.kernel:
            self.borrowed = frozenset(outside.records.keys() - self.records.keys())
        self.records = {**outside.records, **self.records}
        self.typedefs = {**outside.typedefs, **self.typedefs}
        self.macros = {**outside.macros, **self.macros}
        self.globals = {**outside.globals, **self.globals}
        self.prototypes = {**outside.prototypes, **self.prototypes}
        self.ends |= outside.ends
        own = self.constants
        self.constants = {**outside.constants, **own}
        for name in self.written.intersection(outside.constants) - own.keys():
            del self.constants[name]

    def callee(self, name: str) -> FunctionFacts | None:
        """A function by the name it is called by, of this file or of those it can see."""
        index = self.by_name.get(name)
        return self.functions[index] if index is not None else self.elsewhere.get(name)

    def matters(self, index: int, depth: int = 0) -> bool:
        """Whether a function, or one of this file that it calls, does something with memory, resources or input."""
        found = self._matters.get(index)
        if found is None:
            self._matters[index] = False
            callees = self.functions[index].callees
            found = not callees.isdisjoint(EFFECTIVE)
            if not found and depth < 4:
                found = any(
                    self.matters(self.by_name[name], depth + 1) for name in sorted(callees) if name in self.by_name
                )
            self._matters[index] = found
        return found

    def _globals(self, outside: bool) -> None:
        module = self.file.functions[0]
        firsts: dict[str, Any] = {}
        for ins in module.body:
            if ins[0] == ir.DECLARE:
                text = ins[3]
                if text.startswith("#"):
                    name, _, rest = text[1:].partition("(")
                    self.macros[ins[2]] = name, (rest[:-1].split(",") if rest else None)
                elif text.startswith(("fn ", "fn!")):
                    self.prototypes[ins[2]] = text[3:]
                    if text[2] == "!":
                        self.ends.add(ins[2])
                elif text.startswith("="):
                    self.late[ins[2]] = text[1:]
                else:
                    self.globals[ins[2]] = text
            elif ins[0] == ir.MOVE and isinstance(ins[2], str) and isinstance(ins[3], int) and ins[3] < 0:
                firsts[ins[2]] = module.consts[-1 - ins[3]]
        if not firsts and not self.globals and not outside:
            return
        for facts in self.functions[1:]:
            local = {param.name for param in facts.function.params}
            for ins in facts.every:
                if ins[0] == ir.DECLARE:
                    local.add(ins[2])
                elif ins[0] == ir.MOVE and isinstance(ins[2], str) and ins[2] not in local:
                    self.written.add(ins[2])
                elif ins[0] == ir.UNOP and ins[3] == "&" and isinstance(ins[4], str) and ins[4] not in local:
                    self.written.add(ins[4])
        self.constants = {name: value for name, value in firsts.items() if name not in self.written}

    def field_type(self, owner: str, name: str) -> str:
        """The type of a field of a class, as it is declared, "" where there is none."""
        for word in ("class ", "struct ", ""):
            fields = self.records.get(word + owner)
            if fields is not None:
                return fields.get(name, "")
        return ""

    def field_allocators(self) -> dict[tuple[str, str], set[str]]:
        """How the methods of this file's classes allocate what their fields point to, by class and field."""
        if self._allocators is None:
            self._allocators = {}
            for facts in self.functions[1:]:
                if not facts.owner_class:
                    continue
                local = {param.name for param in facts.function.params}
                local.update(ins[2] for ins in facts.every if ins[0] == ir.DECLARE)
                for ins in facts.every:
                    if ins[0] == ir.MOVE and ins[2].__class__ is str and ins[2] not in local:
                        family = self._allocated(facts, ins[3])
                        if family != "null":
                            self._allocators.setdefault((facts.owner_class, ins[2]), set()).add(family)
        return {key: found for key, found in self._allocators.items() if "" not in found}

    def _allocated(self, facts: FunctionFacts, operand: Any) -> str:
        made = facts.defs.get(operand) if operand.__class__ is int else None
        if made is not None and made[0] == ir.CAST:
            made = facts.defs.get(made[4]) if made[4].__class__ is int else None
        if made is None:
            return "null" if facts.is_null(operand) else ""
        if made[0] != ir.CALL or made[3].__class__ is not str:
            return ""
        if made[3] in ("operator new", "operator new[]"):
            return str(made[3]).removeprefix("operator ")
        return ALLOCATORS[made[3]].family if made[3] in ALLOCATORS else ""

    def resolved(self, text: str) -> str:
        """A type with its names replaced by what they stand for (typedefs of this file)."""
        base, rest = split_type(text)
        for _ in range(10):
            below = self.typedefs.get(base)
            if below is None:
                break
            base, more = split_type(below)
            rest = more + rest
        return base + rest

    def size_of(self, text: str) -> int | None:
        """The size of a type in bytes, or None."""
        text = self.resolved(text.removeprefix("static ").strip())
        base, rest = split_type(text)
        count = 1
        while rest.endswith("]"):
            rest, _, length = rest.rpartition("[")
            if not length[:-1].isdigit():
                return None
            count *= int(length[:-1])
        if rest.endswith("*") or base == "fn":
            return 8 * count
        size = size_said(base)
        if size is None and base.startswith("enum "):
            size = 4
        if size is None:
            if base not in self._sizes:
                fields = self.records.get(base)
                self._sizes[base] = self._record_size(fields, union=base.startswith("union ")) if fields else None
            size = self._sizes[base]
        return size * count if size is not None else None

    def _record_size(self, fields: dict[str, str], depth: int = 0, *, union: bool = False) -> int | None:
        total = 0
        biggest = 1
        for text in fields.values():
            if depth > 6:
                return None
            base, rest = split_type(self.resolved(text))
            if base in self.records and self.records[base] is fields:
                if "*" not in text:
                    return None
                size: int | None = 8
            else:
                size = (
                    self.size_of(text)
                    if text.count("*") or base not in self.records
                    else times(rest, self._record_size(self.records[base], depth + 1, union=base.startswith("union ")))
                )
            if size is None:
                return None
            align = min(size, 8) or 1
            while align & (align - 1):
                align &= align - 1
            total = max(total, size) if union else (total + align - 1) // align * align + size
            biggest = max(biggest, align)
        return (total + biggest - 1) // biggest * biggest

    def loop(self, ins: ir.Instr) -> LoopFacts:
        """What a loop instruction changes (looked up once)."""
        found = self._loops.get(id(ins))
        if found is None:
            found = self._loops[id(ins)] = LoopFacts()
            parts = ir.BLOCK_FIELDS[ins[0]]
            body = [item for part in parts for item in ins[part]]
            changed_by(body, found)
        return found


def changed_by(body: ir.Block, found: LoopFacts) -> None:
    steps: dict[int, tuple[str, Any]] = {}
    held: dict[int, Any] = {}
    other: set[str] = set()
    for ins in walk(body):
        op = ins[0]
        if op == ir.MOVE:
            if isinstance(ins[2], int):
                held[ins[2]] = ins[3]
                continue
            step = steps.get(ins[3]) if isinstance(ins[3], int) else None
            found.assigned.add(ins[2])
            source = step[1] if step is not None else None
            if isinstance(source, int):
                source = held.get(source)
            if step is not None and source == ins[2]:
                (found.up if step[0] == "+" else found.down).add(ins[2])
            else:
                other.add(ins[2])
        elif op == ir.BINOP and ins[3] in ("+", "-") and isinstance(ins[5], int) and ins[5] < 0:
            steps[ins[2]] = (ins[3], ins[4])
        elif op in (ir.CALL, ir.CALL_METHOD):
            found.calls = True
        elif op == ir.DECLARE:
            other.add(ins[2])
            found.assigned.add(ins[2])
        elif op == ir.UNOP and ins[3] == "&" and isinstance(ins[4], str):
            pass
    found.up -= other | found.down
    found.down -= other | found.up


def times(rest: str, size: int | None) -> int | None:
    """The size of an array of what has a size; None where a dimension is not known."""
    for dimension in rest.split("[")[1:]:
        if size is None or not dimension[:-1].isdigit():
            return None
        size *= int(dimension[:-1])
    return size


@functools.lru_cache(maxsize=20_000)
def split_type(text: str) -> tuple[str, str]:
    """The name and the stars and brackets after it."""
    for position, letter in enumerate(text):
        if letter in "*[&":
            return text[:position].strip(), text[position:].replace("&", "")
    return text.strip(), ""


def walk(block: ir.Block) -> Any:
    """Every instruction of a block and of the blocks inside, in order."""
    stack = [iter(block)]
    while stack:
        for ins in stack[-1]:
            yield ins
            op = ins[0]
            if op == ir.SWITCH:
                stack.append(iter([item for case in ins[4] for item in case[1]]))
                break
            fields = ir.BLOCK_FIELDS.get(op)
            if fields is not None:
                inner = [item for number in fields for item in ins[number]]
                if op == ir.TRY:
                    inner = [*inner, *(item for handler in ins[3] for item in handler[2])]
                if inner:
                    stack.append(iter(inner))
                    break
        else:
            stack.pop()
