"""What a test says about the values in it, on either outcome."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import api, lengths, numbers
from glasshouse.scan.memory.evaluate import position
from glasshouse.scan.memory.names import ALL, read_global
from glasshouse.scan.memory.values import MAYBE, NONNULL, NULL, STRONG, UNKNOWN, Region, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.engine import Engine

NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
EFFECTFUL = frozenset(
    "system popen fopen open memcpy strcpy sprintf snprintf fgets read recv fscanf sscanf printf fprintf unlink "
    "access stat lstat remove rename mkdir chmod write send copy_from_user get_user __get_user recvfrom "
    "fread malloc realloc calloc strlen".split()
)
"""Calls whose success says nothing about whether their arguments were harmless."""
COMPARERS = frozenset("strcmp strncmp strcasecmp strncasecmp memcmp bcmp stricmp _stricmp g_strcmp0 wcscmp".split())
"""Not equal to some text says little; equal says all."""
PASSES = frozenset(["abs", "labs", "fabs", "fabsf", "llabs", "abs64", "strlen", "ntohs", "ntohl"])


MAX_CASES = 16  # of a switch that are remembered as left


def assume(engine: Engine, state: State, operand: Any, truth: bool, reuse: bool, loop: bool = False) -> State | None:
    """The state in which the operand is true (or false), None where that cannot be.

    The first call of a pair copies the state; ``reuse`` allows the last one to change it in place.
    """
    out = state.copy() if truth or not reuse else state
    return out if _apply(engine, out, operand, truth, loop, 0) else None


def _apply(engine: Engine, state: State, operand: Any, truth: bool, loop: bool, depth: int) -> bool:
    value = _peek(engine, state, operand)
    at = value.const()
    if at is not None and not value.real:
        return bool(at) == truth
    ins = _definition(engine, operand)
    if ins is not None and depth < 8:
        op = ins[0]
        if op == ir.BINOP and ins[3] in NEGATED:
            return _compare(engine, state, ins[3] if truth else NEGATED[ins[3]], ins[4], ins[5], loop, ins[1])
        if op == ir.UNOP and ins[3] == "!":
            return _apply(engine, state, ins[4], not truth, loop, depth + 1)
        if op == ir.CALL and isinstance(ins[3], str):
            _call_tested(engine, state, ins, truth)
        if op == ir.CALL and not truth and ins[3] in ("IS_ERR", "IS_ERR_OR_NULL") and ins[4]:
            pointer = _peek(engine, state, ins[4][0])
            replace(engine, state, ins[4][0], pointer, pointer.having(null=NONNULL))
    return _truth(engine, state, operand, value, truth, ins[1] if ins is not None else 0)


def _call_tested(engine: Engine, state: State, ins: ir.Instr, truth: bool) -> None:
    """A test by a function: what is passed to it counts as checked."""
    name = str(ins[3])
    if name in ("IS_ERR", "IS_ERR_OR_NULL"):
        if truth and ins[4]:
            pointer = _peek(engine, state, ins[4][0])
            if pointer.reg is not None and pointer.reg in state.status:
                state.status.pop(pointer.reg)
            null = MAYBE if name.endswith("NULL") else UNKNOWN
            replace(engine, state, ins[4][0], pointer, pointer.having(null=null, reg=None))
        return
    if name in EFFECTFUL or (truth and name in COMPARERS):
        return
    if name in ONE_OF and truth and ins[4]:
        _harmless(engine, state, ins[4][0])
        return
    library = name in api.BORROWS or name in api.COPIES or name in api.FILLS or name in api.PRINTERS
    for operand in ins[4]:
        value = _peek(engine, state, operand)
        if not library and value.reg is not None and value.type.startswith("char") and value.reg.kind != "literal":
            _untainted(state, value.reg)
        if value.taint and not value.checked and value.const() is None and value.text is None:
            replace(engine, state, operand, value, value.having(checked=True))


ONE_OF = frozenset(
    "isalnum isalpha isdigit isxdigit std::isalnum std::isalpha std::isdigit regex_match std::regex_match "
    "g_ascii_isalnum g_ascii_isdigit g_ascii_isalpha".split()
)
"""Whether a character is of a harmless kind, or the whole of a text matches an expression."""


def _harmless(engine: Engine, state: State, operand: Any) -> None:
    """A text, or the text that a character belongs to, has been looked at: ``if (!isalnum(*p)) return``."""
    for _ in range(4):
        ins = _definition(engine, operand)
        if ins is None or ins[0] not in (ir.CAST, ir.MOVE):
            break
        operand = ins[4] if ins[0] == ir.CAST else ins[3]
    if ins is not None and ins[0] == ir.ITEM:
        base = _peek(engine, state, ins[3])
        if base.reg is not None:
            _untainted(state, base.reg)
        return
    value = _peek(engine, state, operand)
    if value.taint and value.reg is None and value.const() is None:
        replace(engine, state, operand, value, value.having(taint=0, source=""))


def _untainted(state: State, region: Region) -> None:
    """What lies there does no harm any more, by whatever name it is reached."""
    fields = state.heap.get(region)
    if fields is not None and any(value.taint for value in fields.values()):
        state.heap[region] = {ALL: V(), **{key: value.having(taint=0, source="") for key, value in fields.items()}}
    for name, value in list(state.env.items()):
        if value.reg is region and value.taint:
            state.env[name] = value.having(taint=0, source="")


def _definition(engine: Engine, operand: Any) -> ir.Instr | None:
    if operand.__class__ is int and operand >= 0:
        return engine.facts.functions[engine.frame.index].defs.get(operand)
    return None


def _peek(engine: Engine, state: State, operand: Any) -> V:
    """The value of an operand, without any report."""
    if operand.__class__ is int:
        if operand < 0:
            return engine.frame.consts[-1 - operand]
        return state.temps.get(operand) or V()
    value = state.env.get(operand)
    if value is None:
        return read_global(engine, state, operand)
    if value.home is not None:
        return state.field(value.home, 0) or _filled(engine, state, value)
    return value


def _filled(engine: Engine, state: State, variable: V) -> V:
    """A variable that was filled through its address: ``read(fd, &n, sizeof(n))``."""
    every = state.field(variable.home, ALL) if variable.home is not None else None
    if every is None or not every.taint or every.const() is not None or variable.type.endswith("]"):
        return V()
    made = numbers.bounded(every.having(reg=None, sym=symbol()), variable.type or every.type)
    assert variable.home is not None
    state.set_field(variable.home, 0, made)
    return made


def replace(engine: Engine, state: State, operand: Any, old: V, new: V) -> None:
    """Everything that holds the old value holds the new one."""
    if new is old:
        return
    env = state.env
    shared = old.const() is not None
    if operand.__class__ is int and operand < 0:
        return
    if operand.__class__ is int:
        state.temps[operand] = new
    elif operand in env:
        home = env[operand].home
        if home is not None:
            state.set_field(home, 0, new)
            operand = None
        else:
            env[operand] = new
    elif operand is not None:
        env["@" + operand] = new
    if not shared:
        for key in [key for key, value in env.items() if value is old]:
            env[key] = new
    _replace_field(engine, state, operand, old, new)


def _replace_field(engine: Engine, state: State, operand: Any, old: V, new: V) -> None:
    ins = _definition(engine, operand)
    for _ in range(6):
        if ins is None:
            return
        op = ins[0]
        if op in (ir.ATTR, ir.ITEM):
            base = _peek(engine, state, ins[3])
            if base.reg is not None:
                key: Any = ins[4]
                if op == ir.ITEM:
                    key = position(base, _peek(engine, state, ins[4]))
                fields = state.heap.get(base.reg)
                if fields is None:
                    return
                have = fields.get(key)  # None: one of many of which nothing is known apart, until now
                if have is old or old.const() is not None or (have is None and key.__class__ is str):
                    state.set_field(base.reg, key, new)
            return
        if op == ir.CAST or op == ir.MOVE:
            source = ins[4] if op == ir.CAST else ins[3]
            value = _peek(engine, state, source)
            if new.null != value.null and value.reg is new.reg:
                changed = value.having(null=new.null, why=new.why)
            else:
                changed = value.having(
                    lo=_high(value.lo, new.lo),
                    hi=_low(value.hi, new.hi),
                    below=new.below or value.below,
                    checked=new.checked or value.checked,
                    ne=value.ne | new.ne,
                    reach=new.reach,
                )
            if source.__class__ is int and source >= 0:
                state.temps[source] = changed
                ins, operand, old, new = _definition(engine, source), source, value, changed
                continue
            replace(engine, state, source, value, changed)
            return
        if op == ir.CALL and ins[3] in PASSES and ins[4]:
            source = ins[4][0]
            value = _peek(engine, state, source)
            replace(engine, state, source, value, value.having(checked=True))
            return
        if op == ir.BINOP and ins[3] in ("+", "-"):
            _shifted(engine, state, ins, new)
        if op == ir.BINOP and ins[3] in ("+", "-", "*", "/") and new.checked:
            for source in ins[4:6]:
                value = _peek(engine, state, source)
                if value.const() is None:
                    below = value.below
                    if below is not None and new.below is not None and below[0] == new.below[0]:
                        below = None  # bounded together with something else from here on
                    replace(engine, state, source, value, value.having(checked=True, below=below))
            return
        return


def _shifted(engine: Engine, state: State, ins: ir.Instr, new: V) -> None:
    """What is known of ``n + 4`` is known of n."""
    left, right = _peek(engine, state, ins[4]), _peek(engine, state, ins[5])
    by, operand, value = right.const(), ins[4], left
    if by is None and ins[3] == "+":
        by, operand, value = left.const(), ins[5], right
    if by is None or value.const() is not None or value.reg is not None or value.real:
        return
    by = by if ins[3] == "+" else -by
    changed = value.having(
        lo=_high(value.lo, new.lo - by) if new.lo is not None else value.lo,
        hi=_low(value.hi, new.hi - by) if new.hi is not None else value.hi,
        below=(new.below[0], new.below[1] - by) if new.below is not None else value.below,
        upto=new.upto,
    )
    if changed.lo is None or changed.hi is None or changed.lo <= changed.hi:
        replace(engine, state, operand, value, changed)


def _low(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)


def _high(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


def _truth(engine: Engine, state: State, operand: Any, value: V, truth: bool, span: int) -> bool:
    """``if (x)``: not zero, not null."""
    if value.null == NULL and truth and value.const() is None:
        return False
    if value.null == NONNULL and not truth and (value.reg is not None or value.type.endswith("*")):
        return value.born == -1
    pointer = value.reg is not None or value.type.endswith("*") or value.null == MAYBE
    if pointer:
        checked_after_use(engine, state, operand, value)
        if truth:
            new = value.having(null=NONNULL, why="")
        else:
            gone(state, value)
            new = value.having(null=NULL, why="", born=span or value.born)
    elif truth:
        if value.lo == 0:
            new = value.having(lo=1)
        elif value.lo is None or value.lo < 0:
            new = value.having(ne=value.ne | {0}, null=NONNULL)
        else:
            return True
    else:
        if (value.lo is not None and value.lo > 0) or (value.hi is not None and value.hi < 0) or 0 in value.ne:
            return False
        new = value.having(lo=0, hi=0, null=NULL, reach=True)
    replace(engine, state, operand, value, new)
    if not truth and not pointer:
        _empty(engine, state, operand)
    return True


def _empty(engine: Engine, state: State, operand: Any) -> None:
    """The first character of a text is its end: nothing in it does harm."""
    ins = _definition(engine, operand)
    if ins is not None and ins[0] == ir.ITEM:
        base = _peek(engine, state, ins[3])
        if base.reg is not None and base.idx is None and base.type.startswith("char"):
            if _peek(engine, state, ins[4]).const() == 0:
                _untainted(state, base.reg)


def gone(state: State, value: V) -> None:
    """A pointer that is null here means that its allocation failed."""
    if value.reg is not None and value.reg.kind in ("heap", "resource") and (value.born or value.null == MAYBE):
        state.status.pop(value.reg, None)  # not where it is what `fgets` gave back, which fails for other reasons
    old = state.facts.get(("moved", value.reg))
    if old is not None:
        state.status.pop(old, None)


def checked_after_use(engine: Engine, state: State, operand: Any, value: V) -> None:
    """A pointer is compared with null although it was used before on every path to here."""
    if engine.frame.caller is not None:  # a function that bears null for the sake of its other callers
        return
    used = state.facts.get(("used", id(value)))
    if used is not None and used[1] is value and not value.why:
        name = value.name or (operand if isinstance(operand, str) else "pointer")
        engine.report("null-check-after-use", used[0], name, "", "medium")


LENGTH = re.compile(r"(?i)(len|size|bytes|cnt|count|end\b|end$|_end|avail|left|remain|limit|max|last)")


@functools.lru_cache(maxsize=20_000)
def _names_a_length(name: str) -> bool:
    return LENGTH.search(name) is not None


def _looks_at_length(engine: Engine, state: State, operand: Any, depth: int = 0) -> bool:
    """Whether an operand is, or is computed from, something whose name says that it is a length or an end."""
    if operand.__class__ is str:
        return _names_a_length(operand)
    ins = _definition(engine, operand)
    if ins is None or depth > 4:
        return False
    if ins[0] == ir.ATTR:
        return _names_a_length(ins[4])
    if ins[0] == ir.CALL:
        return isinstance(ins[3], str) and _names_a_length(ins[3])
    if ins[0] in (ir.BINOP, ir.CAST, ir.MOVE, ir.UNOP):
        return any(
            _looks_at_length(engine, state, part, depth + 1)
            for part in ins[3:]
            if part.__class__ is int or part != ins[3]
        )
    return False


def _compare(engine: Engine, state: State, operator: str, left: Any, right: Any, loop: bool, span: int) -> bool:
    a, b = _peek(engine, state, left), _peek(engine, state, right)
    if "length" not in state.facts and (
        _looks_at_length(engine, state, left) or _looks_at_length(engine, state, right)
    ):
        state.facts["length"] = True
    x, y = a.const(), b.const()
    if operator not in ("==", "!="):
        lengths.compared(engine, operator, left, right, a, b, span)
    for side in (left, right):
        _divided(engine, state, side)
    if operator in ("==", "!=") and x is None and y is None:
        _narrowed(engine, state, left, right, a)
        _narrowed(engine, state, right, left, b)
    if y == 0 and operator in ("==", "!=") and x is None and not a.real:
        return _zero_test(engine, state, left, a, operator, span)
    if x == 0 and operator in ("==", "!=") and y is None and not b.real:
        return _zero_test(engine, state, right, b, operator, span)
    if a.reg is not None and b.reg is not None and x is None and y is None:
        return not (a.reg is b.reg and operator == "!=" and a.idx is None and b.idx is None)
    if operator in ("==", "!=") and a.sym and b.sym and x is None and y is None:
        if a.sym == b.sym:
            return (a.off == b.off) == (operator == "==")
        if a.name != b.name and a.name.isupper() and b.name.isupper() and ")" not in a.name + b.name:
            return operator == "!="
    if not _side(engine, state, left, a, operator, b, loop):
        return False
    a_now = _peek(engine, state, left)
    return _side(engine, state, right, b, MIRRORED[operator], a_now if a_now.const() is not None else a, loop)


def _narrowed(engine: Engine, state: State, operand: Any, cast: Any, value: V) -> None:
    """``n != (int) n``: who compares a value with its narrower self asks whether it fits."""
    ins = _definition(engine, cast)
    if ins is not None and ins[0] == ir.CAST and value.const() is None and not value.checked:
        if _peek(engine, state, ins[4]) is value:
            replace(engine, state, operand, value, value.having(checked=True))


def looked_at(engine: Engine, state: State, operand: Any, depth: int = 0) -> None:
    """A condition is given to a macro that checks it: what it compares counts as checked, whichever way it goes."""
    ins = _definition(engine, operand)
    if ins is None or depth > 6:
        return
    if ins[0] == ir.UNOP and ins[3] == "!":
        looked_at(engine, state, ins[4], depth + 1)
    elif ins[0] == ir.BINOP and ins[3] in NEGATED:
        for part in ins[4:6]:
            value = _peek(engine, state, part)
            if _looks_at_length(engine, state, part):
                state.facts["length"] = True
            if value.const() is not None or value.text is not None:
                continue
            if value.null == MAYBE:
                replace(engine, state, part, value, value.having(null=UNKNOWN, why=""))
            elif not value.checked:
                replace(engine, state, part, value, value.having(checked=True))


def steady(engine: Engine, state: State, operand: Any) -> bool:
    """Whether an operand names the same place each time: a variable or a field, nothing that moves with an index."""
    if engine.facts.kernel or operand == -1:  # macros of the kernel move variables unseen
        return False
    for _ in range(6):
        if operand.__class__ is str:
            return True
        ins = _definition(engine, operand)
        if ins is None or ins[0] not in (ir.ATTR, ir.CAST):
            return False
        operand = ins[4] if ins[0] == ir.CAST else ins[3]
        if ins[0] == ir.ATTR and _peek(engine, state, operand).idx is not None:
            return False
    return False


def _divided(engine: Engine, state: State, operand: Any) -> None:
    """Who compares a quotient asks whether a product fits: what is divided, and by what, counts as checked."""
    for _ in range(4):
        ins = _definition(engine, operand)
        if ins is None or ins[0] != ir.BINOP or ins[3] != "/":
            return
        for part in ins[4:6]:
            value = _peek(engine, state, part)
            if value.const() is None and not value.checked and value.reg is None:
                replace(engine, state, part, value, value.having(checked=True))
        operand = ins[4]


def _zero_test(engine: Engine, state: State, operand: Any, value: V, operator: str, span: int) -> bool:
    ins = _definition(engine, operand)
    if ins is not None and ins[0] == ir.CALL and isinstance(ins[3], str):
        _call_tested(engine, state, ins, operator == "!=")
    if ins is not None and ins[0] == ir.BINOP and ins[3] in NEGATED:
        return _apply(engine, state, operand, operator == "!=", False, 1)
    return _truth(engine, state, operand, value, operator == "!=", span)


def _side(engine: Engine, state: State, operand: Any, value: V, operator: str, other: V, loop: bool) -> bool:
    """Refine one side by the other."""
    if operand.__class__ is int and operand < 0:
        return True
    if value.real or other.real:
        replace(engine, state, operand, value, value.having(checked=True))
        return True
    made = value.having()
    if not limited(made, value, operator, other, loop):
        return False
    lo, hi = made.lo, made.hi
    if lo is not None and hi is not None and lo > hi:
        return False
    at = other.const()
    counting = value.lo is not None and value.hi is None and value.sym and not value.taint
    if operator in (">=", ">") and loop and counting and at is not None and value.lo is not None and value.lo <= at:
        made.hi = hi = lo  # a counter that goes up by one stops exactly at its bound
    if lo is not None and lo == hi:
        made.null = NULL if lo == 0 else NONNULL
    elif lo is not None and lo > 0:
        made.null = NONNULL
    replace(engine, state, operand, value, made)
    if value.strlen_of is not None and value.name == "strlen()" and hi is not None and hi != value.hi:
        state.texts[value.strlen_of] = V().having(lo=0, hi=hi, reach=at is not None)
    if (
        value.reg is not None
        and value.reg.kind == "resource"
        and operator in ("<", "==")
        and at is not None
        and at <= 0
    ):
        state.status.pop(value.reg, None)
    return True


def limited(made: V, value: V, operator: str, other: V, loop: bool = False) -> bool:
    """Narrow ``made`` in place; false where the test cannot hold."""
    at = other.const()
    if operator == "==":
        made.lo, made.hi = _high(value.lo, other.lo), _low(value.hi, other.hi)
        if at is not None and at in value.ne:
            return False
        made.reach = at is not None or value.reach
        if other.sym:
            made.below = (other.sym, other.off)
    elif operator == "!=":
        if at is None:
            return True
        if value.const() == at:
            return False
        if value.hi == at:
            made.hi = at - 1
        elif value.lo == at:
            made.lo = at + 1
        elif len(value.ne) < 8:
            made.ne = value.ne | {at}
    elif operator in ("<", "<="):
        less = 1 if operator == "<" else 0
        if other.hi is not None:
            made.hi = _low(value.hi, other.hi - less)
            if at is not None and (loop or value.taint & STRONG or value.reach) and made.hi == at - less:
                made.reach = True
        if other.sym and not other.taint & STRONG:
            made.below = (other.sym, other.off - less)
            made.reach = made.reach or loop
        elif at is None and made.hi != value.hi and (other.checked or not other.reach):
            made.reach = False  # bounded by something that is bounded itself: both ends need not meet
        elif at is None and other.hi is None and other.name == "sizeof":
            made.reach = False  # bounded by a size that is not known
        made.checked = value.checked or at is None
        made.upto = lengths.bounded_by(other)
    else:
        if other.lo is not None:
            made.lo = _high(value.lo, other.lo + (1 if operator == ">" else 0))
        made.checked = value.checked or at is None
    return True


def assume_case(engine: Engine, state: State, subject: Any, operands: list[Any], cases: Any) -> State | None:
    """The state in which a switch takes a case ([]: none of the others)."""
    value = _peek(engine, state, subject)
    at = value.const()
    if not operands:
        if at is not None:
            for others, _ in cases:
                for operand in others:
                    if _peek(engine, state, operand).const() == at:
                        return None
        return state.copy()
    case = _peek(engine, state, operands[0]).const()
    if case in value.ne or operands[0] in value.others:
        return None  # an earlier switch has left with this one
    if at is not None and case is not None:
        return state.copy() if at == case else None
    if case is not None and ((value.lo is not None and case < value.lo) or (value.hi is not None and case > value.hi)):
        return None
    out = state.copy()
    if case is not None and value.reg is None:
        replace(
            engine, out, subject, value, value.having(lo=case, hi=case, null=NULL if case == 0 else NONNULL, reach=True)
        )
    return out


def exclude_case(engine: Engine, state: State, subject: Any, operands: list[Any]) -> State | None:
    value = _peek(engine, state, subject)
    at, case = value.const(), _peek(engine, state, operands[0]).const()
    if at is not None:
        return None if case == at else state
    if value.reg is None and case is not None and len(value.ne) < MAX_CASES:
        replace(engine, state, subject, value, value.having(ne=value.ne | {case}))
    elif case is None and operands[0].__class__ is str and operands[0].isupper() and len(value.others) < MAX_CASES:
        replace(engine, state, subject, value, value.having(others=value.others | {operands[0]}))
    return state
