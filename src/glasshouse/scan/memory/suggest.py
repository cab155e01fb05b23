"""What the names of unknown functions suggest: that they may fail, build a text, destroy, or are macros."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from glasshouse.scan import ir
from glasshouse.scan.memory import api, bounds, lengths, lifetime, misuse, numbers
from glasshouse.scan.memory.values import MAYBE, STRONG, Region, State, V

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call
    from glasshouse.scan.memory.engine import Engine

MACRO = re.compile(r"(?i)lock|irq|each|get|decode|size|read|init|^va_|start|first|parse|load|fetch|swap|time")
KNOWN = frozenset([*api.BORROWS, *api.PRINTERS, *api.ALLOCATORS, *api.DEALLOCATORS, *api.COPIES, *api.COMMANDS])


def macro_writes(engine: Engine, state: State, name: str, operands: list[Any]) -> None:
    """A function-like macro may write what looks like an argument (``spin_lock_irqsave(&l, flags)``)."""
    facts = engine.facts
    if name in KNOWN or name in facts.by_name:
        return
    surely = facts.kernel or name.isupper() or MACRO.search(name) is not None
    for operand in operands:
        if operand.__class__ is str and (surely or written_by(engine, operand, len(operands))):
            value = state.env.get(operand)
            if value is not None and value.uninit:
                state.env[operand] = value.having(uninit=0)
            elif value is not None and value.home is not None and value.home not in state.heap:
                state.heap[value.home] = {"*": V()}
            elif value is not None and value.home is not None:
                held = state.field(value.home, 0)
                if held is not None and held.uninit:
                    state.set_field(value.home, 0, held.having(uninit=0))


def written_by(engine: Engine, name: str, arguments: int) -> bool:
    """Whether an unknown call may well write a variable it is given: nothing else does, or its type may be an array."""
    text = engine.frame.types.get(name, "")
    plain = text.endswith(("*", "]")) or numbers.width(text) is not None or text in numbers.REALS
    return not assigned(engine, name) and (arguments > 1 or (bool(text) and not plain))


def assigned(engine: Engine, name: str) -> bool:
    """Whether the function writes a variable where one can see it."""
    facts = engine.facts.functions[engine.frame.index]
    return name in facts.addressed or any(ins[0] == ir.MOVE and ins[2] == name for ins in facts.every)


CHECKS = re.compile(r"CHECK|ENSURE|REQUIRE|VERIFY|ASSERT|EXPECT|FAIL|RETURN|_IF(_|$)|^IF_|VALID")
ASSERTION = re.compile(r"(^|_)(assert|ASSERT)[0-9]?$|[a-z]Assert$|^Assert$")
NEVER = re.compile(r"(?i)(^|_)(die|fatal|abort|panic)$|^(die|fatal|panic)_")


@functools.lru_cache(maxsize=20_000)
def checks(name: str) -> bool:
    """Whether it is a macro that leaves unless a condition holds (``CHECK_RETURN(n > max, -1)``)."""
    return name.isupper() and CHECKS.search(name) is not None


@functools.lru_cache(maxsize=20_000)
def asserts(name: str) -> bool:
    """Whether it is an assertion of some project's own (``ck_assert``): what it is given holds afterwards."""
    return ASSERTION.search(name) is not None


CLEANS = re.compile(
    r"(?i)sanit|clean|(?<!un)(escape|quote)|valid|check|verif|normali|canon|encode|strip|filter|safe|init|reset|clear"
)


@functools.lru_cache(maxsize=20_000)
def cleans(name: str) -> bool:
    """Whether a function that is given a text may well make it harmless, or write another one over it."""
    return CLEANS.search(name) is not None


@functools.lru_cache(maxsize=20_000)
def never_returns(name: str) -> bool:
    return NEVER.search(name) is not None


FALLIBLE = re.compile(
    r"(?i)(find|lookup|search|alloc|acquire|getnext|getfirst|_dup$|strdup|clone|create|_new$|crypt$|_parse$|decode$"
    r"|get\w*(value|param|prop(erty)?|attr(ibute)?|header|cookie)(from|by|_|$)|(param|prop|attr|header|cookie)_get)"
)
BUILDS = re.compile(r"(?i)(concat|join|path|printf|append|cat$|build)")
DESTROYS = re.compile(
    r"(^|_)(free|destroy|delete|release)$|^(Free|Destroy|Delete|Release)[A-Z]\w*$|Destroy$|Free$|_free_\w+$"
)


