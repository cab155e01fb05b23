"""Java arithmetic that leaves its type, and indexes outside their array, by the ranges the function itself shows.

``Ranges`` walks one function body once.  It knows constants, the extreme values of the number types, full-range random
numbers and what comparisons in conditions leave of them; all other numbers are unknown and never reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.bodies import NESTING, blocks_of
from glasshouse.scan.detect.interface import Hit
from glasshouse.scan.detect.javascript.values import walk, written
from glasshouse.scan.detect.mentions import mentions_of

LIMITS = {
    "byte": (-(1 << 7), (1 << 7) - 1),
    "short": (-(1 << 15), (1 << 15) - 1),
    "char": (0, (1 << 16) - 1),
    "int": (-(1 << 31), (1 << 31) - 1),
    "long": (-(1 << 63), (1 << 63) - 1),
}
_BOXES = {"Byte": "byte", "Short": "short", "Character": "char", "Integer": "int", "Long": "long"}
_WIDTH = {"byte": 1, "short": 2, "char": 2, "int": 4, "long": 8, "float": 9, "double": 10}
_ARITHMETIC = ("+", "-", "*")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_LEAVING = (ir.RETURN, ir.RAISE, ir.BREAK, ir.CONTINUE)
_GENERATORS = ("Random", "SecureRandom")
_CLOCKS = ("currentTimeMillis", "nanoTime")
_MAX_DEPTH = 60
_NARROW, _WIDE = ("byte", "short", "int"), ("long", "float", "double")
_LOUD = ("MAX_VALUE", "MIN_VALUE", "nextInt", "nextLong", "*")  # and products, which need be of constants only
_LOOPS = 1 << ir.LOOP
_ELEMENTS = 1 << ir.ITEM | 1 << ir.SET_ITEM
_LISTS = 1 << ir.MAKE


class Range(NamedTuple):
    """A number between ``low`` and ``high``; ``loud``: a random or extreme value took part."""

    type: str
    low: int
    high: int
    loud: bool = False


class Array(NamedTuple):
    """An array with a known number of elements."""

    size: int


class Condition(NamedTuple):
    """``compare``: a and b are operands, op is set; ``and`` ``or`` ``not`` ``same``: conditions; ``call``: tests a."""

    kind: str
    op: str
    a: ir.Operand
    b: ir.Operand


Known = Range | Array
State = dict[ir.Operand, Known]


class Found(NamedTuple):
    """kind: ``overflow``, ``cut`` (implicit narrowing), ``index`` or ``loop`` (narrow counter, wide bound)."""

    kind: str
    span: int


class Ranges:
    """Walks one function; ``found`` holds what it saw, once per place."""

    def __init__(self, function: ir.Function, returns: Mapping[str, str]) -> None:
        self.function = function
        self.returns = returns  # types that methods of the file return, by name
        self.names: dict[ir.Operand, str] = {}  # last part of a dotted name in a temporary
        self.types: dict[ir.Operand, str] = {param.name: param.type for param in function.params}
        self.conditions: dict[ir.Operand, Condition] = {}
        self.randoms: set[ir.Operand] = set()
        self.found: dict[Found, None] = {}
        self.depth = 0

    def run(self) -> list[Found]:
        self.block(self.function.body, {})
        return list(self.found)

    # --- blocks -------------------------------------------------------------------------------------------------

    def block(self, block: ir.Block, state: State) -> bool:
        """Walk a block; whether its end is reached."""
        if self.depth > _MAX_DEPTH:
            return True
        self.depth += 1
        alive = True
        for instr in block:
            if instr[0] == ir.IF:
                alive = self.branch(instr, state)
            elif instr[0] in NESTING:
                self.around(instr, state)
            else:
                self.step(instr, state)
                alive = instr[0] not in _LEAVING
            if not alive:
                break
        self.depth -= 1
        return alive

    def branch(self, instr: ir.Instr, state: State) -> bool:
        cond = instr[2]
        joined_conditions = {
            **self.joined_condition(cond, instr[3], "and"),
            **self.joined_condition(cond, instr[4], "or"),
        }
        first, second = dict(state), dict(state)
        self.assume(cond, True, first, 0)
        self.assume(cond, False, second, 0)
        ends = self.block(instr[3], first), self.block(instr[4], second)
        self.conditions.update(joined_conditions)
        state.clear()
        if ends[0] and ends[1]:
            for name, value in first.items():
                other = second.get(name)
                if other is not None:
                    joined = _union(value, other)
                    if joined is not None:
                        state[name] = joined
        elif ends[0] or ends[1]:
            state.update(first if ends[0] else second)
        return any(ends)

    def joined_condition(self, cond: ir.Operand, block: ir.Block, kind: str) -> dict[ir.Operand, Condition]:
        """``a && b``: a variable that was a and, inside ``if a``, becomes b."""
        last = block[-1] if block else None
        if last is None or last[0] != ir.MOVE or not str(last[2]).startswith("$"):
            return {}
        before = self.conditions.get(last[2])
        if before is None or before.kind != "same" or before.a != cond:
            return {}
        return {last[2]: Condition(kind, "", cond, last[3])}

    def around(self, instr: ir.Instr, state: State) -> None:
        """Loops, ``try``, ``switch``: what is written inside is unknown there and after."""
        blocks = blocks_of(instr)
        changed = {name for block in blocks for inner, _ in walk(block) if (name := written(inner)) is not None}
        for name in changed:
            state.pop(name, None)
        for block in blocks:
            inside = dict(state)
            if instr[0] == ir.LOOP and block is instr[5]:
                self.assume(instr[4], True, inside, 0)
            self.block(block, inside)
        if instr[0] == ir.LOOP:
            self.compare_counter(instr, changed)

    def compare_counter(self, loop: ir.Instr, changed: set[ir.Operand]) -> None:
        for test in loop[3]:
            if test[0] != ir.BINOP or test[3] not in _NEGATED:
                continue
            narrow, wide = (test[4], test[5]) if test[3] in ("<", "<=") else (test[5], test[4])
            counter = self.types.get(narrow, "")
            if counter in _NARROW and narrow in changed and isinstance(wide, str):
                bound = self.types.get(wide, "")
                if bound in ("int", "long") and _WIDTH[bound] > _WIDTH[counter] and wide not in changed:
                    self.note("loop", test[1])

    # --- one instruction ----------------------------------------------------------------------------------------

    def step(self, instr: ir.Instr, state: State) -> None:
        op = instr[0]
        if op == ir.DECLARE:
            self.types[instr[2]] = str(instr[3])
        elif op == ir.MOVE:
            self.move(instr, state)
        elif op == ir.ATTR:
            self.attribute(instr, state)
        elif op == ir.BINOP:
            self.binary(instr, state)
        elif op == ir.UNOP and instr[3] == "not":
            self.conditions[instr[2]] = Condition("not", "", instr[4], 0)
        elif op == ir.CAST:
            self.cast(instr, state)
        elif op in (ir.ITEM, ir.SET_ITEM):
            array, key = (instr[3], instr[4]) if op == ir.ITEM else (instr[2], instr[3])
            self.index(instr[1], self.value(array, state), self.value(key, state))
            if op == ir.ITEM:
                self.put(instr[2], None, state)
        elif op == ir.MAKE and instr[3] == "list":
            whole = all(not isinstance(item, list) for item in instr[4])
            self.put(instr[2], Array(len(instr[4])) if whole else None, state)
        else:
            self.call(instr, state)

    def call(self, instr: ir.Instr, state: State) -> None:
        op = instr[0]
        if op == ir.CALL and instr[3] == "$array" and len(instr[4]) == 1:
            size = self.value(instr[4][0], state)
            known = isinstance(size, Range) and size.low == size.high
            self.put(instr[2], Array(size.low) if known and isinstance(size, Range) else None, state)
            return
        if op == ir.NEW and self.names.get(instr[3], str(instr[3])).rpartition(".")[2] in _GENERATORS:
            self.randoms.add(instr[2])
        if op == ir.CALL_METHOD and self.is_random(instr[3]) and instr[4] in ("nextInt", "nextLong"):
            self.put(instr[2], self.random(instr, state), state)
            return
        name = written(instr)
        if name is not None:
            given = instr[5] if op == ir.CALL_METHOD else instr[4] if op in (ir.CALL, ir.NEW) else []
            if op in (ir.CALL, ir.CALL_METHOD) and given:
                self.conditions[name] = Condition("call", "", given[0] if isinstance(given[0], str) else 0, 0)
            self.put(name, None, state)
            called = str(instr[4]) if op == ir.CALL_METHOD else str(instr[3]) if op == ir.CALL else ""
            own = op == ir.CALL or (op == ir.CALL_METHOD and instr[3] == "this")
            kind = self.returns.get(called, "") if own else "long" if called in _CLOCKS else ""
            if kind in _WIDTH:
                self.types[name] = kind

    def is_random(self, operand: ir.Operand) -> bool:
        kind = self.types.get(operand, "").rpartition(".")[2]
        return operand in self.randoms or kind in _GENERATORS

    def random(self, instr: ir.Instr, state: State) -> Known | None:
        kind = "int" if instr[4] == "nextInt" else "long"
        if not instr[5]:
            return Range(kind, *LIMITS[kind], True)
        bounds = [self.value(item, state) for item in instr[5] if not isinstance(item, list)]
        top = bounds[-1] if bounds else None
        low = bounds[0] if len(bounds) == 2 else Range(kind, 0, 0)
        if isinstance(top, Range) and isinstance(low, Range) and top.low == top.high and low.low < top.low:
            return Range(kind, low.low, top.low - 1, True)
        return None

    def move(self, instr: ir.Instr, state: State) -> None:
        target, source = instr[2], instr[3]
        declared = self.types.get(target, "")
        value = self.value(source, state)
        kind = self.types.get(source, "") if isinstance(source, int) and source >= 0 else ""
        if declared in _NARROW and kind in _WIDE:
            self.note("cut", instr[1])
        if str(target).startswith("$"):
            self.conditions[target] = Condition("same", "", source, 0)
        if isinstance(value, Range) and declared in LIMITS:
            value = value._replace(type=declared)
        if source in self.randoms:
            self.randoms.add(target)
        self.put(target, value, state)

    def attribute(self, instr: ir.Instr, state: State) -> None:
        kind = _BOXES.get(str(instr[3]))
        self.names[instr[2]] = str(instr[4])
        value: Known | None = None
        if kind is not None and instr[4] in ("MAX_VALUE", "MIN_VALUE"):
            number = LIMITS[kind][1 if instr[4] == "MAX_VALUE" else 0]
            value = Range(kind, number, number, True)
        elif instr[4] == "length":
            array = self.value(instr[3], state)
            value = Range("int", array.size, array.size) if isinstance(array, Array) else None
        self.put(instr[2], value, state)

    def cast(self, instr: ir.Instr, state: State) -> None:
        value, kind = self.value(instr[4], state), str(instr[3])
        self.types[instr[2]] = kind
        if isinstance(value, Range):
            if kind not in LIMITS:
                value = None
            elif value.low < LIMITS[kind][0] or value.high > LIMITS[kind][1]:
                computed = isinstance(instr[4], int) and value.type != ""
                if value.loud and computed and self.types.get(instr[4], "") in ("int", "long"):
                    self.note("overflow", instr[1])
                value = None
            else:
                value = value._replace(type=kind)
        self.put(instr[2], value, state)

    def binary(self, instr: ir.Instr, state: State) -> None:
        _, span, target, op, a, b = instr
        if op in _NEGATED or op in ("==", "!="):
            self.conditions[target] = Condition("compare", op, a, b)
            self.put(target, None, state)
            return
        left, right = self.value(a, state), self.value(b, state)
        kind = _promoted(self.kind(a, left), self.kind(b, right))
        if kind:
            self.types[target] = kind
        if op not in _ARITHMETIC or not isinstance(left, Range) or not isinstance(right, Range) or kind not in LIMITS:
            self.put(target, None, state)
            return
        ends = _ends(op, left, right)
        low, high = min(ends), max(ends)
        loud = left.loud or right.loud
        if low < LIMITS[kind][0] or high > LIMITS[kind][1]:
            plain = op == "*" and isinstance(a, str) != isinstance(b, str)  # a named number of units times a factor
            if loud or plain:
                self.note("overflow", span)
            self.put(target, None, state)
            return
        self.put(target, Range(kind, low, high, loud), state)

    def index(self, span: int, array: Known | None, key: Known | None) -> None:
        if isinstance(array, Array) and isinstance(key, Range):
            outside = key.high >= array.size or key.low < 0
            if outside and (key.loud or key.low >= array.size):
                self.note("index", span)

    # --- values -------------------------------------------------------------------------------------------------

    def value(self, operand: Any, state: State) -> Known | None:
        if operand.__class__ is list:  # a spread argument
            return None
        if isinstance(operand, int) and operand < 0:
            const = self.function.consts[-1 - operand]
            if const.__class__ is int:
                return Range("int" if _fits(const) else "long", const, const)
            return None
        return state.get(operand)

    def kind(self, operand: ir.Operand, value: Known | None) -> str:
        declared = self.types.get(operand, "")
        if declared:
            return declared
        if isinstance(value, Range):
            return value.type
        if isinstance(operand, int) and operand < 0 and self.function.consts[-1 - operand].__class__ is float:
            return "double"
        return ""

    def put(self, name: ir.Operand, value: Known | None, state: State) -> None:
        if value is None:
            state.pop(name, None)
        else:
            state[name] = value

    def note(self, kind: str, span: int) -> None:
        self.found[Found(kind, span)] = None

    def assume(self, cond: ir.Operand, truth: bool, state: State, depth: int) -> None:
        """Narrow the state by a condition."""
        test = self.conditions.get(cond)
        if test is None or depth > 12:
            return
        if test.kind == "not":
            self.assume(test.a, not truth, state, depth + 1)
        elif test.kind == "same":
            self.assume(test.a, truth, state, depth + 1)
        elif test.kind in ("and", "or") and truth == (test.kind == "and"):
            self.assume(test.a, truth, state, depth + 1)
            self.assume(test.b, truth, state, depth + 1)
        elif test.kind == "call" and truth:
            state.pop(test.a, None)
        elif test.kind == "compare" and test.op in _NEGATED:
            op = test.op if truth else _NEGATED[test.op]
            self.narrow(test.a, op, self.value(test.b, state), state)
            self.narrow(test.b, _FLIPPED[op], self.value(test.a, state), state)

    def narrow(self, name: ir.Operand, op: str, bound: Known | None, state: State) -> None:
        have = state.get(name)
        if not isinstance(have, Range):
            return
        if not isinstance(bound, Range):
            state.pop(name)  # compared with something unknown: take it as checked
            return
        low, high = have.low, have.high
        if op in ("<", "<="):
            high = min(high, bound.high - (op == "<"))
        else:
            low = max(low, bound.low + (op == ">"))
        if low > high:
            state.pop(name)
        else:
            state[name] = have._replace(low=low, high=high)


def _union(a: Known, b: Known) -> Known | None:
    if isinstance(a, Range) and isinstance(b, Range):
        return Range(a.type, min(a.low, b.low), max(a.high, b.high), a.loud or b.loud)
    return a if a == b else None


def _promoted(a: str, b: str) -> str:
    """The type of an arithmetic result (binary numeric promotion); "" when an operand's type is not known."""
    if a not in _WIDTH or b not in _WIDTH:
        return ""
    widest = a if _WIDTH[a] >= _WIDTH[b] else b
    return widest if _WIDTH[widest] > _WIDTH["int"] else "int"


