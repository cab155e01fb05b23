"""Member access, calls, ``new`` and the imports that are written as calls."""

from __future__ import annotations

from typing import Any

from tree_sitter import Node

from glasshouse.scan.ir import ATTR, CALL, CALL_METHOD, IMPORT, ITEM, MAKE, NEW, Import, Operand
from glasshouse.scan.language.javascript.literals import decode_text
from glasshouse.scan.language.javascript.patterns import subscript_index
from glasshouse.scan.language.javascript.state import Chain, State

_ATTRIBUTE, _INDEX, _CALL, _METHOD, _INDEX_CALL = range(5)

# What is to be done with the value of the inner expression: (action, node, argument node, attribute name).
Link = tuple[int, Node, Node | None, str]


class Calls(State):
    """Lowers chains of access and calls from their innermost object outwards, without recursion."""

    def value_call_expression(self, node: Node) -> Operand:
        links: list[Link] = []
        k = self.k
        base: Node | Operand = node
        while isinstance(base, Node):
            kind = base.kind_id
            if kind == k.call_expression:
                base = self._enter_call(base, links)
            elif kind == k.member_expression:
                base = self._enter_member(base, links)
            elif kind == k.subscript_expression:
                links.append((_INDEX, base, None, ""))
                base = base.children[0]
            elif kind == k.non_null_expression:
                base = base.children[0]
            else:
                base = self.value[kind](base)
        while links:
            base = self._apply(links.pop(), base)
        return base

    value_subscript_expression = value_call_expression

    def value_member_expression(self, node: Node) -> Operand:
        start = node.start_byte
        chain = self.chain(start, node.end_byte)
        if chain is not None:
            return self._chain(chain, start, len(chain.parts))
        return self.value_call_expression(node)

    def _enter_member(self, node: Node, links: list[Link]) -> Node | Operand:
        start = node.start_byte
        chain = self.chain(start, node.end_byte)
        if chain is not None:
            return self._chain(chain, start, len(chain.parts))
        holder = node.child(0)
        links.append((_ATTRIBUTE, node, None, self.suffix(holder.end_byte, node)))
        return holder

    def _enter_call(self, node: Node, links: list[Link]) -> Node | Operand:
        k = self.k
        parts = node.children
        callee, arguments = parts[0], parts[-1]
        kind = callee.kind_id
        if kind == k.identifier:
            name = self.names[self.src[callee.start_byte : callee.end_byte]]
            if name == "require" and not self._shadowed(name):
                module = self._only_text(arguments)
                if module is not None:
                    self.is_module = True
                    return self._import(node, module)
            if self.renames:
                name = self.renames.get(name, name)
            return self._call(node, name, arguments)
        if kind == k.member_expression:
            start = callee.start_byte
            chain = self.chain(start, callee.end_byte)
            if chain is None:
                holder = callee.child(0)
                links.append((_METHOD, node, arguments, self.suffix(holder.end_byte, callee)))
                return holder
            elif chain.parts:
                last = len(chain.parts) - 1
                return self._method(node, self._chain(chain, start, last), chain.parts[last][0], arguments)
        elif kind == k.subscript_expression:
            links.append((_INDEX_CALL, node, arguments, ""))
            return callee.children[0]
        elif callee.type == "import":
            imported = self._only_text(arguments)
            if imported is not None:
                return self._import(node, imported)
        links.append((_CALL, node, arguments, ""))
        return callee

    def _apply(self, link: Link, base: Operand) -> Operand:
        action, node, arguments, name = link
        if action == _ATTRIBUTE:
            return self.emit_value(ATTR, node, base, name)
        if action == _METHOD and arguments is not None:
            return self._method(node, base, name, arguments)
        if action == _CALL and arguments is not None:
            return self._call(node, base, arguments)
        target = node if action == _INDEX else node.children[0]
        index = subscript_index(target)
        key = self.value[index.kind_id](index) if index is not None else self.const(None)
        if action == _INDEX or arguments is None:
            return self.emit_value(ITEM, target, base, key)
        if isinstance(key, int) and key < 0 and isinstance(self.consts[-1 - key], str):
            return self._method(node, base, self.consts[-1 - key], arguments)
        return self._call(node, self.emit_value(ITEM, target, base, key), arguments)

    def _chain(self, chain: Chain, start: int, count: int) -> Operand:
        """The value of the first ``count`` attributes of a dotted name."""
        value: Operand = chain.root
        if self.renames:
            value = self.renames.get(chain.root, chain.root)
        if value == "$exports":
            self.is_module = True
        if count > 0:
            span = self.span(start, start)
            room = 4095 - (span & 4095)
            for name, end in chain.parts[:count]:
                number = self.temps
                self.temps = number + 1
                self.block.append([ATTR, span + (end if end < room else room), number, value, name])
                value = number
        return value

    def _call(self, node: Node, callee: Operand, arguments: Node) -> int:
        operands = self.arguments(arguments)
        number = self.temps
        self.temps = number + 1
        self.block.append([CALL, self.span(node.start_byte, node.end_byte), number, callee, operands, []])
        return number

    def _method(self, node: Node, holder: Operand, name: str, arguments: Node) -> int:
        operands = self.arguments(arguments)
        number = self.temps
        self.temps = number + 1
        self.block.append([CALL_METHOD, self.span(node.start_byte, node.end_byte), number, holder, name, operands, []])
        return number

    def arguments(self, node: Node) -> list[Any]:
        k = self.k
        if node.kind_id == k.template_string:
            return self._tagged(node)
        value = self.value
        spread, comment, identifier = k.spread_element, k.comment, k.identifier
        operands: list[Any] = []
        for part in node.named_children:
            kind = part.kind_id
            if kind == identifier:
                operands.append(self.variable(part))
            elif kind == spread:
                inner = part.children[-1]
                operands.append(["*", value[inner.kind_id](inner)])
            elif kind != comment:
                if self.spent > self.cap:
                    break
                operands.append(value[kind](part))
        return operands

    def _tagged(self, node: Node) -> list[Any]:
        texts: list[Operand] = []
        values: list[Any] = []
        position = node.start_byte + 1
        for part in node.children:
            if part.kind_id == self.k.template_substitution:
                texts.append(self.const(decode_text(self.src[position : part.start_byte])))
                position = part.end_byte
                inner = part.named_children
                values.append(self.value[inner[0].kind_id](inner[0]) if inner else self.const(None))
        texts.append(self.const(decode_text(self.src[position : max(position, node.end_byte - 1)])))
        return [self.emit_value(MAKE, node, "list", texts), *values]

    def value_new_expression(self, node: Node) -> Operand:
        parts = [part for part in node.named_children if part.kind_id != self.k.comment]
        if not parts:
            return self.temp()
        cls = self.value[parts[0].kind_id](parts[0])
        operands = self.arguments(parts[-1]) if parts[-1].type == "arguments" else []
        return self.emit_value(NEW, node, cls, operands, [])

    # --- imports written as calls ----------------------------------------------------------------------------------

    def _shadowed(self, name: str) -> bool:
        return name in self.declared or any(name in names for names in self.enclosing)

    def _only_text(self, arguments: Node) -> str | None:
        """The one constant string that is passed, or None."""
        parts = arguments.named_children
        if not parts or parts[0].type not in ("string", "template_string"):
            return None
        if parts[0].type == "template_string" and any(
            part.type == "template_substitution" for part in parts[0].children
        ):
            return None
        return decode_text(self.src[parts[0].start_byte + 1 : parts[0].end_byte - 1])

    def _import(self, node: Node, module: str) -> int:
        number = self.emit_value(IMPORT, node, module, "", 0)
        self.imports.append(Import("", module, "", self.block[-1][1]))
        return number
