"""The intermediate representation every front end lowers to: three-address instructions in nested blocks.

A file is a ``File``: functions (index 0 is the module body) and classes.  A function body is a list of instructions;
an instruction is a list ``[op, span, ...]``.  Control flow is structured: ``IF``, ``LOOP``, ``FOREACH``, ``TRY`` and
``SWITCH`` hold nested blocks, so an abstract interpreter walks it once, without a work list.

Operands
    ``str``   a variable (resolved at analysis time: local, enclosing function, module, import, builtin)
    ``int``   >= 0: a temporary, written by exactly one instruction;  < 0: a constant (``consts[-1 - operand]``)
Anything that is written in more than one place (both arms of a conditional expression, a comprehension's result) is a
variable; front ends make such variables with ``Builder.fresh()`` (their names start with ``$``).

Spans are packed integers (``pack_span``), lines from 1, columns in bytes from 0.  The format is plain lists, strings
and integers so that MessagePack moves it between processes and into the cache.
"""

from __future__ import annotations

from typing import Any

import msgspec

IR_VERSION = 2
KERNEL_PACKAGE = "kernel"
PART_PACKAGE = "part"
"""``File.package`` in C: code of an operating system, which differs in what calls what and what compilers have checked;
and a file that includes files of its own program, one of several."""

Operand = int | str
Instr = list[Any]
Block = list[Instr]

# --- instructions: name = number, then the fields that follow [op, span] -------------------------------------------
MOVE = 0  # dst(str|int), src                      dst = src
ATTR = 1  # dst, obj, name                         dst = obj.name
SET_ATTR = 2  # obj, name, src                     obj.name = src
ITEM = 3  # dst, obj, key                          dst = obj[key]
SET_ITEM = 4  # obj, key, src                      obj[key] = src
DEL_ITEM = 5  # obj, key                           del obj[key]     (del obj.name: key is a constant string)
CALL = 6  # dst, callee, args, kwargs              dst = callee(*args, **kwargs)
CALL_METHOD = 7  # dst, obj, name, args, kwargs    dst = obj.name(*args, **kwargs)
NEW = 8  # dst, cls, args, kwargs                  dst = new cls(*args)
BINOP = 9  # dst, op, a, b                         op: as written: + ** // >>> == === <= in, not in, is, is not
UNOP = 10  # dst, op, a                            op: not - + ~ typeof void
TEMPLATE = 11  # dst, parts                        dst = concatenation of the parts as text (f-string, template literal)
MAKE = 12  # dst, kind, items                      kind: list tuple set dict (items: [key, value]); ["*", x] spreads x
CLOSURE = 13  # dst, function index                dst = the function as a value, closing over the current variables
CLASS = 14  # dst, class index                     dst = the class as a value
IMPORT = 15  # dst(str|int), module, name, level   name "": the module; "*": all names (dst is ""); level: Python dots
IF = 16  # cond, then block, else block
LOOP = (
    17  # label, test block, cond, body, update block   while: test; if not cond leave; body; update.  cond "" = forever
)
DO_LOOP = 18  # label, body, test block, cond      body first
FOREACH = 19  # label, dst(int), iterable, body, kind   kind: "values" or "keys" (for-in); dst = an element
BREAK = 20  # label ("" = innermost loop or switch)
CONTINUE = 21  # label ("" = innermost loop)
RETURN = 22  # src (None constant when empty)
RAISE = 23  # src
TRY = 24  # body, handlers, else block, finally block   handlers: [[type texts, variable or "", block], ...]
SWITCH = 25  # label, subject, cases               cases: [[operands], block], ...; [] operands = default; falls through
BLOCK = 26  # label, body                          labelled block (BREAK label leaves it)
YIELD = 27  # dst, src, delegate(0|1)              delegate = yield from / yield*
AWAIT = 28  # dst, src
DECLARE = 29  # name, type text                    the static type of a variable, as written
CAST = 30  # dst, type text, src
IS_TYPE = 31  # dst, src, [type texts]             isinstance / instanceof
DEFAULT = 32  # name, block, operand               at function start: parameter default; block computes operand
ASSERT = 33  # cond                                execution goes on only if cond holds
NOP = 34  # PHP, for checks: key, value of a constant element of an array
ADDR = 35  # dst, obj, name                   dst = &obj->name (C)
GOTO = 36  # label                             (C)
LABEL = 37  # label

BLOCK_FIELDS: dict[int, tuple[int, ...]] = {
    IF: (3, 4),
    LOOP: (3, 5, 6),
    DO_LOOP: (3, 4),
    FOREACH: (5,),
    TRY: (2, 4, 5),
    BLOCK: (3,),
    DEFAULT: (3,),
}
"""Which fields are blocks, counted with ``op`` and ``span``; handlers of a TRY and cases of a SWITCH hold more."""

OP_NAMES = {
    value: name
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, int) and name != "IR_VERSION"
}

