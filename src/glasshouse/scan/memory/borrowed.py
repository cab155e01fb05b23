"""C++: iterators, references, views and moved pointers that are used after what they rest on has changed or gone.

What is looked at is the text of one function, in order: branches come together again with what may hold, and a branch
that leaves takes with it what happened there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

ITERATORS = frozenset("begin end rbegin rend cbegin cend find lower_bound upper_bound insert erase emplace".split())
ELEMENTS = frozenset("front back at data".split())
TEXTS = frozenset(["c_str", "data"])
GROWING = frozenset(
    "push_back emplace_back insert emplace resize reserve assign append clear erase shrink_to_fit".split()
)
MOVING = re.compile(r"\b(vector|basic_string|string|wstring)\b(?!_view)")  # their elements move when they grow
NODES = frozenset(["erase", "clear"])  # all that ends iterators into lists and maps
VIEWS = re.compile(r"^(const )?(std::)?(basic_)?(w|u8)?(string_view|span<.*)$")
OWNER = re.compile(r"^(const )?(std::)?w?string$")
POINTER = re.compile(r"^(const )?(std::)?unique_ptr<.*>(&&)?$")
MAKES_POINTER = re.compile(r"(std::)?make_unique\b")
POINTER_METHODS = frozenset(["get", "reset", "release", "swap", "operator bool"])
LEAVES = frozenset([ir.RETURN, ir.BREAK, ir.GOTO, ir.RAISE, ir.CONTINUE])
MAKES_TEXT = frozenset(["to_string", "std::to_string", "string", "std::string", "substr"])
MAX_DEPTH = 60
WALK = "$walk"  # the hidden iterator of a range-based loop


class Rest(NamedTuple):
    """What a variable rests on: a container, and whether as an iterator (its own element counts) or an address."""

    on: str
    iterator: bool


class Path:
    """What holds at one place of the function."""

    def __init__(self) -> None:
        self.rests: dict[str, Rest] = {}
        self.ended: dict[str, str] = {}  # variable -> why it must not be used
        self.moved: set[str] = set()

    def copy(self) -> Path:
        made = Path()
        made.rests, made.ended, made.moved = dict(self.rests), dict(self.ended), set(self.moved)
        return made

    def with_other(self, other: Path) -> None:
        self.rests = {name: rest for name, rest in self.rests.items() if other.rests.get(name) == rest}
        self.ended.update(other.ended)
        self.moved |= other.moved


class Reader:
    """Reads one function."""

    def __init__(self, engine: Engine, function: ir.Function) -> None:
        self.engine = engine
        self.function = function
        self.types = {param.name: param.type or "" for param in function.params}
        self.local: set[str] = set()
        self.defs: dict[int, ir.Instr] = {}
        self.told: set[str] = set()

    def block(self, block: ir.Block, path: Path, depth: int = 0) -> bool:
        """Follow the instructions; whether the end is reached."""
        if depth > MAX_DEPTH:
            return True
        for ins in block:
            op = ins[0]
            if op == ir.IF:
                self.uses(ins, path)
                self.branch(ins, path, depth)
            elif op == ir.LOOP:
                self.block(ins[3], path, depth + 1)
                self.around(ins, path, depth)
            elif op == ir.FOREACH:
                self.walked(ins, path, depth)
            elif op in (ir.DO_LOOP, ir.BLOCK, ir.SWITCH, ir.TRY, ir.LABEL):
                path.rests, path.ended, path.moved = {}, {}, set()  # several ways meet here: nothing is known
            else:
                self.simple(ins, path)
                if op in LEAVES:
                    return bool(op == ir.CONTINUE)
        return True

    def branch(self, ins: ir.Instr, path: Path, depth: int) -> None:
        then, other = path.copy(), path.copy()
        ends = (self.block(ins[3], then, depth + 1), self.block(ins[4], other, depth + 1) if ins[4] else True)
        left = [one for one, reached in zip((then, other), ends, strict=True) if reached]
        if left:
            path.rests, path.ended, path.moved = left[0].rests, left[0].ended, left[0].moved
            for one in left[1:]:
                path.with_other(one)

    def around(self, ins: ir.Instr, path: Path, depth: int) -> None:
        """One round: what ends in the body must not be used by the step to the next."""
        inside = path.copy()
        if self.block(ins[5], inside, depth + 1) and ins[6]:
            self.block(ins[6], inside, depth + 1)

    def walked(self, ins: ir.Instr, path: Path, depth: int) -> None:
        """``for (auto &x : items)`` keeps an iterator of its own."""
        inside = path.copy()
        on = self.container(ins[4])
        if on:
            inside.rests[WALK] = Rest(on, True)
        if self.block(ins[5], inside, depth + 1) and WALK in inside.ended:
            self.engine.report("borrowed", ins[1], "the loop's iterator", inside.ended[WALK], "medium")

    # --- single instructions --------------------------------------------------------------------------------------

    def simple(self, ins: ir.Instr, path: Path) -> None:
        op = ins[0]
        if op == ir.DECLARE:
            self.types[ins[2]] = ins[3]
            if not ins[3].startswith("static"):
                self.local.add(ins[2])
            for known in (path.rests, path.ended):
                known.pop(ins[2], None)
            path.moved.discard(ins[2])
            return
        self.uses(ins, path)
        if op == ir.MOVE and ins[2].__class__ is str:
            self.assigned(ins[2], ins[3], path)
        elif op == ir.CALL_METHOD:
            self.changed(ins, path)
        elif op == ir.CALL and ins[3] in ("move", "std::move") and ins[4] and ins[4][0].__class__ is str:
            if POINTER.match(self.types.get(ins[4][0], "")):
                path.moved.add(ins[4][0])
        elif op == ir.RETURN and ins[2] != "":
            self.returned(ins)
        elif op == ir.ITEM and ins[3].__class__ is str:
            index = self.defs.get(ins[4]) if ins[4].__class__ is int and ins[4] >= 0 else None
            if index is not None and index[0] == ir.CALL_METHOD and index[4] in ("size", "length"):
                if self.container(index[3]) == ins[3]:
                    self.engine.report("buffer-overread", ins[1], ins[3], "its last element is at size() - 1", "high")
        if op in DEFINING and ins[2].__class__ is int:
            self.defs[ins[2]] = ins

    def returned(self, ins: ir.Instr) -> None:
        """A view of, or a pointer into, a string object that ends with the function."""
        returns = self.function.returns or ""
        operand = ins[2]
        view = VIEWS.match(returns) is not None
        if not view and not returns.endswith("*"):
            return
        for _ in range(4):
            made = self.defs.get(operand) if operand.__class__ is int and operand >= 0 else None
            if made is None:
                break
            if made[0] == ir.CALL_METHOD and (made[4] in TEXTS or (view and made[4] == "substr")):
                operand = self.container(made[3]) or made[3]
            elif made[0] == ir.CALL and made[3] in ("string_view", "std::string_view") and made[4]:
                operand = made[4][0]
            else:
                return
        if operand.__class__ is str and operand in self.local and OWNER.match(self.types.get(operand, "")):
            self.engine.report("stack-address-returned", ins[1], operand, "", "high")

    def assigned(self, name: str, source: Any, path: Path) -> None:
        for known in (path.rests, path.ended):
            known.pop(name, None)
        path.moved.discard(name)
        text = self.types.get(name, "")
        made = self.defs.get(source) if source.__class__ is int and source >= 0 else None
        if made is None:
            return
        if text == "auto" and made[0] == ir.CALL and made[3].__class__ is str and MAKES_POINTER.match(made[3]):
            self.types[name] = "std::unique_ptr<>"
        elif VIEWS.match(text) and self.temporary_text(source):
            path.ended[name] = "a temporary"
        elif made[0] == ir.CALL_METHOD:
            on = self.container(made[3])
            if made[4] in TEXTS and text.endswith("*") and self.temporary_text(made[3]):
                path.ended[name] = "a temporary"
            elif on and made[4] in ITERATORS and (text == "auto" or "iterator" in text):
                path.rests[name] = Rest(on, True)
            elif on and made[4] in ELEMENTS | TEXTS and text.endswith(("&", "*")):
                path.rests[name] = Rest(on, False)
        elif made[0] == ir.ITEM and text.endswith("&") and made[3].__class__ is str:
            path.rests[name] = Rest(made[3], False)

    def changed(self, ins: ir.Instr, path: Path) -> None:
        """A method that may move or end what others rest on."""
        on, name = self.container(ins[3]), ins[4]
        if not on or name not in GROWING:
            return
        text = self.types.get(on, "")
        for variable, rest in list(path.rests.items()):
            if rest.on != on:
                continue
            given = variable in ins[5]
            if (name == "erase" and given and rest.iterator) or name == "clear" or MOVING.search(text):
                path.ended[variable] = f"`{name}`"
                del path.rests[variable]

    def container(self, operand: Any) -> str:
        made = self.defs.get(operand) if operand.__class__ is int and operand >= 0 else None
        if made is not None and made[0] == ir.UNOP and made[3] == "&" and made[4].__class__ is str:
            return str(made[4])
        return operand if operand.__class__ is str else ""

    def temporary_text(self, operand: Any) -> bool:
        """Whether an operand is a string object that nothing keeps."""
        made = self.defs.get(operand) if operand.__class__ is int and operand >= 0 else None
        if made is None:
            return False
        if made[0] == ir.CALL:
            return made[3] in MAKES_TEXT
        if made[0] == ir.CALL_METHOD:
            return made[4] == "substr" and OWNER.match(self.types.get(self.container(made[3]), "")) is not None
        if made[0] != ir.BINOP or made[3] != "+":
            return False
        return any(
            self.temporary_text(side) or (side.__class__ is str and OWNER.match(self.types.get(side, "").rstrip("&")))
            for side in made[4:6]
        )

    def uses(self, ins: ir.Instr, path: Path) -> None:
        if not path.ended and not path.moved:
            return
        for name in named(ins):
            if name in self.told:
                continue
            if name in path.ended:
                self.told.add(name)
                self.engine.report("borrowed", ins[1], name, path.ended[name], "medium")
            elif name in path.moved and reached_through(ins, name):
                self.told.add(name)
                self.engine.report("null-dereference", ins[1], name, "", "medium")


DEFINING = frozenset([ir.CALL, ir.CALL_METHOD, ir.UNOP, ir.BINOP, ir.ITEM, ir.ATTR, ir.NEW, ir.CAST])


def named(ins: ir.Instr) -> list[str]:
    """The variables that an instruction reads."""
    op = ins[0]
    if op in (ir.CALL, ir.NEW):
        return [item for item in ins[4] if item.__class__ is str]
    if op == ir.CALL_METHOD:
        return [item for item in (ins[3], *ins[5]) if item.__class__ is str]
    if op == ir.BINOP:
        return [item for item in ins[4:6] if item.__class__ is str]
    if op == ir.UNOP:
        return [ins[4]] if ins[4].__class__ is str and ins[3] != "&" else []
    if op in (ir.MOVE, ir.ATTR, ir.ITEM):
        return [ins[3]] if ins[3].__class__ is str else []
    if op == ir.SET_ATTR:
        return [item for item in (ins[2], ins[4]) if item.__class__ is str]
    if op in (ir.IF, ir.RETURN):
        return [ins[2]] if ins[2].__class__ is str else []
    return []


def reached_through(ins: ir.Instr, name: str) -> bool:
    """``p->field``, ``p->method()``, ``*p``."""
    if ins[0] == ir.CALL_METHOD:
        return bool(ins[3] == name and ins[4] not in POINTER_METHODS)
    if ins[0] == ir.SET_ATTR:
        return bool(ins[2] == name)
    return ins[0] in (ir.ATTR, ir.ITEM) and bool(ins[3] == name)


def find_borrowed(engine: Engine, index: int) -> None:
    """Report what a function of C++ uses after it has moved or gone."""
    facts = engine.facts.functions[index]
    if engine.facts.file.path.endswith((".c", ".h")) and not any(ins[0] == ir.CALL_METHOD for ins in facts.every):
        return
    engine.frame.index = engine.root = index
    Reader(engine, facts.function).block(facts.function.body, Path())
