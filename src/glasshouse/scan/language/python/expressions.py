"""Lowers expressions to operands.  Left-nested chains (attributes, calls, operators) are followed by loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.literals import number_value
from glasshouse.scan.language.python.state import Walk, parts_of

if TYPE_CHECKING:
    from tree_sitter import Node

_IMPORTERS = frozenset(("__import__", "import_module"))
_NOT_PLAIN = frozenset((k.LIST_SPLAT, k.DICTIONARY_SPLAT, k.KEYWORD_ARGUMENT))
_LINKS = frozenset((k.ATTRIBUTE, k.CALL, k.SUBSCRIPT))


class Expressions(Walk):
    """``expr`` lowers any expression node; the other methods handle one kind each."""

    def expr(self, node: Node) -> Operand:
        """Emit what computes the node and return its operand."""
        kind = node.kind_id
        if kind == k.IDENTIFIER:
            return self.names[self.source[node.start_byte : node.end_byte]]
        if self.depth >= self.max_depth:
            return self.nested(node, kind)
        self.depth += 1
        operand = self.expressions[kind](self, node)
        self.depth -= 1
        return operand

    def nested(self, node: Node, kind: int) -> Operand:
        """``expr`` for a node that is not a name."""
        if self.depth >= self.max_depth:
            self.note(f"expressions nested deeper than {self.max_depth} are unknown values")
            return self.opaque(self.span(node))
        self.depth += 1
        operand = self.expressions[kind](self, node)
        self.depth -= 1
        return operand

    def unknown(self, node: Node) -> Operand:
        """A node without a rule (mostly where the source did not parse): lower what is inside."""
        for child in node.named_children:
            kind = child.kind_id
            if kind in self.statement_kinds:
                if self.may_nest():
                    self.nest += 1
                    self.statements[kind](self, child)
                    self.nest -= 1
            else:
                self.expr(child)
        return self.opaque(self.span(node))

    def inner(self, node: Node) -> Operand:
        """The operand of the only child (parentheses, type, as_pattern_target)."""
        parts = node.named_children
        if len(parts) != 1:
            parts = parts_of(node)
        return self.expr(parts[0]) if len(parts) == 1 else self.unknown(node)

    def string(self, node: Node) -> Operand:
        raise NotImplementedError

    # --- constants ---------------------------------------------------------------------------------------------

    def integer(self, node: Node) -> Operand:
        return self.const(number_value(self.text(node)))

    def true(self, node: Node) -> Operand:
        return self.const(True)

    def false(self, node: Node) -> Operand:
        return self.const(False)

    def none(self, node: Node) -> Operand:
        return self.const(None)

    def ellipsis(self, node: Node) -> Operand:
        return "Ellipsis"

    # --- attributes, calls and subscripts ----------------------------------------------------------------------

    def chain(self, node: Node) -> Operand:
        """``a.b(c).d[e]``: the links are collected from the outside and emitted from the inside."""
        links: list[tuple[int, Node, list[Node]]] = []
        kind = node.kind_id
        while True:
            children = node.named_children
            if len(children) < 2:
                return self.broken_chain(node, links)
            links.append((kind, node, children))
            node = children[0]
            kind = node.kind_id
            if kind not in _LINKS:
                break
        if kind == k.IDENTIFIER:
            return self.follow(self.names[self.source[node.start_byte : node.end_byte]], links)
        return self.follow(self.nested(node, kind), links)

    def broken_chain(self, node: Node, links: list[tuple[int, Node, list[Node]]]) -> Operand:
        """A link whose tail did not parse counts as its head."""
        children = node.named_children
        head = self.expr(children[0]) if children else self.opaque(self.span(node))
        return self.follow(head, links)

    def follow(self, value: Operand, links: list[tuple[int, Node, list[Node]]]) -> Operand:
        at = len(links) - 1
        while at >= 0:
            kind, node, children = links[at]
            if kind == k.ATTRIBUTE:
                last = children[-1]
                name = self.words[self.source[last.start_byte : last.end_byte]]
                if at and links[at - 1][0] == k.CALL:
                    at -= 1
                    _, node, children = links[at]
                    value = self.call_method(value, name, node, children[-1])
                else:
                    start, end = node.start_byte - self.line_start, last.end_byte - self.line_start
                    near = start >= 0 and end <= self.line_room
                    span = self.line_base | start << 24 | end if near else self.span(node)
                    t = self.temps
                    self.temps = t + 1
                    self.out.append([ir.ATTR, span, t, value, name])
                    value = t
            elif kind == k.CALL:
                value = self.call(value, node, children[-1])
            else:
                key = self.subscript_key(value, node, children)
                if key.__class__ is tuple:
                    value = key[0]
                else:
                    t = self.temps
                    self.temps = t + 1
                    self.out.append([ir.ITEM, self.span(node), t, value, key])
                    value = t
            at -= 1
        return value

    def call(self, callee: Operand, node: Node, arguments: Node) -> Operand:
        if callee == "isinstance":
            found = self.type_test(node, arguments)
            if found is not None:
                return found
        args, kwargs = self.arguments(arguments)
        if callee in _IMPORTERS and len(args) == 1 and not kwargs:
            found = self.import_call(args[0], node, whole=callee == "import_module")
            if found is not None:
                return found
        t = self.temps
        self.temps = t + 1
        self.out.append([ir.CALL, self.span(node), t, callee, args, kwargs])
        return t

    def call_method(self, value: Operand, name: str, node: Node, arguments: Node) -> Operand:
        args, kwargs = self.arguments(arguments)
        if name == "import_module" and value == "importlib" and len(args) == 1:
            found = self.import_call(args[0], node, whole=True)
            if found is not None:
                return found
        t = self.temps
        self.temps = t + 1
        self.out.append([ir.CALL_METHOD, self.span(node), t, value, name, args, kwargs])
        return t

    def arguments(self, node: Node) -> tuple[list[Any], list[Any]]:
        """(positional operands, keyword pairs) of an argument list."""
        kind = node.kind_id
        if kind != k.ARGUMENT_LIST:
            return ([self.expr(node)] if kind == k.GENERATOR else []), []
        args: list[Any] = []
        kwargs: list[Any] = []
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.IDENTIFIER:
                args.append(self.names[self.source[child.start_byte : child.end_byte]])
            elif kind == k.STRING:
                args.append(self.string(child))
            elif kind == k.KEYWORD_ARGUMENT:
                parts = child.named_children
                if len(parts) != 2:
                    parts = parts_of(child)
                if len(parts) == 2:
                    kwargs.append([self.word(parts[0]), self.expr(parts[1])])
            elif kind == k.COMMENT or kind == k.CONTINUATION:
                continue
            elif kind == k.LIST_SPLAT:
                args.append(["*", self.inner(child)])
            elif kind == k.DICTIONARY_SPLAT:
                kwargs.append(["**", self.inner(child)])
            else:
                args.append(self.nested(child, kind))
        return args, kwargs

    def type_test(self, node: Node, arguments: Node) -> Operand | None:
        """``isinstance(x, T)``; None where its arguments are not two, the second of them types by name."""
        nodes = parts_of(arguments) if arguments.kind_id == k.ARGUMENT_LIST else []
        types = self.type_names(nodes[1]) if len(nodes) == 2 and nodes[0].kind_id not in _NOT_PLAIN else []
        if not types:
            return None
        value = self.expr(nodes[0])
        t = self.temp()
        self.out.append([ir.IS_TYPE, self.span(node), t, value, types])
        return t

    def type_names(self, node: Node) -> list[str]:
        """Dotted names of a type, a tuple of types or ``A | B``; empty if any of them is something else."""
        names: list[str] = []
        pending = [node]
        while pending:
            node = pending.pop()
            if node.kind_id in (k.TUPLE, k.PARENTHESIZED, k.BINARY, k.EXPRESSION_LIST):
                pending.extend(reversed(parts_of(node)))
                continue
            name = "None" if node.kind_id == k.NONE else self.dotted(node) if node.kind_id != k.CALL else ""
            if not name:
                return []
            names.append(name)
        return names

    def import_call(self, operand: Any, node: Node, whole: bool) -> Operand | None:
        """``__import__`` gives the top package, ``import_module`` the module itself."""
        module = self.const_value(operand)
        if not isinstance(module, str) or not module.replace(".", "a").isidentifier() or module.startswith("."):
            return None
        span = self.span(node)
        if not whole and "." in module:
            self.out.append([ir.IMPORT, span, self.fresh(), module, "", 0])
            module = module.partition(".")[0]
        t = self.temp()
        self.out.append([ir.IMPORT, span, t, module, "", 0])
        return t

    def const_value(self, operand: Any) -> Any:
        """The constant behind an operand, None if it is not one."""
        return self.consts[-1 - operand] if operand.__class__ is int and operand < 0 else None

    def subscript_key(self, value: Operand, node: Node, children: list[Node]) -> Any:
        """The key's operand, or a 1-tuple with the result where the subscript is a slice."""
        keys = children[1:]
        if len(keys) != 1:
            keys = parts_of(node)[1:]
        if len(keys) == 1 and keys[0].kind_id == k.SLICE:
            t = self.temp()
            self.out.append([ir.CALL_METHOD, self.span(node), t, value, "$slice", self.slice_bounds(keys[0]), []])
            return (t,)
        return self.key(node, keys)

    def key(self, node: Node, keys: list[Node]) -> Operand:
        """The operand of what stands between the brackets."""
        if len(keys) == 1 and keys[0].kind_id != k.SLICE:
            return self.expr(keys[0])
        items: list[Any] = []
        for each in keys:
            items.extend(self.slice_bounds(each) if each.kind_id == k.SLICE else [self.expr(each)])
        t = self.temp()
        self.out.append([ir.MAKE, self.span(node), t, "tuple", items])
        return t

    def slice_bounds(self, node: Node) -> list[Any]:
        """[low, high, step] of a slice, None constants where left out."""
        bounds: list[Any] = [self.const(None)] * 3
        at = 0
        for child in node.children:
            kind = child.kind_id
            if kind == k.COLON:
                at += 1
            elif kind not in k.SKIPPED and at < 3:
                bounds[at] = self.expr(child)
        return bounds

    # --- operators ---------------------------------------------------------------------------------------------

    def binary(self, node: Node) -> Operand:
        """``a + b + c``: left-nested, so followed by a loop."""
        chain: list[tuple[Node, str, Node]] = []
        while node.kind_id == k.BINARY:
            children = node.children
            if len(children) != 3:
                children = [c for c in children if c.kind_id not in k.SKIPPED]
            if len(children) != 3:
                break
            left, operator, right = children
            chain.append((node, k.OPERATOR.get(operator.kind_id, "+"), right))
            node = left
        if not chain:
            return self.unknown(node)
        value = self.expr(node) if node.kind_id != k.BINARY else self.unknown(node)
        for whole, text, right in reversed(chain):
            other = self.expr(right)
            t = self.temps
            self.temps = t + 1
            self.out.append([ir.BINOP, self.span(whole), t, text, value, other])
            value = t
        return value

    def comparison(self, node: Node) -> Operand:
        children = node.children
        if len(children) != 3:
            children = [c for c in children if c.kind_id not in k.SKIPPED]
        if len(children) < 3:
            return self.unknown(node)
        span = self.span(node)
        left = self.expr(children[0])
        first = self.compare(children, 0, left, span)
        if len(children) == 3:
            return first[0]
        result = self.fresh()
        self.out.append([ir.MOVE, span, result, first[0]])
        outer, left = self.out, first[1]
        self.nest += 1
        for at in range(2, len(children) - 2, 2):
            self.out = []
            outer.append([ir.IF, span, result, self.out, []])
            if not self.may_nest():
                break
            t, left = self.compare(children, at, left, span)
            self.out.append([ir.MOVE, span, result, t])
        self.nest -= 1
        self.out = outer
        return result

    def compare(self, children: list[Node], at: int, left: Operand, span: int) -> tuple[int, Operand]:
        right = self.expr(children[at + 2])
        t = self.temps
        self.temps = t + 1
        self.out.append([ir.BINOP, span, t, k.OPERATOR.get(children[at + 1].kind_id, "=="), left, right])
        return t, right

    def negation(self, node: Node) -> Operand:
        span = self.span(node)
        value = self.inner(node)
        t = self.temp()
        self.out.append([ir.UNOP, span, t, "not", value])
        return t

    def unary(self, node: Node) -> Operand:
        parts = parts_of(node)
        if len(parts) != 1:
            return self.unknown(node)
        operator = chr(self.source[node.start_byte])
        value = self.expr(parts[0])
        number = self.const_value(value)
        if operator == "-" and number.__class__ in (int, float) and number <= 2**63:
            return self.const(-number)
        t = self.temp()
        self.out.append([ir.UNOP, self.span(node), t, operator, value])
        return t

    def boolean(self, node: Node) -> Operand:
        """``a and b``: one of the operands, so a variable that an IF may overwrite."""
        operands, is_and = self.boolean_operands(node)
        if not operands or not self.may_nest():
            return self.unknown(node) if not operands else self.opaque(self.span(node))
        result = self.fresh()
        self.out.append([ir.MOVE, self.span(node), result, self.expr(operands[0])])
        outer = self.out
        self.nest += 1
        for operand in operands[1:]:
            block: ir.Block = []
            self.out = block
            span = self.span(operand)
            outer.append([ir.IF, span, result, block, []] if is_and else [ir.IF, span, result, [], block])
            self.out.append([ir.MOVE, span, result, self.expr(operand)])
        self.nest -= 1
        self.out = outer
        return result

    def boolean_operands(self, node: Node) -> tuple[list[Node], bool]:
        """Operands of a run of the same operator, and whether it is ``and``."""
        operands: list[Node] = []
        wanted = 0
        while node.kind_id == k.BOOLEAN:
            children = node.children
            if len(children) != 3:
                children = [c for c in children if c.kind_id not in k.SKIPPED]
            if len(children) != 3 or (wanted and children[1].kind_id != wanted):
                break
            wanted = children[1].kind_id
            operands.append(children[2])
            node = children[0]
        if operands:
            operands.append(node)
            operands.reverse()
        return operands, wanted == k.AND

    # --- containers and the rest -------------------------------------------------------------------------------

    def items(self, node: Node) -> list[Any]:
        """Operands of a display's elements."""
        items: list[Any] = []
        for child in node.named_children:
            kind = child.kind_id
            if kind in k.SPLATS:
                items.append(["*", self.inner(child)])
            elif kind == k.PAIR:
                parts = child.named_children
                if len(parts) != 2:
                    parts = parts_of(child)
                if len(parts) == 2:
                    items.append([self.expr(parts[0]), self.expr(parts[1])])
            elif kind == k.STRING:
                items.append(self.string(child))
            elif kind != k.COMMENT and kind != k.CONTINUATION:
                items.append(self.expr(child))
        return items

    def display(self, node: Node, kind: str) -> Operand:
        span = self.span(node)
        items = self.items(node)
        t = self.temps
        self.temps = t + 1
        self.out.append([ir.MAKE, span, t, kind, items])
        return t

    def list_display(self, node: Node) -> Operand:
        return self.display(node, "list")

    def tuple_display(self, node: Node) -> Operand:
        return self.display(node, "tuple")

    def set_display(self, node: Node) -> Operand:
        return self.display(node, "set")

    def dict_display(self, node: Node) -> Operand:
        return self.display(node, "dict")

    def await_(self, node: Node) -> Operand:
        span = self.span(node)
        value = self.inner(node)
        t = self.temp()
        self.out.append([ir.AWAIT, span, t, value])
        return t

    def yield_(self, node: Node) -> Operand:
        span = self.span(node)
        self.fn.flags |= ir.GENERATOR
        parts = parts_of(node)
        value = self.expr(parts[0]) if parts else self.const(None)
        delegate = int(any(child.kind_id == k.FROM for child in node.children[:3]))
        t = self.temp()
        self.out.append([ir.YIELD, span, t, value, delegate])
        return t

    def named_expression(self, node: Node) -> Operand:
        parts = parts_of(node)
        if len(parts) != 2 or parts[0].kind_id != k.IDENTIFIER:
            return self.unknown(node)
        name = self.expr(parts[0])
        value = self.expr(parts[1])
        self.out.append([ir.MOVE, self.span(parts[0]), name, value])
        return name
