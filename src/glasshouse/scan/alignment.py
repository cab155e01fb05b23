"""What an edit of one file changed, seen from the analysis: which functions have another body, and where lines went.

Two versions of a file are compared as lowered code without places.  An edit is *plain* when nothing but bodies of
functions differs; functions inside changed bodies may come and go, and so may plain definitions (see ``definitions``).
Everything else of the file (parameters, classes, imports, module and class bodies) is then the same but for its place,
and the places are told as a map of spans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from glasshouse.scan import ir
from glasshouse.scan.bodies import NESTING, blocks_of
from glasshouse.scan.definitions import Binding, Shifted, plain_bindings, plain_definitions, without
from glasshouse.scan.languages import INTERPRETED

Name = tuple[str, str, int]  # kind, qualified name, and which of several
ENCODER = msgspec.msgpack.Encoder()


class Alignment(msgspec.Struct):
    """A plain edit.  Indexes of functions: ``same`` from old to new, ``changed`` and ``removed`` old, ``added`` new.

    ``gone`` and ``come`` are those of them that are plain definitions, with class and name; ``unbound`` and ``bound``
    are plain bindings that are gone or have come (a name with another value: both).
    """

    same: dict[int, int]
    changed: set[int]
    removed: set[int]
    added: set[int]
    spans: dict[int, int]
    gone: dict[int, tuple[int, str]] = {}
    come: dict[int, tuple[int, str]] = {}
    unbound: dict[str, Binding] = {}
    bound: dict[str, Binding] = {}

    def going(self) -> set[str]:
        """Names that are gone."""
        return {*self.unbound, *(name for _, name in self.gone.values())}

    def coming(self) -> set[str]:
        """Names that have come."""
        return {*self.bound, *(name for _, name in self.come.values())}


def aligned(old: ir.File, new: ir.File) -> Alignment | None:
    """How a file's versions relate; None if the edit is not plain."""
    if old.language not in INTERPRETED:  # nothing looks into such files
        return Alignment({}, set(), set(range(len(old.functions))), set(range(len(new.functions))), {})
    before, after = Version(old), Version(new)
    before.leave_out(after)
    after.leave_out(before)
    before.stripped = after.stripped = before.lacks_something() or after.lacks_something()
    if before.outside() != after.outside():
        return None
    places = {name: index for index, name in enumerate(after.names)}
    same: dict[int, int] = {}
    changed: set[int] = set()
    pairs: list[tuple[list[int], list[int]]] = [(before.spans, after.spans)]
    for index, name in enumerate(before.names):
        place = places.get(name)
        if place is None:
            continue
        head, body = before.function(index)
        other_head, other_body = after.function(place)
        if head.code != other_head.code:
            return None
        same[index] = place
        pairs.append((head.spans, other_head.spans))
        if body.code == other_body.code:
            pairs.append((body.spans, other_body.spans))
        elif old.functions[index].kind in ir.CALLED:
            changed.add(index)
        else:
            return None
    removed = set(range(len(old.functions))) - set(same)
    added = set(range(len(new.functions))) - set(same.values())
    gone, come = before.left_out, after.left_out
    if not inside(old, removed - set(gone), changed | set(gone)):
        return None
    if not inside(new, added - set(come), {same[index] for index in changed} | set(come)):
        return None
    spans = mapped(pairs)
    if spans is None or not rising(same):
        return None
    return Alignment(same, changed, removed, added, spans, gone, come, before.unlike, after.unlike)


def inside(file: ir.File, functions: set[int], changed: set[int]) -> bool:
    """Whether some functions are plain ones within others of them or within changed ones, where no name finds them."""
    kinds = ir.CALLED if file.language != "php" else frozenset(["lambda"])  # named ones are known to the whole program
    for index in functions:
        function = file.functions[index]
        if function.cls >= 0 or function.kind not in kinds or function.parent not in functions | changed:
            return False
    return True


def mapped(pairs: Sequence[tuple[list[int], list[int]]]) -> dict[int, int] | None:
    """Old spans to new ones, if that keeps their order and which of them share a line."""
    spans: dict[int, int] = {}
    lines: dict[int, int] = {}
    for olds, news in pairs:
        for old, new in zip(olds, news, strict=True):
            if spans.setdefault(old, new) != new or lines.setdefault(old >> 36, new >> 36) != new >> 36:
                return None
    return spans if rising(spans) and rising(lines) else None


def rising(table: dict[int, int]) -> bool:
    return all(a < b for a, b in pairwise(table[key] for key in sorted(table)))


class Code:
    """Encoded code without places, and the places in its order."""

    def __init__(self, code: Any, spans: list[int]) -> None:
        self.code = ENCODER.encode(code)
        self.spans = spans


