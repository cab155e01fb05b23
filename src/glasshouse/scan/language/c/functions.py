"""The top level of a file: functions that can matter, global variables, records, macros."""

from __future__ import annotations

import re
from collections.abc import Callable

from tree_sitter import Node

from glasshouse.scan import ir
from glasshouse.scan.ir import Builder
from glasshouse.scan.language.c.declarations import (
    RECORDS,
    declaration,
    define,
    enumerators,
    parameters,
    record,
    typedef,
)
from glasshouse.scan.language.c.expressions import plain_name
from glasshouse.scan.language.c.relevance import matters
from glasshouse.scan.language.c.state import Lowering, number_of
from glasshouse.scan.language.c.types import declarator_type, fold, type_text

MAX_MACROS = 20_000
MAX_NESTING = 60
INSIDE = frozenset(
    "linkage_specification declaration_list namespace_definition preproc_if preproc_ifdef preproc_else preproc_elif "
    "template_declaration export_declaration ERROR field_declaration_list".split()
)


def lower_file(lo: Lowering, root: Node) -> None:
    """Lower everything at file level; function 0 holds the globals and the macros that are constants or names."""
    lo.functions.append(ir.Function("", "", "module", [], [], [], 0, lo.span(root)))
    module = lo.builder
    _level(lo, root, "", 0)
    lo.builder = module
    first = lo.functions[0]
    for name, value in lo.constants.items():
        if lo.tag and name in lo.unsure:
            continue
        module.block.append([ir.MOVE, first.span, name, module.const(value)])
    first.body, first.consts, first.temps = module.block, module.consts, module.temps


def _level(lo: Lowering, node: Node, prefix: str, depth: int) -> None:
    if depth > MAX_NESTING:
        lo.note(f"declarations nested deeper than {MAX_NESTING} were not followed")
        return
    for child in node.named_children:
        kind = child.type
        if lo.stopped or lo.late():
            return
        if kind == "function_definition":
            _function(lo, child, prefix)
        elif kind == "declaration":
            _global(lo, child)
        elif kind == "preproc_def":
            _macro(lo, child)
        elif kind == "preproc_function_def":
            _function_macro(lo, child)
        elif kind == "type_definition":
            typedef(lo, child)
        elif kind in RECORDS:
            _record(lo, child, prefix, depth)
        elif kind == "enum_specifier":
            enumerators(lo, child)
        elif kind == "ERROR" and _broken_function(lo, child, prefix):
            return
        elif kind in INSIDE:
            _level(lo, child, _namespace(lo, child, prefix), depth + 1)


def _broken_function(lo: Lowering, node: Node, prefix: str) -> bool:
    """A function whose body does not parse as a whole: what follows its head is lowered statement by statement.

    The parser gives the pieces side by side, in the broken node or after it.
    """
    children = node.named_children
    heads = [number for number, child in enumerate(children) if child.type == "function_declarator"]
    if not heads:
        return False
    parent = node.parent
    siblings = parent.named_children if parent is not None else []
    after = [child for child in siblings if child.start_byte >= node.end_byte]
    stop = next((number for number, child in enumerate(after) if child.type == "function_definition"), len(after))
    for position, number in enumerate(heads):
        last = position + 1 == len(heads)
        body = children[number + 1 : None if last else heads[position + 1]]
        if last:
            body = [*body, *after[:stop]]
        if body and matters(lo.source, body[0].start_byte, body[-1].end_byte, kernel=lo.kernel):
            declarator = children[number]
            inner = lo.child(declarator, "declarator")
            name = plain_name(lo.text(inner)) if inner is not None else "?"
            _lower_body(lo, node, body, declarator, prefix + name, "", ir.EXPORTED)
    for child in after[stop:]:
        if child.type == "function_definition":
            _function(lo, child, prefix)
    return True


def _namespace(lo: Lowering, node: Node, prefix: str) -> str:
    name = lo.child(node, "name") if node.type == "namespace_definition" else None
    return f"{prefix}{lo.text(name)}::" if name is not None else prefix


