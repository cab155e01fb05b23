"""Lowers ``match``: constant cases to SWITCH, all others to a flat block of tests that the first match leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan import ir
from glasshouse.scan.ir import Instr, Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.state import parts_of
from glasshouse.scan.language.python.statements import Statements

if TYPE_CHECKING:
    from tree_sitter import Node

# Classes whose single positional sub-pattern is the subject itself.
_SELF_MATCHING = frozenset(
    ("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple")
)


class Patterns(Statements):
    """``match`` statements."""

    def match_statement(self, node: Node) -> None:
        parts = parts_of(node)
        body = parts[-1] if parts and parts[-1].kind_id == k.BLOCK else None
        if body is None or len(parts) < 2 or not self.may_nest(4):
            return
        subjects = parts[:-1]
        if not all(self.afford(each) for each in subjects):
            return
        span = self.span(subjects[0])
        subject = self.expr(subjects[0]) if len(subjects) == 1 else self.tuple_of(subjects, span)
        cases = [each for each in parts_of(body) if each.kind_id == k.CASE_CLAUSE]
        constants = [self.constant_case(case) for case in cases]
        outer, nest = self.out, self.nest
        self.nest += 2
        if cases and all(each is not None for each in constants):
            self.switch(span, subject, cases, [each or [] for each in constants])
        else:
            self.tests(span, subject, cases)
        self.out, self.nest = outer, nest

    def switch(self, span: int, subject: Operand, cases: list[Node], constants: list[list[int]]) -> None:
        instr: Instr = [ir.SWITCH, span, self.fresh(), subject, []]
        self.out.append(instr)
        saved, self.in_switch = self.in_switch, True
        for case, operands in zip(cases, constants, strict=True):
            block: ir.Block = []
            self.out = block
            self.suite_of(case)
            block.append([ir.BREAK, span, instr[2]])
            instr[4].append([list(operands), block])
        self.in_switch = saved

    def constant_case(self, case: Node) -> list[int] | None:
        """Operands of a case of constants, [] for an unguarded wildcard, None for any other case."""
        parts = parts_of(case)
        patterns = [each for each in parts if each.kind_id == k.CASE_PATTERN]
        if len(patterns) != 1 or any(each.kind_id == k.IF_CLAUSE for each in parts):
            return None
        inside = parts_of(patterns[0])
        if not inside:
            return [] if self.text(patterns[0]) == "_" else None
        alternatives = parts_of(inside[0]) if inside[0].kind_id == k.CASE_UNION else inside
        operands: list[int] = []
        for each in alternatives:
            constant = self.pattern_constant(each)
            if constant is None:
                return None
            operands.append(constant)
        return operands

    def pattern_constant(self, pattern: Node) -> int | None:
        """The constant operand of a literal pattern (its sign is an unnamed sibling)."""
        if pattern.kind_id not in k.LITERALS:
            return None
        value = self.literal(pattern)
        if value is None and pattern.kind_id != k.NONE:
            return None
        before = pattern.prev_sibling
        if before is not None and before.kind_id == k.MINUS and isinstance(value, (int, float)):
            value = -value
        return self.const(value)

    def tests(self, span: int, subject: Operand, cases: list[Node]) -> None:
        label = self.fresh()
        block: ir.Block = []
        if isinstance(subject, int) and subject >= 0:  # what one case tells of it must not hold in the next
            subject, value = self.fresh(), subject
            self.out.append([ir.MOVE, span, subject, value])
        self.out.append([ir.BLOCK, span, label, block])
        nest = self.nest
        for case in cases:
            if self.stopped:
                break
            self.out, self.nest = block, nest + 1
            parts = parts_of(case)
            patterns = [each for each in parts if each.kind_id == k.CASE_PATTERN]
            if len(patterns) == 1:
                self.pattern(patterns[0], subject)
            else:
                self.sequence(patterns, subject, span)
            for part in parts:
                if part.kind_id == k.IF_CLAUSE and parts_of(part):
                    self.enter_where(parts_of(part)[0])
            self.suite_of(case)
            self.out.append([ir.BREAK, span, label])

    # --- patterns: each test opens a block that runs only on a match ---------------------------------------------

    def pattern(self, node: Node, subject: Operand) -> None:
        if self.depth >= self.max_depth or not self.may_nest(2):
            self.note(f"patterns nested deeper than {self.max_depth} left out")
            return
        self.depth += 1
        kind, span = node.kind_id, self.span(node)
        parts = parts_of(node)
        if kind == k.CASE_PATTERN:
            if parts:
                self.pattern(parts[0], subject)
        elif kind == k.IDENTIFIER or (kind == k.DOTTED_NAME and len(parts) == 1):
            if self.text(node) != "_":
                self.out.append([ir.MOVE, span, self.names[self.source[node.start_byte : node.end_byte]], subject])
        elif kind == k.DOTTED_NAME:
            self.equal(subject, self.dotted_value(parts), span)
        elif kind in k.LITERALS:
            constant = self.pattern_constant(node)
            self.equal(subject, self.expr(node) if constant is None else constant, span)
        elif kind == k.CASE_CLASS:
            self.class_pattern(parts, subject, span)
        elif kind == k.CASE_DICT:
            self.dict_pattern(node, subject, span)
        elif kind == k.CASE_UNION:
            self.union(parts, subject, span)
        elif kind == k.AS_PATTERN:
            for part in parts:
                self.pattern(part, subject)
        elif kind in (k.TUPLE_PATTERN, k.LIST_PATTERN):
            if kind == k.TUPLE_PATTERN and len(parts) == 1 and not any(c.kind_id == k.COMMA for c in node.children):
                self.pattern(parts[0], subject)
            else:
                self.sequence(parts, subject, span)
        elif kind not in k.SKIPPED:
            self.equal(subject, self.opaque(span), span)
        self.depth -= 1

    def enter_if(self, condition: int | str, span: int) -> None:
        block: ir.Block = []
        self.out.append([ir.IF, span, condition, block, []])
        self.out = block
        self.nest += 1

    def equal(self, subject: Operand, value: Operand, span: int) -> None:
        t = self.temp()
        self.out.append([ir.BINOP, span, t, "==", subject, value])
        self.enter_if(t, span)

    def of_type(self, subject: Operand, types: list[str], span: int) -> None:
        t = self.temp()
        self.out.append([ir.IS_TYPE, span, t, subject, types])
        self.enter_if(t, span)

    def dotted_value(self, parts: list[Node]) -> Operand:
        value: Operand = self.expr(parts[0])
        for part in parts[1:]:
            t = self.temp()
            self.out.append([ir.ATTR, self.span(part), t, value, self.word(part)])
            value = t
        return value

    def class_pattern(self, parts: list[Node], subject: Operand, span: int) -> None:
        """Keyword sub-patterns read attributes; what a positional one reads is the class's affair: the subject."""
        name = self.dotted(parts[0]) if parts else ""
        self.of_type(subject, [name] if name else [], span)
        for part in parts[1:]:
            inside = parts_of(part)
            if len(inside) == 1 and inside[0].kind_id == k.CASE_KEYWORD:
                pair = parts_of(inside[0])
                if len(pair) != 2:
                    continue
                t = self.temp()
                self.out.append([ir.ATTR, self.span(pair[0]), t, subject, self.word(pair[0])])
                self.pattern(pair[1], t)
            elif name in _SELF_MATCHING:
                self.pattern(part, subject)
            else:
                t = self.temp()
                self.out.append([ir.ATTR, self.span(part), t, subject, f"${parts.index(part) - 1}"])
                self.pattern(part, t)

    def sequence(self, parts: list[Node], subject: Operand, span: int) -> None:
        self.of_type(subject, ["list", "tuple"], span)
        inner = [parts_of(part)[0] if part.kind_id == k.CASE_PATTERN and parts_of(part) else part for part in parts]
        star = next((at for at, each in enumerate(inner) if each.kind_id == k.CASE_SPLAT), -1)
        for at, part in enumerate(inner):
            t = self.temp()
            behind = len(inner) - at - 1
            if at == star:
                bounds = [self.const(at), self.const(-behind if behind else None), self.const(None)]
                self.out.append([ir.CALL_METHOD, span, t, subject, "$slice", bounds, []])
                part = (parts_of(part) or [part])[0]
            else:
                index = at if star < 0 or at < star else -1 - behind
                self.out.append([ir.ITEM, span, t, subject, self.const(index)])
            if part.kind_id != k.CASE_SPLAT:
                self.pattern(part, t)

    def dict_pattern(self, node: Node, subject: Operand, span: int) -> None:
        self.of_type(subject, ["dict"], span)
        key: Operand | None = None
        for part in parts_of(node):
            if part.kind_id == k.CASE_SPLAT:
                for name in parts_of(part):
                    self.pattern(name, subject)
            elif part.kind_id != k.CASE_PATTERN or key is None:
                inside = parts_of(part) if part.kind_id in (k.CASE_PATTERN, k.DOTTED_NAME) else []
                key = self.dotted_value(inside) if part.kind_id == k.DOTTED_NAME and inside else self.expr(part)
                present = self.temp()
                self.out.append([ir.BINOP, span, present, "in", key, subject])
                self.enter_if(present, span)
            else:
                t = self.temp()
                self.out.append([ir.ITEM, span, t, subject, key])
                key = None
                self.pattern(part, t)

    def alternative(self, node: Node) -> int | None:
        """The constant that one alternative of a pattern is."""
        parts = parts_of(node)
        while node.kind_id == k.CASE_PATTERN and len(parts) == 1:
            node, parts = parts[0], parts_of(parts[0])
        return self.pattern_constant(node) if node.kind_id in k.LITERALS else None

    def union(self, parts: list[Node], subject: Operand, span: int) -> None:
        """Any of the alternatives: a test of membership among constants, else a flag that each of them sets."""
        constants = [self.alternative(part) for part in parts]
        if constants and None not in constants:
            listed, t = self.temp(), self.temp()
            self.out.append([ir.MAKE, span, listed, "tuple", constants])
            self.out.append([ir.BINOP, span, t, "in", subject, listed])
            self.enter_if(t, span)
            return
        matched = self.fresh()
        self.out.append([ir.MOVE, span, matched, self.const(False)])
        outer, nest = self.out, self.nest
        for part in parts:
            self.pattern(part, subject)
            self.out.append([ir.MOVE, span, matched, self.const(True)])
            self.out, self.nest = outer, nest
        self.enter_if(matched, span)
