"""Objects of C++ that hold text: what is put into strings and streams, and what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.memory import bounds
from glasshouse.scan.memory.names import ALL
from glasshouse.scan.memory.values import NONNULL, STRONG, State, V, symbol

if TYPE_CHECKING:
    from glasshouse.scan.memory.calls import Call, Effect
    from glasshouse.scan.memory.engine import Engine

PUTS = frozenset(["append", "assign", "insert", "push_back", "replace", "write", "prepend", "sputn", "str"])
GIVES = frozenset(["c_str", "data", "str", "toStdString", "substr", "toUtf8", "constData"])
MAKERS = ("string", "wstring", "basic_string", "string_view", "QString")
INPUTS = frozenset(["cin", "wcin", "std::cin"])
MAX_CHAIN = 40  # parts of one `stream << a << b << ...`


def holds_text(value: V) -> bool:
    """Whether a value is a string object or a stream, as far as its type tells."""
    text = value.type
    return "tring" in text and not text.endswith("*")


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
    return text(taint | more, source or other)


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
    made.type, made.null = "char*", NONNULL
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


def read_word(value: V) -> V:
    """The string after ``cin >> string``."""
    return value.having(taint=STRONG, source="standard input", text=None, reg=None)