def _record(lo: Lowering, node: Node, prefix: str, depth: int) -> None:
    record(lo, node)
    body, name = lo.child(node, "body"), lo.child(node, "name")
    if body is not None and any(child.type == "function_definition" for child in body.named_children):
        _level(lo, body, f"{prefix}{lo.text(name)}::" if name is not None else prefix, depth + 1)


def _global(lo: Lowering, node: Node) -> None:
    """A global variable; large tables keep their type only."""
    if node.end_byte - node.start_byte > 2000:
        kind = lo.child(node, "type")
        if kind is not None and kind.type in RECORDS:
            record(lo, kind)
        base = type_text(lo, kind)
        for child in node.children_by_field_name("declarator"):
            name, text, _ = declarator_type(lo, child, base)
            if name and text != "fn":
                lo.builder.block.append([ir.DECLARE, lo.span(node), name, text])
        return
    if lo.tag:
        _prototypes(lo, node)
    declaration(lo, node)


NO_RETURN = re.compile(rb"(?i)no_?return")


def _prototypes(lo: Lowering, node: Node) -> None:
    """What the functions that a header declares return, if they do."""
    mark = "fn!" if NO_RETURN.search(lo.source, node.start_byte, node.end_byte) else "fn "
    for child in node.children_by_field_name("declarator"):
        stars, inner = "", child
        while inner.type == "pointer_declarator":
            following = lo.child(inner, "declarator")
            if following is None:
                break
            stars, inner = stars + "*", following
        name = lo.child(inner, "declarator") if inner.type == "function_declarator" else None
        if name is not None and name.type == "identifier":
            returns = type_text(lo, lo.child(node, "type")) + stars
            lo.builder.block.append([ir.DECLARE, lo.span(node), lo.text(name), mark + returns])


_NAME = re.compile(r"\(?\s*([A-Za-z_]\w*)\s*\)?$")
_CALL = re.compile(r"\(?\s*([A-Za-z_]\w*)\s*\(([\w\s*&.>,-]*)\)\s*\)?\s*;?$")


def _macro(lo: Lowering, node: Node) -> None:
    """``#define N 16`` and ``#define COPY strcpy``."""
    name, value = lo.child(node, "name"), lo.child(node, "value")
    if name is None or value is None or len(lo.constants) > MAX_MACROS:
        return
    text = lo.text(value).partition("/*")[0].partition("//")[0].strip()
    number = number_of(text.strip("() ")) if len(text) < 40 else None
    if number is None and len(text) < 200:
        number = evaluated(text, lo.constant)
    if isinstance(number, int):
        define(lo, lo.text(name), number)
        return
    if text.startswith('"') and text.endswith('"') and text.count('"') == 2:
        lo.builder.block.append([ir.MOVE, lo.span(node), lo.text(name), lo.builder.const(text[1:-1])])
        return
    match = _NAME.match(text)
    if match is not None:
        lo.builder.block.append([ir.DECLARE, lo.span(node), lo.text(name), "#" + match.group(1)])
    elif lo.tag and len(text) < 60 and _ARITHMETIC.match(text):
        lo.builder.block.append([ir.DECLARE, lo.span(node), lo.text(name), "=" + text])


_ARITHMETIC = re.compile(r"[\w\s()+*<|-]*$")
_WORD = re.compile(r"[A-Za-z_]\w*|0[xX][0-9a-fA-F]+|\d+|<<|[()+*|-]")


def evaluated(text: str, constant: Callable[[str], int | None]) -> int | None:
    """Sums, products and shifts of numbers and known constants, left to right without precedence tricks."""
    if not _ARITHMETIC.match(text) or text.count("(") != text.count(")"):
        return None
    words = [word for word in _WORD.findall(text) if word not in "()"]
    if not 1 <= len(words) <= 5 or len(words) % 2 == 0 or len(set(words[1::2])) > 1:
        return None
    values: list[int] = []
    for word in words[::2]:
        value = constant(word) if word[0].isalpha() or word[0] == "_" else number_of(word)
        if not isinstance(value, int):
            return None
        values.append(value)
    result: int | None = values[0]
    for following in values[1:]:
        result = fold(words[1], result, following) if result is not None else None
    return result