READS = re.compile(
    r"(?i)(read|recv|receive)\w*(sock|server|client|net|conn|peer|exact|packet)|(sock|net|conn)_?(read|recv)"
    r"|(^|_)(uart|usart|serial|spi|i2c|can|radio|modem|lora|ble)_?(read|recv|receive)"
)
SWAPS = re.compile(r"(?i)swap\d|_to_(cpu|host)|[bl]e\d+_?toh|^ntoh")
FILES = re.compile(r"(?i)(file|dir)")
TOUCHES = re.compile(
    r"(?i)(^|_)(load|save|read|write|open|exists?|create|remove|delete|append|copy|make|stat)(_|$)"
    r"|(Load|Save|Read|Write|Open|Exists?|Create|Remove|Delete|Append|Copy)"
)
REQUESTS = re.compile(
    r"(?i)(http|cgi|web|req|request)_?(param|query|form|cookie|post)_?(get|value)"
    r"|get_?(query_string|http_header|(request|http|cgi|form|post|url)_(param|header|var|value|uri|path|field)\w*)$"
)
SIZED = re.compile(r"(?i)[cmz]alloc|acquire\w*memory")


class Hint(NamedTuple):
    """What a name says of a function."""

    fallible: bool
    sized: bool  # may fail, and takes a size
    destroys: bool
    builds: bool
    reads: bool  # fills a buffer with what somebody else sent
    swaps: bool  # gives its argument back in another order of bytes
    files: bool  # does something to a file of a given name
    moves: bool  # another size for memory, perhaps elsewhere
    requests: bool  # gives a part of a request of the web


@functools.lru_cache(maxsize=20_000)
def hint(name: str) -> Hint:
    fallible = FALLIBLE.search(name) is not None and not name.isupper()
    sized = fallible and SIZED.search(name) is not None
    files = FILES.search(name) is not None and TOUCHES.search(name) is not None
    reads, swaps = READS.search(name) is not None, SWAPS.search(name) is not None
    destroys, builds = DESTROYS.search(name) is not None, BUILDS.search(name) is not None
    moves = name.lower().endswith("realloc") and not name.isupper()
    requests = REQUESTS.search(name) is not None and not name.isupper()
    return Hint(fallible, sized, destroys, builds, reads, swaps, files, moves, requests)


def made_from(engine: Engine, operand: Any) -> tuple[ir.Instr | None, ir.Instr | None]:
    """The instruction that makes an operand, and the one that makes what it is made of."""
    defs = engine.facts.functions[engine.frame.index].defs
    ins = defs.get(operand)
    return ins, defs.get(ins[4]) if ins is not None and ins[0] == ir.CAST else None


def by_name(engine: Engine, state: State, made: Call, result: V) -> None:
    """What the name of an unknown function suggests: that it may fail, that it builds a text."""
    name = made.name
    if not name or name in engine.facts.by_name:
        return
    says = hint(name)
    if says.fallible:
        result.null, result.why, result.born = MAYBE, f"?`{name}`", made.span
        if says.sized:
            for value in made.args:
                misuse.allocation_size(engine, state, made, value, api.Alloc("", 0))
    if says.moves and len(made.args) == 2:
        result.reg = Region("unknown", "")
        lifetime.moved(engine, state, made.arg(0), result.reg, made.span)
    if says.requests:
        result.taint, result.source, result.type = STRONG, f"a request, by {name}", "char*"
        result.reg = Region("unknown", f"{name}()")
        state.heap[result.reg] = {"*": V().having(taint=STRONG, source=result.source)}
    variable = lengths.freed_variable(engine, *made_from(engine, made.operand(0))) if says.destroys else ""
    if variable:
        engine.report("free-of-non-heap", made.span, variable, name, "high")
    if says.destroys and len(made.args) == 1 and made.operand(0).__class__ is str:
        region = made.arg(0).reg
        if region is not None and region.kind in ("unknown", "param") and region not in state.status:
            state.status[region] = (4, made.span)
    if says.files and not says.builds and not engine.facts.kernel:
        for number, value in enumerate(made.args):
            if misuse.built(state, value):
                misuse.sink(engine, state, made, "path-traversal", number)
    if says.reads:
        for value in made.args:
            if value.reg is not None and value.reg.root().kind in ("stack", "heap") and value.text is None:
                content = V()
                content.taint, content.source = STRONG, f"data that {name} reads"
                state.heap[value.reg] = {"*": content}
    if says.swaps and len(made.args) == 1:
        result.taint, result.source, result.lo = made.args[0].taint, made.args[0].source, 0
    if name == "setw" and made.args:
        result.hi = made.arg(0).const()
    if says.builds:
        for value in made.args:
            taint, origin = bounds.content_taint(state, value)
            own = taint & STRONG or origin.startswith("parameter")
            if own and not value.checked and value.text is None:
                result.taint, result.source, result.built = taint, origin, len(made.args) > 1