# --- function and class flags ---------------------------------------------------------------------------------------
STATIC, CLASS_METHOD, PROPERTY, ASYNC, GENERATOR = 1, 2, 4, 8, 16
EXPORTED = 32  # reachable by users of the library (public name, `export`, `public`)
ABSTRACT, CONSTRUCTOR = 64, 128
INTERFACE, ENUM = 256, 512
SYNCHRONIZED = 1024
TEST = 2048


CALLED = frozenset(["function", "method", "lambda"])
"""Kinds of functions that run when something calls them; the others run where they stand."""


class Decorator(msgspec.Struct, array_like=True):
    """A decorator or annotation as written.  ``args`` are constants (None where not constant), by position or name.

    ``$name`` and ``$regex`` (TypeScript): a name or class, and a regular expression, that is given.
    """

    name: str
    args: list[tuple[str, Any]]  # ("" or keyword, constant or list of constants)
    span: int


class Param(msgspec.Struct, array_like=True):
    """kind: ``self`` (Python receiver), ``pos``, ``kw`` (keyword-only), ``*`` (rest), ``**`` (rest of keywords)."""

    name: str
    kind: str
    type: str = ""
    span: int = 0
    decorators: list[Decorator] = []
    has_default: bool = False


class Function(msgspec.Struct, array_like=True):
    """One function.  kind: ``module``, ``class`` (class body), ``function``, ``method``, ``lambda``, ``fields``.

    ``cls`` and ``parent`` are indexes into the file's classes and functions, -1 for none.  ``outer`` names variables
    that are declared global or nonlocal here (writes go outwards).
    """

    name: str
    qualname: str
    kind: str
    params: list[Param]
    body: Block
    consts: list[Any]
    temps: int
    span: int
    cls: int = -1
    parent: int = -1
    flags: int = 0
    decorators: list[Decorator] = []
    outer: list[str] = []
    returns: str = ""
    capped: str = ""  # why the body is incomplete, or ""


class Class(msgspec.Struct, array_like=True):
    """One class.  ``bases`` are names as written (dotted); ``methods`` may hold a name several times (overloads)."""

    name: str
    qualname: str
    bases: list[str]
    methods: list[tuple[str, int]]
    fields: list[tuple[str, str]]  # name, type text ("" unknown)
    span: int
    body: int = -1  # function run when the class is defined (class attributes, static initialisers)
    init: int = -1  # function run on each new instance before the constructor (instance field initialisers)
    parent: int = -1  # enclosing class
    flags: int = 0
    decorators: list[Decorator] = []
    marks: list[tuple[str, Decorator]] = []  # decorators of fields (TypeScript)


class Import(msgspec.Struct, array_like=True):
    """``local`` is the bound name ("*" for all names), ``module`` the module or package, ``name`` "" for the module."""

    local: str
    module: str
    name: str
    span: int
    level: int = 0
    static: bool = False


class File(msgspec.Struct, array_like=True):
    """One lowered file.  ``package`` is the declared package (Java) or "".  ``errors`` are spans that did not parse."""

    path: str
    language: str
    package: str
    functions: list[Function]
    classes: list[Class]
    imports: list[Import]
    lines: int
    nodes: int
    errors: list[int] = []
    notes: list[str] = []  # what was capped or could not be lowered


def pack_span(line: int, column: int, end_line: int, end_column: int) -> int:
    """Lines from 1 (< 2**20), columns in bytes from 0; columns and height are clamped at 4095."""
    height = end_line - line
    return (
        (min(line, 1048575) << 36)
        | (min(column, 4095) << 24)
        | ((height if height < 4095 else 4095) << 12)
        | min(end_column, 4095)
    )


def unpack_span(span: int) -> tuple[int, int, int, int]:
    """(line, column, end line, end column) of a packed span."""
    line = span >> 36
    return line, (span >> 24) & 4095, line + ((span >> 12) & 4095), span & 4095


class Builder:
    """Makes one function's body.  Blocks are entered with ``block()`` and always end up inside an instruction."""

    __slots__ = ("_index", "_serial", "block", "consts", "temps")

    def __init__(self) -> None:
        self.block: Block = []
        self.consts: list[Any] = []
        self.temps = 0
        self._serial = 0
        self._index: dict[tuple[type, Any], int] = {}

    def const(self, value: str | int | float | bool | None) -> int:
        """Operand of a constant."""
        key = (value.__class__, value)
        found = self._index.get(key)
        if found is None:
            self.consts.append(value)
            found = self._index[key] = -len(self.consts)
        return found

    def temp(self) -> int:
        """A new temporary: write it with exactly one instruction."""
        self.temps += 1
        return self.temps - 1

    def fresh(self) -> str:
        """A new variable, for values that more than one instruction writes."""
        self._serial += 1
        return f"${self._serial}"

    def emit(self, op: int, span: int, *fields: Any) -> None:
        """Append an instruction to the current block."""
        self.block.append([op, span, *fields])
