"""What can be told about values of one lowered JavaScript file without running it: names, constants, origins.

``Facts`` indexes every instruction once.  ``path`` names a value (``fs.readFile``, ``req.query.id``), ``constant``
folds it, ``origins`` walks its definitions backwards, also into callers of the same file.  All walks are bounded.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.bodies import NESTING, blocks_of

MAX_STEPS = 300  # definitions visited by one backward walk
MAX_DEPTH = 24  # attributes and moves followed when naming a value
MAX_TEXT = 2000  # characters of a folded constant
UNKNOWN = object()

_DST_FIRST = frozenset(
    {ir.MOVE, ir.ATTR, ir.ITEM, ir.CALL, ir.CALL_METHOD, ir.NEW, ir.BINOP, ir.UNOP, ir.TEMPLATE, ir.MAKE, ir.CLOSURE}
    | {ir.CLASS, ir.IMPORT, ir.YIELD, ir.AWAIT, ir.CAST, ir.IS_TYPE}
)


class Site(NamedTuple):
    """An instruction in its place: function index, instruction, and the instructions whose blocks it lies in."""

    function: int
    instr: ir.Instr
    within: tuple[ir.Instr, ...]


class Key(NamedTuple):
    """A value's storage: the function that owns it and its variable name or temporary number."""

    function: int
    name: ir.Operand


class Origin(NamedTuple):
    """One value on the way back: the operand, and the instruction that defines it (None: a parameter or a global)."""

    function: int
    operand: ir.Operand
    site: Site | None


class Callback(NamedTuple):
    """How a function of the file is used: the call that takes it and its place among the arguments."""

    site: Site
    position: int


def walk(body: ir.Block) -> Iterator[tuple[ir.Instr, tuple[ir.Instr, ...]]]:
    """Every instruction of a body in order, with the structured instructions around it."""
    stack: list[tuple[Iterator[ir.Instr], tuple[ir.Instr, ...]]] = [(iter(body), ())]
    while stack:
        instructions, within = stack[-1]
        for instr in instructions:
            yield instr, within
            if instr[0] in NESTING:
                blocks = blocks_of(instr)
                inside = (*within, instr)
                stack.extend((iter(block), inside) for block in reversed(blocks))
                break
        else:
            stack.pop()


def written(instr: ir.Instr) -> ir.Operand | None:
    """The operand that an instruction defines."""
    op = instr[0]
    if op in _DST_FIRST:
        place: ir.Operand = instr[2]
        return place if place != "" else None
    if op == ir.FOREACH:
        return int(instr[3])
    return str(instr[2]) if op == ir.DEFAULT else None


Follow = Callable[["Facts", Site], list[ir.Operand]]


