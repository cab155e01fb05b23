"""Lowers string literals: plain ones to constants, those with interpolations to TEMPLATE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from glasshouse.scan import ir
from glasshouse.scan.ir import Operand
from glasshouse.scan.language.python import kinds as k
from glasshouse.scan.language.python.expressions import Expressions
from glasshouse.scan.language.python.literals import MAX_TEXT, string_prefix, string_value, unescape

if TYPE_CHECKING:
    from tree_sitter import Node

_NUMERIC_SPEC = re.compile(rb":[^{}]*[bdeEfFgGnoxX%]\Z")
_BACKTICKED = re.compile(r"[A-Za-z_]\w*\Z")


class Strings(Expressions):
    """String literals."""

    def string(self, node: Node) -> Operand:
        text = self.source[node.start_byte : node.end_byte]
        first = text[:1]
        if first == b"`":
            return self.backticks(node, text)
        if first not in (b'"', b"'"):
            prefix = string_prefix(text)
            if "f" in prefix or "t" in prefix:
                return self.template(node, self.template_parts(node, "r" in prefix))
        elif b"\\" not in text and len(text) < MAX_TEXT and text[:3] != first * 3:
            return self.const(text[1:-1].decode("utf-8", "replace"))
        return self.const(string_value(text))

    def backticks(self, node: Node, text: bytes) -> Operand:
        """Python 2: `x` is repr(x)."""
        inner = text.strip(b"` ").decode("utf-8", "replace")
        if not _BACKTICKED.match(inner):
            return self.opaque(self.span(node))
        t = self.temp()
        self.out.append([ir.CALL, self.span(node), t, "repr", [inner], []])
        return t

    def concatenated(self, node: Node) -> Operand:
        """Adjacent literals."""
        parts: list[Any] = []
        for child in node.named_children:
            if child.kind_id != k.STRING:
                continue
            prefix = string_prefix(self.source[child.start_byte : child.start_byte + 4])
            if "f" in prefix or "t" in prefix:
                parts.extend(self.template_parts(child, "r" in prefix))
            else:
                parts.append(string_value(self.source[child.start_byte : child.end_byte]))
        return self.template(node, parts)

    def template(self, node: Node, parts: list[Any]) -> Operand:
        """Parts are constant texts or [operand]; without operands the whole is a constant."""
        merged: list[Any] = []
        text = ""
        for part in parts:
            if part.__class__ is str:
                text = (text + part)[:MAX_TEXT]
                continue
            if text:
                merged.append(self.const(text))
                text = ""
            merged.append(part[0])
        if not merged:
            return self.const(text)
        if text:
            merged.append(self.const(text))
        t = self.temp()
        self.out.append([ir.TEMPLATE, self.span(node), t, merged])
        return t

    def template_parts(self, node: Node, raw: bool) -> list[Any]:
        parts: list[Any] = []
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.STRING_CONTENT:
                text = self.text(child)[: 8 * MAX_TEXT].replace("{{", "{").replace("}}", "}")
                parts.append(text if raw or "\\" not in text else unescape(text))
            elif kind == k.INTERPOLATION:
                parts.append([self.interpolation(child)])
        return parts

    def interpolation(self, node: Node) -> Operand:
        """A numeric format specification makes a number of the value, so its text carries nothing else."""
        value: Operand | None = None
        for child in node.named_children:
            kind = child.kind_id
            if kind == k.FORMAT_SPECIFIER:
                spec = self.source[child.start_byte : child.end_byte]
                if value is not None and len(spec) < 40 and _NUMERIC_SPEC.match(spec):
                    t = self.temp()
                    self.out.append([ir.UNOP, self.span(node), t, "+", value])
                    value = t
            elif value is None and kind not in k.SKIPPED and kind != k.TYPE_CONVERSION:
                value = self.expr(child)
        return self.opaque(self.span(node)) if value is None else value
