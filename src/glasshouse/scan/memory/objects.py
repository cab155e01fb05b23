"""Objects of C++ that hold text: what is put into strings and streams, and what they give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import bounds, numbers
from glasshouse.scan.memory.names import ALL
from glasshouse.scan.memory.values import NONNULL, STRONG, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call, Effect
    from glasshouse.scan.memory.engine import Engine

PUTS = frozenset(["append", "assign", "insert", "push_back", "replace", "write", "prepend", "sputn", "str"])
GIVES = frozenset(["c_str", "data", "str", "toStdString", "substr", "toUtf8", "constData"])
MAKERS = ("string", "wstring", "basic_string", "string_view", "QString")
INPUTS = frozenset(["cin", "wcin", "std::cin"])
FILE_STREAMS = frozenset(["ifstream", "fstream", "wifstream"])
VECTOR = re.compile(r"(const )?(std::)?(vector<|w?string$|basic_string<)")
STREAM = re.compile(r"(std::)?(basic_)?w?[io]?fstream\b")
MAX_CHAIN = 40  # parts of one `stream << a << b << ...`


def holds_text(value: V) -> bool:
    """Whether a value is a string object or a stream, as far as its type tells."""
    text = value.type
    return "tring" in text and not text.endswith("*")


def is_path(value: V) -> bool:
    """Whether a value is a ``std::filesystem::path``, whose ``/`` puts two together."""
    return value.type.removeprefix("const ").rpartition("::")[2] == "path"


def text(taint: int, source: str) -> V:
    """A string object with this content."""
    made = V()
    made.type, made.taint, made.source, made.sym = "std::string", taint, source, symbol()
    return made


def made_text(engine: Engine, state: State, made: Call) -> V:
    """``std::string(text)``."""
    return text(*bounds.content_taint(state, made.arg(0)))


def read_line(engine: Engine, state: State, made: Call) -> V:
    """``std::getline(stream, string)``."""
    operand = made.operand(1)
    if root(engine, made.operand(0)) in INPUTS and operand.__class__ is str and operand in state.env:
        home = state.env[operand].home
        if home is not None:
            state.set_field(home, 0, read_word(made.arg(1)))
        else:
            state.env[operand] = read_word(made.arg(1))
    return made.arg(0)


def line_reader(of_c: Effect) -> Effect:
    """``getline``: that of C has three arguments."""

    def effect(engine: Engine, state: State, made: Call) -> V | None:
        return (of_c if len(made.args) > 2 else read_line)(engine, state, made)

    return effect


def joined(state: State, a: V, b: V) -> V:
    """``a + b``, one of them a string object."""
    taint, source = bounds.content_taint(state, a)
    more, other = bounds.content_taint(state, b)
    return text(taint | more, source or other).having(built=True)


def put(state: State, base: V, args: list[V]) -> None:
    """``object.append(text)``: the object that ``base`` points to holds the text from now on."""
    if base.reg is None:
        return
    for value in args:
        taint, source = bounds.content_taint(state, value)
        have = state.field(base.reg, ALL) or V()
        if taint & ~have.taint:
            state.set_field(base.reg, ALL, have.having(taint=have.taint | taint, source=have.source or source))


def given(state: State, base: V) -> V:
    """``object.c_str()`` and its like."""
    taint, source = bounds.content_taint(state, base)
    made = text(taint, source)
    made.type, made.null, made.built = "char*", NONNULL, base.built
    return made


def root(engine: Engine, operand: Any) -> str | None:
    """The variable that a chain of ``<<`` or ``>>`` begins with."""
    defs = engine.facts.functions[engine.frame.index].defs
    for _ in range(MAX_CHAIN):
        if operand.__class__ is str:
            return str(operand)
        ins = defs.get(operand) if operand.__class__ is int and operand >= 0 else None
        if ins is None or ins[0] != ir.BINOP or ins[3] not in ("<<", ">>"):
            return None
        operand = ins[4]
    return None


def streamed_in(state: State, value: V, added: V) -> V:
    """The stream after ``stream << text``."""
    taint, source = bounds.content_taint(state, added)
    return value.having(taint=value.taint | taint, source=value.source or source) if taint & ~value.taint else value


def extracted(engine: Engine, state: State, stream: V, left: Any, name: str) -> None:
    """``stream >> number``: the variable is written, by a stream of the standard library with what it reads."""
    value = state.env.get(name)
    if value is None:
        return
    kind = stream.type.rpartition("::")[2]
    outside = kind in FILE_STREAMS or root(engine, left) in INPUTS
    held = value if value.home is None else state.field(value.home, 0) or V()
    plain = numbers.width(value.type) is not None
    if not held.uninit and not (plain and (outside or kind.endswith("stream"))):
        return
    made = numbers.fresh(value.type) if plain else held.having(uninit=0)
    if outside and plain:
        made.taint, made.source = STRONG, "file data" if kind in FILE_STREAMS else "standard input"
    if value.home is not None:
        state.set_field(value.home, 0, made)
    else:
        state.env[name] = made


def constructed(engine: Engine, state: State, text: str, first: V, span: int) -> None:
    """``std::vector<char> body(length)`` allocates, ``std::ifstream in(path)`` opens what it is given."""
    if VECTOR.match(text):
        if (
            first.taint & STRONG
            and first.hi is None
            and first.below is None
            and not first.checked
            and first.reg is None
        ):
            engine.report("outside-allocation", span, "std::vector", first.source, "high")
    elif STREAM.match(text) and first.text is None and not first.checked:
        taint, origin = bounds.content_taint(state, first)
        if taint & STRONG and not origin.startswith("a random"):
            chosen = origin.startswith(("a command-line", "an environment"))  # by whoever runs the program
            engine.report("path-traversal", span, text, origin, "low" if chosen else "high")
        elif taint and first.built:
            engine.report("path-traversal", span, text, origin, "low", weak=not taint & STRONG)


def unwritten(engine: Engine, state: State, made: Call) -> None:
    """A record of this function is copied to user space whole, and part of it nobody has written."""
    region = made.arg(1).reg
    fields = engine.facts.records.get(region.type) if region is not None and region.kind == "stack" else None
    held = state.heap.get(region) if region is not None else None
    if region is None or fields is None or not held or ALL in held or 0 in held or not held.keys() <= fields.keys():
        return
    whole, parts = engine.facts.size_of(region.type), [engine.facts.size_of(text) for text in fields.values()]
    if whole is None or made.arg(2).const() != whole or None in parts:
        return
    missing = [name for name in fields if name not in held and region.pieces.get(name) not in state.heap]
    if missing:
        engine.report("uninitialised-memory", made.span, f"{region.name}.{missing[0]}", "", "medium")
    elif sum(part or 0 for part in parts) < whole and not region.type.startswith("union "):
        engine.report("uninitialised-memory", made.span, f"the gap between fields of {region.name}", "", "medium")


def read_word(value: V) -> V:
    """The string after ``cin >> string``."""
    return value.having(taint=STRONG, source="standard input", text=None, reg=None)
