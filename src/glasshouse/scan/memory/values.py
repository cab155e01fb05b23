"""Abstract values, the memory they point to, and the state of one path.

A number is an interval, possibly equal to a symbol plus an offset (``sym``, ``off``), possibly bounded by one
(``below``).  A pointer names a region and an offset in bytes.  Values are not changed after they are made.
"""

from __future__ import annotations

import itertools
from typing import Any

UNKNOWN, NULL, NONNULL, MAYBE = 0, 1, 2, 3  # what is known about a pointer being null
LIVE, FREED, GONE = 1, 2, 3  # a resource: held here, given back, or somebody else's concern
STRONG, WEAK = 1, 2  # taint: from outside the program, from a parameter of a function nobody calls here
NOWHERE = 1 << 40
"""The operand of an argument that is not there, or that only a macro's text gives: a temporary that nothing defines
(-1 would be the first constant)."""

_serial = itertools.count(1)


class V:
    """One abstract value; what is not set is unknown."""

    lo: int | None = None
    hi: int | None = None
    sym: int = 0
    off: int = 0
    below: tuple[int, int] | None = None
    reach: bool = False  # both ends of the interval really occur
    taint: int = 0
    source: str = ""  # where tainted data comes from
    reg: Region | None = None
    idx: V | None = None  # offset in bytes into ``reg``; None = 0
    null: int = UNKNOWN
    why: str = ""  # why it may be null
    born: int = 0  # span where the null came from
    home: Region | None = None  # the variable lives there, because its address was taken
    uninit: int = 0  # 1 not written yet, 2 on some paths
    type: str = ""
    text: str | None = None  # constant text
    ne: frozenset[int] = frozenset()
    others: frozenset[str] = frozenset()  # constants of unknown value that it is not
    real: bool = False  # a floating-point number
    strlen_of: Region | None = None
    parts: tuple[Any, ...] | None = None  # ("*", a, b) or ("+", a, b): arithmetic on data that is not bounded
    items: tuple[tuple[V, ...], str] | None = None  # of an initialiser: values, names of fields where they are given
    checked: bool = False  # compared with something that is no constant
    size_of: str = ""  # the type whose size this is
    name: str = ""  # a name to show
    upto: tuple[int, str] | None = None  # taint and source of a bound that nothing bounds itself
    built: bool = False  # a text put together from several
    func: str = ""  # the function it refers to

    def const(self) -> int | None:
        """The number it is, if it is one."""
        return self.lo if self.lo is not None and self.lo == self.hi else None

    def having(self, **changes: Any) -> V:
        """A copy with changes."""
        made = V()
        made.__dict__ = {**self.__dict__, **changes}
        return made


def number(value: int) -> V:
    made = V()
    made.lo = made.hi = value
    made.reach = True
    made.null = NULL if value == 0 else NONNULL
    return made


NUMBERS = {value: number(value) for value in range(-2, 257)}


def of_number(value: int) -> V:
    return NUMBERS.get(value) or number(value)


def symbol() -> int:
    return next(_serial)


class Region:
    """A piece of memory: where it came from and how large it is (in bytes; None unknown)."""

    __slots__ = ("count", "family", "kind", "name", "nul", "parent", "pieces", "size", "span", "type", "unit", "zeroed")

    def __init__(self, kind: str, name: str = "", size: V | None = None, span: int = 0) -> None:
        self.kind = kind  # stack heap global literal param unknown field resource
        self.name = name
        self.size = size
        self.span = span
        self.unit = 0  # size of one element, 0 unknown, -1: sizes and offsets count elements of unknown size
        self.count: V | None = None  # number of elements
        self.type = ""
        self.family = ""
        self.zeroed = False
        self.nul = False
        self.parent: Region | None = None
        self.pieces: dict[str, Region] = {}

    def piece(self, field: str) -> Region:
        """The region of a field (or of all elements) inside this one."""
        found = self.pieces.get(field)
        if found is None:
            found = self.pieces[field] = Region(
                "field", f"{self.name}.{field}" if self.name else field, None, self.span
            )
            found.parent = self
        return found

    def root(self) -> Region:
        region = self
        for _ in range(30):
            if region.parent is None:
                break
            region = region.parent
        return region


