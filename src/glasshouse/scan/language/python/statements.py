"""Lowers statements other than definitions, imports and ``match``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.ir import Instr, Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.imports import Imports
from glasshouse.scan.language.python.state import parts_of

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_NESTED_ELIFS = 4  # longer chains become a flat block


class Statements(Imports):
    """Simple and compound statements."""

    def suite(self, node: Node) -> None:
        """The statements of a block (or of a clause's block)."""
        if not self.may_nest():
            return
        self.nest += 1
        statements = self.statements
        for child in node.named_children:
            if self.stopped:
                break
            kind = child.kind_id
            statements[kind](self, child)
            if self.broken and kind in k.COMPOUND and child.has_error:
                self.remains(child)
        self.nest -= 1

    def remains(self, statement: Node) -> None:
        """What did not parse directly inside of a compound statement, lowered after it."""
        for child in statement.named_children:
            if child.kind_id == k.ERROR:
                self.suite(child)

    def suite_of(self, clause: Node) -> None:
        """The block inside an else, elif, except or finally clause."""
        for child in clause.named_children:
            if child.kind_id == k.BLOCK:
                self.suite(child)

    def new_block(self, node: Node | None) -> ir.Block:
        """A clause's or block's statements as a block of their own."""
        block: ir.Block = []
        if node is not None:
            outer, self.out = self.out, block
            if node.kind_id == k.BLOCK:
                self.suite(node)
            else:
                self.suite_of(node)
            self.out = outer
        return block

    def skip(self, node: Node) -> None:
        """Comments, ``pass``, type aliases."""

    def other(self, node: Node) -> None:
        """An expression where a statement is expected, as inside of what did not parse."""
        if self.afford(node):
            self.expr(node)

    def error(self, node: Node) -> None:
        """What did not parse: lower its parts as far as they are something."""
        self.suite(node)

    # --- simple statements -------------------------------------------------------------------------------------

    def expression_statement(self, node: Node) -> None:
        if not self.afford(node):
            return
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.ASSIGNMENT:
                self.assignment(child)
            elif kind == k.AUGMENTED:
                self.augmented(child)
            elif kind == k.STRING:
                if self.source[child.start_byte] not in b"\"'":
                    self.expr(child)
            elif kind not in k.LITERALS and kind != k.COMMENT:
                self.expr(child)

    def assignment_value(self, node: Node) -> Operand:
        """An assignment where an expression stands (``x = y = 1`` nests to the right)."""
        self.assignment(node)
        return self.opaque(self.span(node))

    def assignment(self, node: Node) -> None:
        targets: list[Node] = []
        annotation = None
        while True:
            parts = node.named_children
            if len(parts) > 3:
                parts = parts_of(node)
            if not parts:
                return
            targets.append(parts[0])
            last = parts[-1]
            if len(parts) > 1 and parts[1].kind_id == k.TYPE:
                annotation = parts[1]
            if last.kind_id != k.ASSIGNMENT:
                break
            node = last
        first = targets[0]
        name = self.names[self.source[first.start_byte : first.end_byte]] if first.kind_id == k.IDENTIFIER else ""
        if annotation is not None and name:
            self.out.append([ir.DECLARE, self.span(first), name, self.type_text(annotation)])
        if name and (name == "__all__" or self.fn.kind == "class"):
            self.bound(name, annotation, last)
        if last is first or last.kind_id == k.TYPE:
            return
        value = self.expr(last)
        if len(targets) > 1 and value.__class__ is str:
            # The first target may be that variable.
            t = self.temp()
            self.out.append([ir.MOVE, self.span(last), t, value])
            value = t
        for target in targets:
            self.assign(target, value)

    def bound(self, name: str, annotation: Node | None, value: Node) -> None:
        """Record class fields and ``__all__``."""
        if self.fn.kind == "class":
            type_text = self.type_text(annotation) if annotation is not None else ""
            self.classes[self.fn.cls].fields.append((name, type_text))
        elif name == "__all__" and self.fn_index == 0:
            listed = self.literal(value)
            self.exports = [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else None

    def type_text(self, node: Node) -> str:
        raise NotImplementedError

    def literal(self, node: Node, depth: int = 0) -> Any:
        """The value of a constant or of a list of constants, else None."""
        kind = node.kind_id
        if kind in (k.LIST, k.TUPLE, k.SET):
            return [self.literal(part, depth + 1) for part in parts_of(node)[:100]] if depth < 3 else None
        if kind not in k.LITERALS:
            return None
        outer, temps, self.out = self.out, self.temps, []
        operand = self.expr(node)
        self.out, self.temps = outer, temps
        return self.const_value(operand)

    def augmented(self, node: Node) -> None:
        """``target op= value`` reads, computes and writes; the target's owner is evaluated once."""
        parts = [c for c in node.children if c.kind_id not in k.SKIPPED]
        if len(parts) != 3:
            return
        target, operator, right = parts
        span = self.span(node)
        text = k.OPERATOR.get(operator.kind_id, "+")
        kind = target.kind_id
        inside = parts_of(target) if kind != k.IDENTIFIER else []
        if kind == k.IDENTIFIER:
            name = self.expr(target)
            self.out.append([ir.MOVE, span, name, self.operate(span, text, name, right)])
            if name == "__all__" and self.exports is not None and self.fn_index == 0:
                self.exports.extend(each for each in self.literal(right) or [] if isinstance(each, str))
        elif kind == k.ATTRIBUTE and len(inside) == 2:
            owner, name = self.expr(inside[0]), self.word(inside[1])
            t = self.temp()
            self.out.append([ir.ATTR, self.span(target), t, owner, name])
            self.out.append([ir.SET_ATTR, span, owner, name, self.operate(span, text, t, right)])
        elif kind == k.SUBSCRIPT and len(inside) >= 2:
            owner = self.expr(inside[0])
            key = self.key(target, inside[1:])
            t = self.temp()
            self.out.append([ir.ITEM, self.span(target), t, owner, key])
            self.out.append([ir.SET_ITEM, span, owner, key, self.operate(span, text, t, right)])
        else:
            self.expr(right)

    def operate(self, span: int, operator: str, left: Operand, right: Node) -> int:
        value = self.expr(right)
        t = self.temp()
        self.out.append([ir.BINOP, span, t, operator, left, value])
        return t

    def return_(self, node: Node) -> None:
        if not self.afford(node):
            return
        parts = node.named_children
        if len(parts) > 1:
            parts = parts_of(node)
        span = self.span(node)
        self.out.append([ir.RETURN, span, self.expr(parts[0]) if parts else self.const(None)])

    def raise_(self, node: Node) -> None:
        """``raise X``, ``raise X from Y``, and Python 2's ``raise X, value, traceback``."""
        if not self.afford(node):
            return
        span = self.span(node)
        parts = parts_of(node)
        if not parts:
            self.out.append([ir.RAISE, span, self.const(None)])
            return
        first = parts[0]
        if first.kind_id == k.EXPRESSION_LIST:
            operands = [self.expr(each) for each in parts_of(first)]
            value = self.temp()
            self.out.append([ir.CALL, span, value, operands[0] if operands else "Exception", operands[1:2], []])
            self.out.append([ir.RAISE, span, value])
            return
        self.out.append([ir.RAISE, span, self.expr(first)])

    def assert_(self, node: Node) -> None:
        """The operands of an ``and`` are asserted one by one; the message is computed only on failure, so left out."""
        parts = parts_of(node)
        if not parts or not self.afford(node):
            return
        tests = self.boolean_operands(parts[0]) if parts[0].kind_id == k.BOOLEAN else ([], False)
        for test in tests[0] if tests[1] else parts[:1]:
            self.out.append([ir.ASSERT, self.span(test), self.expr(test)])

    def delete_statement(self, node: Node) -> None:
        if self.afford(node):
            for part in parts_of(node):
                self.delete(part)

    def scope_statement(self, node: Node) -> None:
        """``global`` and ``nonlocal``."""
        for part in parts_of(node):
            name = self.word(part)
            if name not in self.fn.outer:
                self.fn.outer.append(name)

    def print_statement(self, node: Node) -> None:
        """Python 2."""
        if not self.afford(node):
            return
        span = self.span(node)
        args: list[Operand] = []
        stream: Operand | None = None
        for part in parts_of(node):
            if part.kind_id == k.CHEVRON:
                stream = self.inner(part)
            else:
                args.append(self.expr(part))
        t = self.temp()
        if stream is None:
            self.out.append([ir.CALL, span, t, "print", args, []])
        else:
            self.out.append([ir.CALL_METHOD, span, t, stream, "write", args, []])

    def exec_statement(self, node: Node) -> None:
        """Python 2."""
        if self.afford(node):
            args = [self.expr(part) for part in parts_of(node)]
            self.out.append([ir.CALL, self.span(node), self.temp(), "exec", args, []])

    def break_(self, node: Node) -> None:
        """A ``match`` is no target of ``break``, but its SWITCH is: then the loop gets a label."""
        label = ""
        if self.in_switch and self.loop is not None:
            label = self.loop[2] = self.loop[2] or self.fresh()
        self.out.append([ir.BREAK, self.span(node), label])

    def continue_(self, node: Node) -> None:
        self.out.append([ir.CONTINUE, self.span(node), ""])

    # --- compound statements -----------------------------------------------------------------------------------

    def if_statement(self, node: Node) -> None:
        test: Node | None = None
        body: Node | None = None
        rest: list[Node] = []
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.BLOCK:
                body = child
            elif kind == k.ELIF or kind == k.ELSE:
                rest.append(child)
            elif test is None and kind not in k.SKIPPED:
                test = child
        if test is None or not self.afford(test):
            return
        if len(rest) > MAX_NESTED_ELIFS:
            self.long_if(node, test, body, rest)
            return
        self.branch(
            test,
            (lambda: self.suite(body)) if body is not None else None,
            (lambda: self.alternatives(rest)) if rest else None,
        )

    def alternatives(self, rest: list[Node]) -> None:
        """The elif and else clauses from the first on."""
        clause = rest[0]
        test, body = self.elif_parts(clause)
        if clause.kind_id == k.ELSE or test is None:
            self.suite_of(clause)
            return
        if not self.afford(test):
            return
        self.branch(
            test,
            (lambda: self.suite(body)) if body is not None else None,
            (lambda: self.alternatives(rest[1:])) if len(rest) > 1 else None,
        )

    def elif_parts(self, clause: Node) -> tuple[Node | None, Node | None]:
        parts = parts_of(clause)
        body = parts[-1] if parts and parts[-1].kind_id == k.BLOCK else None
        return (parts[0] if parts and parts[0].kind_id != k.BLOCK else None), body

    def long_if(self, node: Node, test: Node, body: Node | None, rest: list[Node]) -> None:
        """A flat block that the first clause whose test holds leaves."""
        span, label = self.span(test), self.fresh()
        outer = self.out
        block: ir.Block = []
        self.out = block
        outer.append([ir.BLOCK, span, label, block])
        self.nest += 1
        clauses: list[tuple[Node | None, Node | None]] = [(test, body)]
        clauses += [self.elif_parts(clause) for clause in rest]
        for each, suite in clauses:
            self.out = block
            if self.stopped:
                break
            if each is None:
                if suite is not None:
                    self.suite(suite)
                break
            if not self.afford(each):
                break
            nest = self.nest
            self.enter_where(each)
            if suite is not None:
                self.suite(suite)
            self.out.append([ir.BREAK, span, label])
            self.nest = nest
        self.nest -= 1
        self.out = outer

    def while_statement(self, node: Node) -> None:
        parts = parts_of(node)
        if len(parts) < 2 or not self.afford(parts[0]):
            return
        test = parts[0]
        loop: Instr = [ir.LOOP, self.span(test), "", [], "", [], []]
        if test.kind_id != k.TRUE:
            outer, self.out = self.out, loop[3]
            condition = self.expr(test)
            self.out = outer
            endless = self.const_value(condition)
            loop[4] = "" if endless.__class__ in (int, bool) and endless else condition
        self.out.append(loop)
        self.loop_body(loop, 5, parts[1:])

    def for_statement(self, node: Node) -> None:
        parts = parts_of(node)
        if len(parts) < 3 or not self.afford(parts[1]):
            return
        iterable = self.expr(parts[1])
        t = self.temp()
        loop: Instr = [ir.FOREACH, self.span(parts[0]), "", t, iterable, [], "values"]
        self.out.append(loop)
        outer, self.out = self.out, loop[5]
        self.assign(parts[0], t)
        self.out = outer
        self.loop_body(loop, 5, parts[2:])

    def loop_body(self, loop: Instr, at: int, clauses: list[Node]) -> None:
        """The body goes into the loop; an else clause runs after it."""
        saved = self.loop, self.in_switch
        self.loop, self.in_switch = loop, False
        outer, self.out = self.out, loop[at]
        for clause in clauses:
            if clause.kind_id == k.BLOCK:
                self.suite(clause)
        self.out = outer
        self.loop, self.in_switch = saved
        for clause in clauses:
            if clause.kind_id == k.ELSE:
                self.suite_of(clause)

    def try_statement(self, node: Node) -> None:
        instr: Instr = [ir.TRY, self.span(node), [], [], [], []]
        self.out.append(instr)
        self.nest += 1
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.BLOCK:
                instr[2] = self.new_block(child)
            elif kind == k.EXCEPT:
                instr[3].append(self.handler(child))
            elif kind == k.ELSE:
                instr[4] = self.new_block(child)
            elif kind == k.FINALLY:
                instr[5] = self.new_block(child)
        self.nest -= 1

    def handler(self, clause: Node) -> list[Any]:
        """[type texts, variable or "", block]; Python 2's ``except A, e`` is told by its lower-case second name."""
        values = [part for part in parts_of(clause) if part.kind_id != k.BLOCK]
        name = ""
        if len(values) == 1 and values[0].kind_id == k.AS_PATTERN:
            values, name = self.as_parts(values[0])
        elif len(values) == 2 and values[1].kind_id == k.IDENTIFIER and self.word(values[1])[:1].islower():
            name = self.word(values[1])
            values = values[:1]
        types = [text for value in values for text in self.type_names(value)]
        return [types, name, self.new_block(clause)]

    def as_parts(self, node: Node) -> tuple[list[Node], str]:
        parts = parts_of(node)
        name = self.dotted(parts_of(parts[1])[0]) if len(parts) == 2 and parts_of(parts[1]) else ""
        return parts[:1], name

    def with_statement(self, node: Node) -> None:
        """Each manager is entered and its value bound; leaving is not modelled."""
        for child in node.named_children:
            if child.kind_id == k.WITH_CLAUSE and self.afford(child):
                for item in parts_of(child):
                    self.with_item(item)
            elif child.kind_id == k.BLOCK:
                self.suite(child)

    def with_item(self, item: Node) -> None:
        parts = parts_of(item)
        if not parts:
            return
        value, target = parts[0], None
        if value.kind_id == k.AS_PATTERN:
            inside = parts_of(value)
            if len(inside) != 2:
                return
            value, target = inside
        manager = self.expr(value)
        entered = self.temp()
        self.out.append([ir.CALL_METHOD, self.span(value), entered, manager, "__enter__", [], []])
        if target is not None:
            self.assign(target, entered)
