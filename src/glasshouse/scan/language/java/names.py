"""What names mean: locals, fields of this or an outer class, packages, types, imports."""

from __future__ import annotations

import re

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Import, Operand
from glasshouse.scan.language.java.state import EXPRESSIONS, Lowering

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_ANNOTATION = re.compile(r"@[\w.]+(\([^()]*\))?")
_SPACE = re.compile(r"\s+")
_CLASS_WORD = re.compile(r"[A-Z]\w*[a-z]")
_TOP_PACKAGES = frozenset({"java", "javax", "jakarta", "org", "com", "net", "io"})


def type_text(lo: Lowering, node: Node) -> str:
    """A type as written, without generic arguments, annotations and spaces."""
    raw = lo.word(node)
    found = lo.types.get(raw)
    if found is None:
        found = lo.types[raw] = plain_type(raw)
    return found


def plain_type(raw: str) -> str:
    """``Map.@Nullable Entry<K, V>[]`` as ``Map.Entry[]``."""
    if raw.isalnum():
        return raw
    text = _COMMENT.sub("", raw[:2000])
    if "@" in text:
        text = _ANNOTATION.sub("", text)
    if "<" in text:
        kept, depth = [], 0
        for char in text:
            if char == "<":
                depth += 1
            elif char == ">":
                depth -= 1
            elif depth <= 0:
                kept.append(char)
        text = "".join(kept)
    return _SPACE.sub("", text)[:400]


def holder(lo: Lowering, name: str) -> str:
    """The variable whose attribute a bare name is, or "" when the name is a variable itself."""
    if name in lo.locals:
        return ""
    scope = lo.scope
    while scope is not None:
        static = scope.fields.get(name)
        if static is not None:
            if static:
                return "" if lo.frame.class_body is scope else scope.name
            return "this" if scope is lo.scope else scope.name + ".this"
        if name in scope.captured:
            return ""
        scope = scope.outer
    if lo.scope is None or name[:1].isupper() or name[:1] == "$" or name in lo.static_names:
        return ""
    return lo.scope.name if lo.frame.static else "this"


def read_name(lo: Lowering, node: Node) -> Operand:
    """The value of a bare name."""
    start = node.start_byte
    if lo.page_texts and start in lo.page_texts:
        return _page_text(lo, node, lo.page_texts[start])
    name = lo.word(node)
    owner = holder(lo, name)
    if not owner:
        return name
    return lo.value(ir.ATTR, lo.span(node), owner, name)


def _page_text(lo: Lowering, node: Node, text: str) -> Operand:
    shown = lo.value(ir.CALL, lo.span(node), "$el", [lo.builder.const(text)], [])
    return lo.value(ir.CALL_METHOD, lo.span(node), "out", "print", [shown], [])


def is_package_head(lo: Lowering, name: str, following: list[str]) -> bool:
    """Whether a bare name starts a qualified class name such as ``java.io.File`` (given the names after it)."""
    if not name[:1].islower() or name in lo.locals:
        return False
    scope = lo.scope
    while scope is not None:
        if name in scope.fields or name in scope.captured:
            return False
        scope = scope.outer
    for part in following:
        if part[:1].isupper():
            return name in _TOP_PACKAGES or _CLASS_WORD.match(part) is not None
    return False


def class_operand(lo: Lowering, node: Node, text: str) -> Operand:
    """The class a type names, as an operand (``Map.Entry`` reads ``Entry`` of ``Map``)."""
    name = text.partition("[")[0]
    if "." not in name:
        return name or "$opaque"
    head, *rest = name.split(".")
    span = lo.span(node)
    operand: Operand = head
    for part in rest[:32]:
        operand = lo.value(ir.ATTR, span, operand, part)
    return operand


def add_import(lo: Lowering, node: Node) -> None:
    """Record an import and, unless it names everything, bind it in the module body."""
    text = lo.word(node)[6:]
    if "/" in text:
        text = _COMMENT.sub("", text)
    text = text.strip().rstrip(";").strip()
    static = text.startswith("static") and text[6:7].isspace()
    if static:
        text = text[6:].strip()
    bind_import(lo, "".join(text.split()), static, lo.span(node))


def bind_import(lo: Lowering, path: str, static: bool, span: int) -> None:
    """Record the import of ``path`` (``a.b.C``, ``a.b.*``; static: ``a.b.C.m``, ``a.b.C.*``)."""
    if not path:
        return
    module, _, last = path.rpartition(".")
    if last == "*":
        lo.imports.append(Import("*", module, "*" if static else "", span, 0, static))
        lo.static_star |= static
        return
    if static:
        lo.static_names.add(last)
        lo.imports.append(Import(last, module, last, span, 0, True))
        lo.builder.emit(ir.IMPORT, span, last, module, last, 0)
        return
    lo.imports.append(Import(last, path, "", span))
    lo.builder.emit(ir.IMPORT, span, last, path, "", 0)


EXPRESSIONS["identifier"] = read_name
EXPRESSIONS["type_identifier"] = read_name
EXPRESSIONS["this"] = lambda lo, node: "this"
EXPRESSIONS["super"] = lambda lo, node: "super"