class State:
    """What holds at one point of one path."""

    __slots__ = ("dead", "env", "facts", "heap", "locks", "status", "temps", "texts")

    def __init__(self) -> None:
        self.env: dict[str, V] = {}
        self.temps: dict[int, V] = {}
        self.heap: dict[Region, dict[Any, V]] = {}
        self.status: dict[Region, tuple[int, int]] = {}  # resource -> (LIVE..., span of the last change)
        self.locks: dict[str, tuple[int, int]] = {}  # lock -> (depth, span)
        self.texts: dict[Region, V] = {}  # length of the text in a region
        self.facts: dict[Any, Any] = {}
        self.dead = False

    def copy(self) -> State:
        made = State.__new__(State)
        made.env = self.env.copy()
        made.temps = self.temps.copy()
        made.heap = self.heap.copy()
        made.status = self.status.copy()
        made.locks = self.locks.copy()
        made.texts = self.texts.copy()
        made.facts = self.facts.copy()
        made.dead = False
        return made

    def field(self, region: Region, key: Any) -> V | None:
        found = self.heap.get(region)
        return found.get(key) if found is not None else None

    def set_field(self, region: Region, key: Any, value: V) -> None:
        fields = self.heap.get(region)
        fields = {} if fields is None else fields.copy()
        fields[key] = value
        self.heap[region] = fields


def hull(a: V, b: V) -> V:
    """What both values have in common."""
    if a is b:
        return a
    made = V()
    if a.lo is not None and b.lo is not None:
        made.lo = a.lo if a.lo < b.lo else b.lo
    if a.hi is not None and b.hi is not None:
        made.hi = a.hi if a.hi > b.hi else b.hi
    if a.reach and b.reach:
        made.reach = True
    if a.type == b.type or not b.type:
        if a.type:
            made.type = a.type
    elif not a.type:
        made.type = b.type
    if a.taint or b.taint:
        made.taint, made.source = a.taint | b.taint, a.source or b.source
    if a.null or b.null:
        made.null, made.why, made.born = _null(a, b)
    if a.uninit or b.uninit:
        made.uninit = a.uninit if a.uninit == b.uninit else 2
    if a.reg is not None and a.reg is b.reg:
        made.reg = a.reg
        if a.idx is not None or b.idx is not None:
            made.idx = hull(a.idx or NUMBERS[0], b.idx or NUMBERS[0])
    if a.sym or b.sym or a.below is not None or b.below is not None:
        _symbols(made, a, b)
    if a.home is b.home and a.home is not None:
        made.home = a.home
    _rest(made, a, b)
    return made


def _symbols(made: V, a: V, b: V) -> None:
    if a.sym and a.sym == b.sym and a.off == b.off:
        made.sym, made.off = a.sym, a.off
    if a.below is not None and b.below is not None:
        if a.below[0] == b.below[0]:
            made.below = (a.below[0], max(a.below[1], b.below[1]))
    elif a.below is not None and b.sym == a.below[0] and b.off <= a.below[1]:
        made.below = a.below


def _rest(made: V, a: V, b: V) -> None:
    one, two = a.__dict__, b.__dict__
    for name in ("real", "checked"):
        if name in one or name in two:
            made.__dict__[name] = one.get(name, False) or two.get(name, False)
    for name in ("text", "func", "parts", "name", "strlen_of", "size_of", "ne", "others"):
        if name in one and one[name] == two.get(name):
            made.__dict__[name] = one[name]


def _null(a: V, b: V) -> tuple[int, str, int]:
    if a.null == b.null:
        return a.null, a.why or b.why, a.born or b.born
    for one in (a, b):
        if one.null == MAYBE:
            return MAYBE, one.why, one.born
    return UNKNOWN, "", 0


def same_property(a: V, b: V) -> bool:
    """Whether two values of a variable need no separate paths."""
    if a is b:
        return True
    if a.reg is not b.reg and (tracked(a) or tracked(b)):
        return False
    if a.uninit != b.uninit:
        return False
    if a.null != b.null and (a.null in (NULL, MAYBE) or b.null in (NULL, MAYBE)):
        return False
    return not (a.taint & STRONG) ^ (b.taint & STRONG)


def tracked(value: V) -> bool:
    return value.reg is not None and value.reg.kind in ("heap", "resource", "stack", "literal")