class Facts:
    """The index of one file; a function is indexed when something asks for it."""

    def __init__(self, file: ir.File) -> None:
        self.file = file
        self._callees: dict[int, str] = {}
        self._sites: dict[int, list[Site]] = {}
        self._params: dict[int, dict[str, int]] = {}
        self._locals: dict[int, set[str]] = {}

    # --- indexing -----------------------------------------------------------------------------------------------

    def sites_of(self, function: int) -> list[Site]:
        """The instructions of one function, in order."""
        found = self._sites.get(function)
        if found is None:
            found = self._sites[function] = self._index(function)
        return found

    @functools.cached_property
    def sites(self) -> list[list[Site]]:
        """The instructions of every function."""
        return [self.sites_of(function) for function in range(len(self.file.functions))]

    @functools.cached_property
    def _by_op(self) -> dict[int, list[Site]]:
        found: dict[int, list[Site]] = {}
        for sites in self.sites:
            for site in sites:
                op = site.instr[0]
                have = found.get(op)
                if have is None:
                    found[op] = [site]
                else:
                    have.append(site)
        return found

    def _index(self, index: int) -> list[Site]:
        function = self.file.functions[index]
        params = self._params[index] = {param.name: place for place, param in enumerate(function.params)}
        own = self._locals[index] = set(params)
        outer = frozenset(function.outer)
        found: list[Site] = []
        stack: list[tuple[Iterator[ir.Instr], tuple[ir.Instr, ...]]] = [(iter(function.body), ())]
        while stack:
            instructions, within = stack[-1]
            for instr in instructions:
                found.append(Site(index, instr, within))
                op = instr[0]
                if op in _DST_FIRST:
                    name = instr[2]
                    if name.__class__ is str and name and name not in outer:
                        own.add(name)
                elif op in NESTING:
                    if op == ir.TRY:
                        own.update(handler[1] for handler in instr[3] if handler[1])
                    elif op == ir.DEFAULT and instr[2] not in outer:
                        own.add(instr[2])
                    inside = (*within, instr)
                    stack.extend((iter(block), inside) for block in reversed(blocks_of(instr)))
                    break
            else:
                stack.pop()
        return found

    def _own(self, function: int) -> set[str]:
        """Names that a function declares."""
        own = self._locals.get(function)
        if own is None:
            self.sites_of(function)
            own = self._locals[function]
        return own

    @functools.cached_property
    def defs(self) -> dict[Key, list[Site]]:
        """The instructions that define an operand."""
        found: dict[Key, list[Site]] = {}
        for sites in self.sites:
            for site in sites:
                name = written(site.instr)
                if name is not None:
                    found.setdefault(self.key(site.function, name), []).append(site)
        return found

    @functools.cached_property
    def callbacks(self) -> dict[int, list[Callback]]:
        """The calls that a function of the file is passed to."""
        found: dict[int, list[Callback]] = {}
        for site in self._calls():
            for position, argument in enumerate(arguments(site.instr)):
                target = self.function_of(site.function, argument)
                if target is not None:
                    found.setdefault(target, []).append(Callback(site, position))
        return found

    @functools.cached_property
    def calls_to(self) -> dict[int, list[Site]]:
        """The calls of a function of the file by its name."""
        found: dict[int, list[Site]] = {}
        for site in self._calls():
            target = self.function_of(site.function, site.instr[3]) if site.instr[0] == ir.CALL else None
            if target is not None:
                found.setdefault(target, []).append(site)
        return found

    def _calls(self) -> Iterator[Site]:
        """Every call, in the order of the file."""
        return (site for sites in self.sites for site in sites if site.instr[0] in (ir.CALL, ir.CALL_METHOD, ir.NEW))

    # --- looking up ---------------------------------------------------------------------------------------------

    def every(self, *ops: int) -> Iterator[Site]:
        """All instructions with one of these operations, one operation after the other."""
        for op in ops:
            yield from self._by_op.get(op, ())

    def key(self, function: int, operand: ir.Operand) -> Key:
        """Where an operand is stored; variables belong to the function that declares them (-1: a global)."""
        if not isinstance(operand, str):
            return Key(function, operand)
        place = function
        for _ in range(len(self.file.functions) + 1):
            if place < 0 or operand in self._own(place):
                break
            place = self.file.functions[place].parent
        return Key(place, operand)

    def definitions(self, function: int, operand: ir.Operand) -> list[Site]:
        return self.defs.get(self.key(function, operand), [])

    def single(self, function: int, operand: ir.Operand) -> Site | None:
        """The only instruction that defines the operand."""
        found = self.definitions(function, operand)
        return found[0] if len(found) == 1 else None

    def parameter(self, function: int, operand: ir.Operand) -> tuple[int, int] | None:
        """(function, position) when the operand is a parameter."""
        if not isinstance(operand, str):
            return None
        owner = self.key(function, operand).function
        if owner < 0:
            return None
        place = self._params[owner].get(operand)  # `key` has indexed it
        return None if place is None else (owner, place)

    def function_of(self, function: int, operand: ir.Operand | None) -> int | None:
        """The function of this file that the operand is."""
        for _ in range(MAX_DEPTH):
            if operand is None or (isinstance(operand, int) and operand < 0):
                return None
            site = self.single(function, operand)
            if site is None:
                return None
            if site.instr[0] == ir.CLOSURE:
                return int(site.instr[3])
            if site.instr[0] != ir.MOVE:
                return None
            function, operand = site.function, site.instr[3]
        return None

    def literal(self, function: int, operand: ir.Operand) -> Any:
        """The constant an operand is written as, or ``UNKNOWN``."""
        if isinstance(operand, int) and operand < 0:
            return self.file.functions[function].consts[-1 - operand]
        return UNKNOWN

    def constant(self, function: int, operand: ir.Operand, depth: int = 0) -> Any:
        """The constant that the operand must be (moves, ``+`` and templates are folded), or ``UNKNOWN``."""
        value = self.literal(function, operand)
        if value is not UNKNOWN or depth > MAX_DEPTH:
            return value
        site = self.single(function, operand)
        if site is None or self.parameter(function, operand) is not None:
            return UNKNOWN
        op, instr = site.instr[0], site.instr
        if op in (ir.MOVE, ir.CAST, ir.AWAIT):
            return self.constant(site.function, instr[-1], depth + 1)
        if op == ir.TEMPLATE:
            return self._joined(site.function, instr[3], depth)
        if op == ir.BINOP and instr[3] == "+":
            return self._joined(site.function, instr[4:6], depth)
        return UNKNOWN

    def _joined(self, function: int, parts: list[ir.Operand], depth: int) -> Any:
        texts = []
        for part in parts:
            value = self.constant(function, part, depth + 8)
            if not isinstance(value, str):
                return UNKNOWN
            texts.append(value)
        return "".join(texts)[:MAX_TEXT]

    def regexp(self, function: int, operand: ir.Operand) -> tuple[str, str] | None:
        """(pattern, flags) when the operand is a regular expression with a constant pattern."""
        for _ in range(MAX_DEPTH):
            if self.parameter(function, operand) is not None:
                return None
            site = self.single(function, operand)
            if site is None:
                return None
            instr = site.instr
            if instr[0] in (ir.NEW, ir.CALL) and self.path(site.function, instr[3]) == "RegExp" and instr[4]:
                pattern = self.constant(site.function, instr[4][0])
                flags = self.constant(site.function, instr[4][1]) if len(instr[4]) > 1 else ""
                return (pattern, flags if isinstance(flags, str) else "") if isinstance(pattern, str) else None
            if instr[0] != ir.MOVE:
                return None
            function, operand = site.function, instr[3]
        return None

    def path(self, function: int, operand: ir.Operand) -> str:
        """A dotted name for the value: imports, globals, parameters, attributes, ``()`` for calls; "" if none."""
        tail: list[str] = []
        for _ in range(MAX_DEPTH):
            if isinstance(operand, int) and operand < 0:
                return ""
            site = None if self.parameter(function, operand) is not None else self.single(function, operand)
            if site is None:
                if not isinstance(operand, str):
                    return ""
                return ".".join([operand, *reversed(tail)]).replace(".()", "()")
            step = self._unfold(site, tail)
            if isinstance(step, str):
                return ".".join([step, *reversed(tail)]).replace(".()", "()")
            function, operand = step
        return ""

    def _unfold(self, site: Site, tail: list[str]) -> str | tuple[int, ir.Operand]:
        """One step of ``path``: what the name goes on with, or a finished root."""
        instr, op = site.instr, site.instr[0]
        if op in (ir.MOVE, ir.CAST, ir.AWAIT):
            return site.function, instr[-1]
        if op == ir.IMPORT:
            module = str(instr[3]).removeprefix("node:")
            name = str(instr[4])
            return f"{module}.{name}" if name and name not in ("default", "*") else module
        if op == ir.ATTR:
            if instr[4] != "default":
                tail.append(str(instr[4]))
            return site.function, instr[3]
        if op == ir.ITEM:
            key = self.literal(site.function, instr[4])
            tail.append(key if isinstance(key, str) and key.isidentifier() else "[]")
            return site.function, instr[3]
        if op == ir.CALL:
            tail.append("()")
            return site.function, instr[3]
        if op == ir.NEW:
            tail.append("()")
            return site.function, instr[3]
        if op == ir.CALL_METHOD:
            tail.extend(("()", str(instr[4])))
            return site.function, instr[3]
        if isinstance(instr[2], str) and not instr[2].startswith("$"):
            return str(instr[2])
        return "?"

    def callee(self, site: Site) -> str:
        """The dotted name of what a call calls."""
        instr = site.instr
        found = self._callees.get(id(instr))
        if found is None:
            found = self.path(site.function, instr[3])
            if instr[0] == ir.CALL_METHOD:
                found = f"{found or '?'}.{instr[4]}"
            self._callees[id(instr)] = found
        return found

    def text(self, function: int, operand: ir.Operand) -> str:
        """A short name for messages."""
        name = self.path(function, operand).replace(".[]", "[...]")
        return name if name and "?" not in name and "$" not in name else "this value"

    # --- walking backwards --------------------------------------------------------------------------------------

    def origins(self, function: int, operand: ir.Operand, follow: Follow, callers: bool = False) -> Iterator[Origin]:
        """What the operand may be computed from, nearest first.

        ``follow`` says which operands of a definition count; ``callers``: go on with arguments of calls in this file.
        """
        waiting: deque[tuple[int, ir.Operand]] = deque([(function, operand)])
        seen: set[Key] = set()
        while waiting and len(seen) < MAX_STEPS:
            function, operand = waiting.popleft()
            if isinstance(operand, int) and operand < 0:
                continue
            key = self.key(function, operand)
            if key in seen:
                continue
            seen.add(key)
            place = self.parameter(function, operand)
            if place is not None:
                yield Origin(function, operand, None)
                waiting.extend(self._passed(place) if callers else ())
            found = self.defs.get(key, ())
            if place is None and not found:
                yield Origin(function, operand, None)
            for site in found:
                yield Origin(function, operand, site)
                waiting.extend((site.function, used) for used in follow(self, site))

    def _passed(self, place: tuple[int, int]) -> list[tuple[int, ir.Operand]]:
        """Arguments that calls in this file pass for a parameter."""
        found: list[tuple[int, ir.Operand]] = []
        for site in self.calls_to.get(place[0], ()):
            given = arguments(site.instr)
            if place[1] < len(given):
                found.append((site.function, given[place[1]]))
        return found

    def around(self, function: int) -> Iterator[int]:
        """The function and those it lies in."""
        while function >= 0:
            yield function
            function = self.file.functions[function].parent


