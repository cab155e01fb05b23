"""Statements: blocks, declarations, branches, loops, exceptions, labels."""

from __future__ import annotations

import functools
import time
from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import (
    BINOP,
    BLOCK,
    BREAK,
    CONTINUE,
    DECLARE,
    DO_LOOP,
    FOREACH,
    LOOP,
    MOVE,
    RAISE,
    RETURN,
    SWITCH,
    TRY,
    Block,
    Import,
    Operand,
)
from glasshouse.scan.language.javascript.state import MAX_BLOCKS, State

_MAX_NESTED_ELSE = 32  # a longer else-if chain becomes a flat labelled block
_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})


class Statements(State):
    """Lowers statements."""

    # --- blocks ----------------------------------------------------------------------------------------------------

    def statements(self, nodes: list[Node]) -> None:
        self._run_all(nodes, [node.kind_id for node in nodes])

    def _run_all(self, nodes: list[Node], kinds: list[int]) -> None:
        run, quick, plain, guarded = self.run, self.quick, self.plain, self.guarded
        if not self.k.hoisted.isdisjoint(kinds):
            self.hoist(nodes, kinds)
        outer = self.value
        for node, kind in zip(nodes, kinds, strict=True):
            handler = run[kind]
            if handler is None:
                continue
            count = node.descendant_count
            if count <= quick:
                self.spent += count
                if self.spent > self.cap:
                    self.exhausted()
                    break
                self.value = plain
                handler(node)
            else:
                self.value = guarded
                self.run_guarded(node, handler)
        self.value = outer

    def run_guarded(self, node: Node, handler: Any) -> None:
        """Run a large statement: its depth and the time are checked first."""
        self.spent += 1
        if time.monotonic() > self.deadline:
            self.late = True
        if self.exhausted():
            return
        if self.depth >= self.limits.max_depth:
            self.note("expressions or statements nested too deep")
            return
        self.depth += 1
        handler(node)
        self.depth -= 1

    def scoped(self, nodes: list[Node]) -> None:
        """Lower a nested block: its ``let``, ``const``, function and class names are its own."""
        kinds = [node.kind_id for node in nodes]
        if self.k.lexical.isdisjoint(kinds):
            self._run_all(nodes, kinds)
            return
        visible, renames = self.visible, self.renames
        self.open_scope(nodes)
        self._run_all(nodes, kinds)
        self.visible, self.renames = visible, renames

    def open_scope(self, nodes: list[Node]) -> None:
        """Make the names that these statements declare visible; rename those that hide an outer one."""
        lexical = self.k.lexical
        names: list[str] = []
        for node in nodes:
            if node.kind_id in lexical:
                names.extend(self.declared_names(node))
        self.show(names)

    def show(self, names: list[str]) -> None:
        """Open a scope with these names."""
        for name in names:
            if name in self.visible:
                self.rename_serial += 1
                self.renames = {**self.renames, name: f"{name}${self.rename_serial}"}
            elif name in self.renames:
                self.renames = {old: new for old, new in self.renames.items() if old != name}
            self.declared.add(self.renames.get(name, name))
        self.visible = {*self.visible, *names}

    def declared_names(self, node: Node) -> list[str]:
        """Names that a declaration statement binds."""
        kind = node.type
        if kind == "export_statement":
            inner = node.child_by_field_name("declaration")
            return self.declared_names(inner) if inner is not None else []
        if kind in ("lexical_declaration", "variable_declaration"):
            found: list[str] = []
            for part in node.named_children:
                if part.type == "variable_declarator":
                    found.extend(self.pattern_names(part.children[0]))
            return found
        name = node.child_by_field_name("name")
        return [self.text(name)] if name is not None else []

    def pattern_names(self, node: Node) -> list[str]:
        """Names that a target binds."""
        found: list[str] = []
        pending = [node]
        while pending:
            top = pending.pop()
            kind = top.type
            if kind in ("identifier", "shorthand_property_identifier_pattern"):
                found.append(self.names[self.src[top.start_byte : top.end_byte]])
            elif kind == "pair_pattern":
                pending.append(top.children[-1])
            elif kind in ("assignment_pattern", "object_assignment_pattern"):
                pending.append(top.children[0])
            elif kind in ("object_pattern", "array_pattern", "rest_pattern"):
                pending.extend(reversed(top.named_children))
        return found

    def body_block(self, node: Node) -> Block:
        nodes = node.children if node.kind_id == self.k.statement_block else [node]
        return self.branch(node, lambda: self.scoped(nodes))

    def run_statement_block(self, node: Node) -> None:
        if self.nesting >= MAX_BLOCKS:
            self.note("nested blocks too deep")
            return
        self.nesting += 1
        self.scoped(node.children)
        self.nesting -= 1

    def run_expression_statement(self, node: Node) -> None:
        inner = node.children[0]
        if inner.kind_id == self.k.update_expression:
            self.update(inner)
        else:
            self.value[inner.kind_id](inner)

    def update(self, node: Node) -> None:
        """``i++`` where nobody looks at the value."""
        parts = node.children
        prefix = parts[0].type in ("++", "--")
        operator, target = (parts[0].type, parts[-1]) if prefix else (parts[-1].type, parts[0])
        old = self.value[target.kind_id](target)
        self.bind(target, self.emit_value(BINOP, node, operator[0], old, self.const(1)), False)

    # --- declarations ----------------------------------------------------------------------------------------------

    def run_lexical_declaration(self, node: Node) -> None:
        for part in node.named_children:
            if part.type == "variable_declarator":
                if self.spent > self.cap:
                    break
                self._declarator(part)

    run_variable_declaration = run_lexical_declaration
    run_using_declaration = run_lexical_declaration

    def _declarator(self, node: Node) -> None:
        k = self.k
        parts = node.children
        target, count = parts[0], len(parts)
        if count == 3 and parts[1].type == "=":
            source: Node | None = parts[2]
        else:
            source = node.child_by_field_name("value")
        if target.kind_id != k.identifier:
            if source is not None:
                before = len(self.imports)
                operand = self.value[source.kind_id](source)
                self.bind(target, operand, True)
                if len(self.imports) > before:
                    self._name_imports(target)
            return
        name = self.declare(target)
        if count > 3 or count == 2:
            text = self.type_text(node.child_by_field_name("type"))
            if text:
                self.emit(DECLARE, target, name, text)
        if source is None:
            if name not in self.assigned:
                self.move(target, name, self.const(None))
            return
        kind = source.kind_id
        if kind in k.functions:
            operand = self.named_value(source, name)
        else:
            before = len(self.imports)
            operand = self.value[kind](source)
            if len(self.imports) > before and self.imports[-1].local == "":
                self.imports[-1].local = name
        self.assigned.add(name)
        self.block.append([MOVE, self.span(node.start_byte, node.end_byte), name, operand])

    def _name_imports(self, target: Node) -> None:
        """``const {a, b: c} = require("m")`` binds a and c."""
        last = self.imports[-1]
        if target.kind_id != self.k.object_pattern or last.local:
            return
        for part in target.named_children:
            kind = part.type
            if kind == "shorthand_property_identifier_pattern":
                name = self.text(part)
                self.imports.append(Import(name, last.module, name, last.span))
            elif kind == "pair_pattern" and part.children[-1].kind_id == self.k.identifier:
                local = self.text(part.children[-1])
                self.imports.append(Import(local, last.module, self.text(part.children[0]), last.span))

    # --- branches --------------------------------------------------------------------------------------------------

    def run_if_statement(self, node: Node) -> None:
        arms: list[tuple[Node, Node, Node]] = []  # (statement, condition, consequence)
        last: Node | None = None
        current: Node | None = node
        while current is not None:
            parts = [part for part in current.named_children if part.kind_id != self.k.comment]
            if len(parts) < 2:
                break
            arms.append((current, parts[0], parts[1]))
            current = None
            if len(parts) > 2 and parts[2].kind_id == self.k.else_clause:
                last = parts[2].children[-1]
                if last.kind_id == self.k.if_statement:
                    current, last = last, None
        if len(arms) > _MAX_NESTED_ELSE:
            self._flat_arms(arms, last)
        elif arms:
            self._nested_arms(arms, last)

    def _nested_arms(self, arms: list[tuple[Node, Node, Node]], last: Node | None) -> None:
        outer = self.block
        nesting = self.nesting
        for position, (node, condition, consequence) in enumerate(arms):
            operand = self.value[condition.kind_id](condition)
            then = self.body_block(consequence)
            other: Block = []
            self.emit_if(node, operand, then, other)
            if position + 1 < len(arms):
                self.block = other
                self.nesting += 1
            elif last is not None:
                other.extend(self.body_block(last))
        self.block = outer
        self.nesting = nesting

    def _flat_arms(self, arms: list[tuple[Node, Node, Node]], last: Node | None) -> None:
        """A labelled block whose arms leave it: as deep as one ``if`` however long the chain is."""
        label = self.fresh()

        def work() -> None:
            for node, condition, consequence in arms:
                if self.exhausted():
                    return
                self.spent += 1
                operand = self.value[condition.kind_id](condition)
                then = self.body_block(consequence)
                then.append([BREAK, self.span(node.start_byte, node.start_byte), label])
                self.emit_if(node, operand, then, [])
            if last is not None:
                self.block.extend(self.body_block(last))

        self.emit(BLOCK, arms[0][0], label, self.branch(arms[0][0], work))

    def run_switch_statement(self, node: Node) -> None:
        parts = [part for part in node.named_children if part.kind_id != self.k.comment]
        if len(parts) < 2:
            return
        label = self._take_label()
        subject = self.value[parts[0].kind_id](parts[0])
        visible, renames = self.visible, self.renames
        cases: list[list[Any]] = []
        for case in parts[1].named_children:
            if case.type not in ("switch_case", "switch_default"):
                continue
            if self.exhausted():
                break
            self.spent += 1
            children = case.children
            colon = next((i for i, part in enumerate(children) if part.type == ":"), len(children) - 1)
            operands: list[Operand] = []
            if case.type == "switch_case" and colon > 1:
                test = children[1]
                operands.append(self.value[test.kind_id](test))
            body = children[colon + 1 :]
            self.open_scope(body)
            cases.append([operands, self.branch(case, functools.partial(self.statements, body))])
        self.visible, self.renames = visible, renames
        self.emit(SWITCH, node, label, subject, cases)

    # --- loops -----------------------------------------------------------------------------------------------------

    def _take_label(self) -> str:
        label, self.label = self.label, ""
        return label

    def run_while_statement(self, node: Node) -> None:
        label = self._take_label()
        parts = [part for part in node.named_children if part.kind_id != self.k.comment]
        if len(parts) < 2:
            return
        condition: Operand = ""

        def test() -> None:
            nonlocal condition
            condition = self.value[parts[0].kind_id](parts[0])

        head = self.branch(node, test)
        self.emit(LOOP, node, label, head, condition, self.body_block(parts[-1]), [])

    def run_do_statement(self, node: Node) -> None:
        label = self._take_label()
        parts = [part for part in node.named_children if part.kind_id != self.k.comment]
        if not parts:
            return
        condition: Operand = self.const(None)

        def test() -> None:
            nonlocal condition
            if len(parts) > 1:
                condition = self.value[parts[-1].kind_id](parts[-1])

        body = self.body_block(parts[0])
        tail = self.branch(node, test)
        self.emit(DO_LOOP, node, label, body, tail, condition)

    def run_for_statement(self, node: Node) -> None:
        label = self._take_label()
        first = node.child_by_field_name("initializer")
        condition = node.child_by_field_name("condition")
        update = node.child_by_field_name("increment")
        body = node.child_by_field_name("body")
        visible, renames = self.visible, self.renames
        if first is not None:
            if first.kind_id == self.k.lexical_declaration:
                self.show(self.declared_names(first))
            self._clause(first)
        operand: Operand = ""

        def test() -> None:
            nonlocal operand
            if condition is None or condition.type in (";", "empty_statement"):
                return
            inner = condition
            if inner.type == "expression_statement":
                inner = inner.children[0]
            operand = self.value[inner.kind_id](inner)

        head = self.branch(node, test)
        block = self.body_block(body) if body is not None else []
        tail = self.branch(node, lambda: self._clause(update)) if update is not None else []
        self.emit(LOOP, node, label, head, operand, block, tail)
        self.visible, self.renames = visible, renames

    def _clause(self, node: Node) -> None:
        """The initialiser or update of a ``for``: a declaration or an expression."""
        kind = node.kind_id
        if kind == self.k.update_expression:
            self.update(node)
        else:
            handler = self.run[kind]
            if handler is not None:
                handler(node)

    def run_for_in_statement(self, node: Node) -> None:
        label = self._take_label()
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        body = node.child_by_field_name("body")
        if left is None or right is None or body is None:
            return
        words = [part.type for part in node.children if not part.is_named]
        declares = bool({"const", "let", "var"} & set(words))
        iterable = self.value[right.kind_id](right)
        visible, renames = self.visible, self.renames
        if declares and "var" not in words:
            self.show(self.pattern_names(left))
        element = self.temp()

        def work() -> None:
            self.bind(left, element, declares)
            self.scoped(body.children if body.kind_id == self.k.statement_block else [body])

        kind = "keys" if "in" in words else "values"
        block = self.branch(node, work)
        self.emit(FOREACH, node, label, element, iterable, block, kind)
        self.visible, self.renames = visible, renames

    # --- jumps -----------------------------------------------------------------------------------------------------

    def run_labeled_statement(self, node: Node) -> None:
        parts = node.named_children
        if len(parts) < 2:
            return
        label, body = self.text(parts[0]), parts[-1]
        if body.type in _LOOPS or body.type == "switch_statement":
            self.label = label
            self.statements([body])
            self.label = ""
        else:
            self.emit(BLOCK, node, label, self.body_block(body))

    def run_break_statement(self, node: Node) -> None:
        parts = node.named_children
        self.emit(BREAK, node, self.text(parts[0]) if parts else "")

    def run_continue_statement(self, node: Node) -> None:
        parts = node.named_children
        self.emit(CONTINUE, node, self.text(parts[0]) if parts else "")

    def run_return_statement(self, node: Node) -> None:
        operand = self._optional(node)
        self.block.append([RETURN, self.span(node.start_byte, node.end_byte), operand])

    def _optional(self, node: Node) -> Operand:
        for part in node.named_children:
            if part.kind_id != self.k.comment:
                return self.value[part.kind_id](part)
        return self.const(None)

    def run_throw_statement(self, node: Node) -> None:
        self.emit(RAISE, node, self._optional(node))

    def run_try_statement(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        handler = node.child_by_field_name("handler")
        finalizer = node.child_by_field_name("finalizer")
        if body is None:
            return
        first = self.body_block(body)
        handlers: list[list[Any]] = [self._handler(handler)] if handler is not None else []
        last = self.body_block(finalizer.children[-1]) if finalizer is not None else []
        self.emit(TRY, node, first, handlers, [], last)

    def _handler(self, node: Node) -> list[Any]:
        target = node.child_by_field_name("parameter")
        body = node.child_by_field_name("body")
        visible, renames = self.visible, self.renames
        name = ""
        if target is not None:
            self.show(self.pattern_names(target))
            name = self.declare(target) if target.kind_id == self.k.identifier else self.fresh()
            self.assigned.add(name)

        def work() -> None:
            if target is not None and target.kind_id != self.k.identifier:
                self.bind(target, name, True)
            if body is not None:
                self.scoped(body.children)

        block = self.branch(node, work)
        self.visible, self.renames = visible, renames
        return [[], name, block]

    def run_with_statement(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        subject = node.child_by_field_name("object")
        if subject is not None:
            self.value[subject.kind_id](subject)
        if body is not None:
            self.block.extend(self.body_block(body))

    def run_error(self, node: Node) -> None:
        """What the parser could not read: whatever statements and expressions it recognised inside."""
        self.scoped(node.children)
