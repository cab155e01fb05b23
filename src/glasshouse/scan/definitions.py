"""Functions and methods that come or go with an edit, where nothing can notice but code that names them.

A *plain definition* is an undecorated function at the top of a Python file, or an undecorated method of a class there.
Its coming or going changes nothing but one name of its module or class, and that is looked up by name only.  A name is
*new* if the lowered code of the whole program does not hold it, not even inside a longer string; names that code puts
together are told by the units (``asked``).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import zip_longest
from typing import Any

from glasshouse.scan import ir

PLAIN_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
NO_OPERANDS = {ir.IMPORT: (5,), ir.YIELD: (4,), ir.CLOSURE: (3,), ir.CLASS: (3,)}  # where instructions hold numbers


def plain_definitions(file: ir.File, names: Iterable[tuple[int, int]]) -> dict[int, tuple[int, str]]:
    """Which functions of a file are plain definitions: class and name by index.

    ``names``: indexes of functions, and which of several of the same name each is.
    """
    if file.language != "python":
        return {}
    found = {}
    for index, number in names:
        function = file.functions[index]
        if number or function.decorators or function.parent != 0 or PLAIN_NAME.fullmatch(function.name) is None:
            continue
        cls = function.cls
        top = function.kind == "method" and file.classes[cls].parent < 0 and file.classes[cls].qualname.isidentifier()
        if top or (function.kind == "function" and function.qualname == function.name):
            found[index] = cls, function.name
    return found


def without(body: ir.Block, functions: Collection[int]) -> tuple[int, ir.Block]:
    """A body without the statements that define some functions, and how many temporaries these used."""
    kept: ir.Block = []
    temps: list[int] = []
    skipped = False
    for ins, after in zip_longest(body, body[1:]):
        if skipped:
            skipped = False
        elif ins[0] == ir.CLOSURE and ins[3] in functions and after and after[0] == ir.MOVE and after[3] == ins[2]:
            temps.append(ins[2])
            skipped = True
        else:
            kept.append(ins)
    return len(temps), shifted(kept, sorted(temps))


def shifted(block: ir.Block, gone: list[int]) -> ir.Block:
    """A block as if some temporaries had never been."""
    return [shifted_instruction(ins, gone) for ins in block]


def shifted_instruction(ins: ir.Instr, gone: list[int]) -> ir.Instr:
    op = ins[0]
    blocks, numbers = ir.BLOCK_FIELDS.get(op, ()), NO_OPERANDS.get(op, ())
    made = ins[:2]
    for position, item in enumerate(ins[2:], 2):
        if position in blocks:
            made.append(shifted(item, gone))
        elif position in numbers:
            made.append(item)
        elif op == ir.TRY and position == 3:
            made.append([[kinds, variable, shifted(inner, gone)] for kinds, variable, inner in item])
        elif op == ir.SWITCH and position == 4:
            made.append([[operands(subjects, gone), shifted(inner, gone)] for subjects, inner in item])
        else:
            made.append(operands(item, gone))
    return made


def operands(item: Any, gone: list[int]) -> Any:
    if item.__class__ is int:
        return item - bisect_left(gone, item) if item >= 0 else item
    return [operands(each, gone) for each in item] if item.__class__ is list else item


def mentioned(names: Iterable[str], blobs: Collection[bytes]) -> bool:
    """Whether lowered files hold one of the names as a word of its own."""
    for name in names:
        text = name.encode()
        word = re.compile(
            rb"(?:(?<![A-Za-z0-9_])|(?<=\xd9.))" + text + rb"(?![A-Za-z0-9_])", re.DOTALL
        )  # a long string has one byte of length before it
        if any(text in blob and word.search(blob) for blob in blobs):
            return True
    return False