def _function_macro(lo: Lowering, node: Node) -> None:
    """``#define FREE(p) free(p)``: a macro that is one call with its own parameters."""
    name, value, params = lo.child(node, "name"), lo.child(node, "value"), lo.child(node, "parameters")
    if name is None or value is None or params is None or value.end_byte - value.start_byte > 200:
        return
    match = _CALL.match(lo.text(value).replace("\\\n", " ").strip())
    if match is None:
        return
    names = [lo.text(child) for child in params.named_children]
    args = [part.strip() for part in match.group(2).split(",")] if match.group(2).strip() else []
    slots = [str(names.index(arg)) if arg in names else "?" for arg in args]
    lo.builder.block.append([ir.DECLARE, lo.span(node), lo.text(name), f"#{match.group(1)}({','.join(slots)})"])


def _start(node: Node, body: Node) -> int:
    """Where the text of a function begins: a constructor sets fields before its body."""
    first = next((child for child in node.named_children if child.type == "field_initializer_list"), body)
    return first.start_byte


def _function(lo: Lowering, node: Node, prefix: str) -> None:
    body = lo.child(node, "body")
    declarator = lo.child(node, "declarator")
    if (
        body is None
        or (lo.kernel and lo.tag)
        or not matters(lo.source, _start(node, body), body.end_byte, kernel=lo.kernel)
    ):
        return  # of the headers of operating-system code, only declarations: its trees are large
    returns = type_text(lo, lo.child(node, "type"))
    for _ in range(20):
        if declarator is None or declarator.type == "function_declarator":
            break
        if declarator.type == "pointer_declarator":
            returns += "*"
        declarator = lo.child(declarator, "declarator") or (
            declarator.named_children[0] if declarator.named_children else None
        )
    if declarator is None:
        return
    inner = lo.child(declarator, "declarator")
    name = plain_name(lo.text(inner)) if inner is not None else "?"
    static = any(child.type == "storage_class_specifier" and lo.text(child) == "static" for child in node.children[:4])
    _lower_body(lo, node, [body], declarator, prefix + name, returns, 0 if static else ir.EXPORTED)


def _initial_fields(lo: Lowering, node: Node) -> None:
    """``Buffer(size_t n) : data(new char[n])``: each field gets its value as by an assignment."""
    for child in node.named_children:
        parts = [part for part in child.named_children if part.type != "comment"]
        if child.type != "field_initializer" or len(parts) != 2 or parts[0].type != "field_identifier":
            continue
        values = [part for part in parts[1].named_children if part.type != "comment"]
        if parts[1].type == "argument_list" and len(values) == 1:
            lo.builder.block.append([ir.MOVE, lo.span(child), lo.text(parts[0]), lo.operand(values[0])])


def _lower_body(
    lo: Lowering, node: Node, body: list[Node], declarator: Node, name: str, returns: str, flags: int
) -> None:
    module, lo.builder = lo.builder, Builder()
    lo.labels, lo.nodes, lo.serial, lo.has_goto = [], 0, 0, False
    params = parameters(lo, lo.child(declarator, "parameters"))
    lo.scope.append(name)
    for child in node.named_children:  # K&R parameter types
        if child.type == "declaration" and child.end_byte <= body[0].start_byte:
            for part in child.children_by_field_name("declarator"):
                own, text, _ = declarator_type(lo, part, type_text(lo, lo.child(child, "type")))
                for param in params:
                    if param.name == own:
                        param.type = text
    for child in node.named_children:
        if child.type == "field_initializer_list":
            _initial_fields(lo, child)
    for part in body:
        lo.run(part)
    lo.scope.pop()
    capped = lo.stopped if lo.stopped.startswith("more") else ""
    if capped:
        lo.stopped = ""
    made = ir.Function(
        name=name.rpartition("::")[2] or name,
        qualname=name,
        kind="function",
        params=params,
        body=lo.builder.block,
        consts=lo.builder.consts,
        temps=lo.builder.temps,
        span=lo.span(node),
        flags=flags | (ir.GENERATOR if lo.has_goto else 0),
        returns=returns,
        capped=capped,
    )
    lo.functions.append(made)
    lo.builder = module