def arguments(instr: ir.Instr) -> list[ir.Operand]:
    """Positional arguments of a call, spreads left out."""
    given: list[Any] = instr[5] if instr[0] == ir.CALL_METHOD else instr[4]
    return [item for item in given if isinstance(item, (int, str))]


def parts(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: the value itself and its pieces: moves, attributes, elements, concatenation."""
    instr, op = site.instr, site.instr[0]
    if op in (ir.MOVE, ir.AWAIT, ir.ATTR, ir.ITEM):
        return [instr[3]]
    if op == ir.BINOP:
        return [instr[4], instr[5]] if instr[3] == "+" else []
    if op == ir.TEMPLATE:
        return list(instr[3])
    if op == ir.CAST:
        return [instr[4]]
    return [instr[4]] if op == ir.FOREACH else []


def same(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: only what is the value itself or an element or field it was read from."""
    instr, op = site.instr, site.instr[0]
    if op in (ir.MOVE, ir.AWAIT, ir.ATTR, ir.ITEM):
        return [instr[3]]
    if op == ir.CAST:
        return [instr[-1]]
    return [instr[4]] if op == ir.FOREACH else []


def everything(facts: Facts, site: Site) -> list[ir.Operand]:
    """``Follow``: whatever took part, also receivers and arguments of calls, keys and members of literals."""
    instr, op = site.instr, site.instr[0]
    if op == ir.ITEM:
        return [instr[3], instr[4]]
    if op == ir.BINOP:
        return [instr[4], instr[5]]
    if op in (ir.UNOP, ir.DEFAULT):
        return [instr[4]]
    if op == ir.MAKE:
        return [part for item in instr[4] for part in (item[1:] if isinstance(item, list) else [item])]
    if op == ir.CALL_METHOD:
        return [instr[3], *arguments(instr)]
    if op in (ir.CALL, ir.NEW):
        return [*arguments(instr), *([instr[3]] if isinstance(instr[3], int) else [])]
    return parts(facts, site)


_latest: list[tuple[ir.File, Facts]] = []


def facts_of(file: ir.File) -> Facts:
    """The index of a file; kept for the detectors that look at the same file next."""
    if _latest and _latest[0][0] is file:
        return _latest[0][1]
    found = Facts(file)
    _latest[:] = [(file, found)]
    return found