class Version:
    """One version of a file.  Functions and classes are called by name, for their numbers move."""

    def __init__(self, file: ir.File) -> None:
        self.file = file
        self.names = named((function.kind, function.qualname) for function in file.functions)
        self.classes = named(("class", cls.qualname) for cls in file.classes)
        self.spans: list[int] = []
        self.bindings = plain_bindings(file)
        self.left_out: dict[int, tuple[int, str]] = {}  # plain definitions that the other version lacks
        self.unlike: dict[str, Binding] = {}  # plain bindings that the other version lacks
        self.stripped = False  # whether bodies of modules and classes are told without what one version lacks

    def leave_out(self, other: Version) -> None:
        """Tell what another version lacks from the rest."""
        known = set(other.names)
        lacking = [(index, name[2]) for index, name in enumerate(self.names) if name not in known]
        self.left_out = plain_definitions(self.file, lacking)
        self.unlike = {
            name: given
            for name, given in self.bindings.items()
            if ENCODER.encode(given) != ENCODER.encode(other.bindings.get(name))
        }

    def lacks_something(self) -> bool:
        """Whether the other version lacks something."""
        return bool(self.left_out or self.unlike)

    def outside(self) -> bytes:
        """Everything but the functions; adds to ``spans``."""
        file, spans = self.file, self.spans
        imports = []
        for entry in file.imports:
            if self.unlike.get(entry.local) == [entry.module, entry.name]:
                continue
            spans.append(entry.span)
            imports.append((entry.local, entry.module, entry.name, entry.level, entry.static))
        classes = []
        for name, cls in zip(self.classes, file.classes, strict=True):
            spans.append(cls.span)
            methods = [
                (method, self.function_name(index)) for method, index in cls.methods if index not in self.left_out
            ]
            body, init = self.function_name(cls.body), self.function_name(cls.init)
            decorators = self.decorators(cls.decorators, spans)
            above = self.class_name(cls.parent)
            classes.append((name, cls.name, cls.bases, methods, cls.fields, body, init, above, cls.flags, decorators))
        return ENCODER.encode((file.path, file.language, file.package, bool(file.imports), imports, classes))

    def function(self, index: int) -> tuple[Code, Code]:
        """Head and body of a function."""
        function = self.file.functions[index]
        spans = [function.span] if function.kind != "module" else []  # a file begins at its top, whatever moves
        params = []
        for param in function.params:
            spans.append(param.span)
            decorators = self.decorators(param.decorators, spans)
            params.append((param.name, param.kind, param.type, decorators, param.has_default))
        decorators = self.decorators(function.decorators, spans)
        parent, cls = self.function_name(function.parent), self.class_name(function.cls)
        head = (function.name, function.flags, function.outer, function.returns, params, decorators, parent, cls)
        inner: list[int] = []
        temps, block, consts = function.temps, function.body, function.consts
        if self.stripped and function.kind not in ir.CALLED:
            gone, block = without(function, self.left_out, self.unlike if index == 0 else ())
            temps, consts, block = temps - len(gone), [], Shifted(gone, consts).block(block)
        body = (temps, consts, self.block(block, inner), function.capped)
        return Code(head, spans), Code(body, inner)

    def block(self, block: ir.Block, spans: list[int]) -> list[Any]:
        """A block without places; blocks inside follow the instructions that hold them."""
        made: list[Any] = []
        pending: list[Iterator[ir.Instr]] = [iter(block)]
        while pending:
            ins = next(pending[-1], None)
            if ins is None:
                pending.pop()
                made.append(None)
                continue
            spans.append(ins[1])
            made.append(self.plain(ins))
            if ins[0] in NESTING:
                pending.extend(iter(inner) for inner in blocks_of(ins))
        return made

    def plain(self, ins: ir.Instr) -> list[Any]:
        """An instruction without its place, blocks, and numbers of functions and classes."""
        op = ins[0]
        rest: list[Any] = list(ins[2:])
        if op == ir.CLOSURE:
            rest[1] = self.function_name(ins[3])
        elif op == ir.CLASS:
            rest[1] = self.class_name(ins[3])
        elif op == ir.TRY:
            rest = [[[kinds, variable] for kinds, variable, _ in ins[3]], bool(ins[4]), bool(ins[5])]
        elif op == ir.SWITCH:
            rest = [*ins[2:4], [operands for operands, _ in ins[4]]]
        elif op in ir.BLOCK_FIELDS:
            fields = ir.BLOCK_FIELDS[op]
            rest = [None if position in fields else item for position, item in enumerate(ins) if position > 1]
        return [op, *rest]

    def function_name(self, index: int) -> Name | None:
        return self.names[index] if 0 <= index < len(self.names) else None

    def class_name(self, index: int) -> Name | None:
        return self.classes[index] if 0 <= index < len(self.classes) else None

    @staticmethod
    def decorators(found: Sequence[ir.Decorator], spans: list[int]) -> list[Any]:
        spans.extend(each.span for each in found)
        return [(each.name, each.args) for each in found]


def named(items: Iterator[tuple[str, str]]) -> list[Name]:
    """Names in order, told apart by number where they are the same."""
    counts: dict[tuple[str, str], int] = {}
    names: list[Name] = []
    for kind, name in items:
        number = counts.get((kind, name), 0)
        counts[kind, name] = number + 1
        names.append((kind, name, number))
    return names