def _ends(op: str, a: Range, b: Range) -> tuple[int, ...]:
    if op == "+":
        return a.low + b.low, a.high + b.high
    if op == "-":
        return a.low - b.high, a.high - b.low
    return a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high


_latest: list[tuple[ir.File, list[tuple[int, Found]]]] = []


def _found(file: ir.File) -> list[tuple[int, Found]]:
    if not _latest or _latest[0][0] is not file:
        returns: dict[str, str] = {}
        for function in file.functions:
            same = returns.get(function.name, function.returns) == function.returns
            returns[function.name] = function.returns if same else ""
        mentions, wide = mentions_of(file), {name for name, kind in returns.items() if kind in _WIDE}
        found = [
            (index, item)
            for index, function in enumerate(file.functions)
            if may_leave(function, mentions.ops[index], mentions.words[index], wide)
            for item in Ranges(function, returns).run()
        ]
        _latest[:] = [(file, found)]
    return _latest[0][1]


def may_leave(function: ir.Function, ops: int, words: set[str], wide: set[str]) -> bool:
    """Whether a function has at all what one of the findings takes; never wrong when it says no.

    Loops; random and extreme values; products; elements of arrays made here; wide numbers given to narrow variables.
    """
    if ops & _LOOPS or not words.isdisjoint(_LOUD):
        return True
    if ops & _ELEMENTS and (ops & _LISTS or "$array" in words):
        return True
    types = {*words, *(param.type for param in function.params)}
    if types.isdisjoint(_NARROW):
        return False
    if not types.isdisjoint(_WIDE) or not wide.isdisjoint(words) or not words.isdisjoint(_CLOCKS):
        return True
    return any(const.__class__ is float or (const.__class__ is int and not _fits(const)) for const in function.consts)


def _fits(number: int) -> bool:
    return LIMITS["int"][0] <= number <= LIMITS["int"][1]


def _hits(file: ir.File, kind: str) -> Iterator[Hit]:
    for index, found in _found(file):
        if found.kind == kind:
            yield Hit(found.span, index)


def find_overflows(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Results that do not fit their type for values the function itself shows."""
    return _hits(file, "overflow")


def find_implicit_narrowing(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """``int += long``: the compound assignment casts without saying so."""
    return _hits(file, "cut")


def find_outside_indexes(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """Indexes that are not inside an array of known size."""
    return _hits(file, "index")


def find_narrow_counters(file: ir.File, options: Mapping[str, Any]) -> Iterator[Hit]:
    """A loop's narrow counter is compared with a wider number."""
    return _hits(file, "loop")
