"""Which tree-sitter grammar reads a file, and that grammar's numbers of the node kinds the lowering looks at."""

from __future__ import annotations

import functools
import os

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Parser

_TYPESCRIPT_SUFFIXES = frozenset({".ts", ".mts", ".cts"})

_NAMES = (
    "array",
    "array_pattern",
    "arrow_function",
    "assignment_expression",
    "assignment_pattern",
    "augmented_assignment_expression",
    "binary_expression",
    "call_expression",
    "class_",
    "comment",
    "else_clause",
    "export_statement",
    "function_declaration",
    "function_expression",
    "generator_function",
    "generator_function_declaration",
    "identifier",
    "if_statement",
    "lexical_declaration",
    "member_expression",
    "method_definition",
    "non_null_expression",
    "object",
    "object_assignment_pattern",
    "object_pattern",
    "pair",
    "pair_pattern",
    "parenthesized_expression",
    "private_property_identifier",
    "property_identifier",
    "rest_pattern",
    "sequence_expression",
    "shorthand_property_identifier",
    "shorthand_property_identifier_pattern",
    "spread_element",
    "statement_block",
    "string",
    "subscript_expression",
    "template_string",
    "template_substitution",
    "this",
    "undefined",
    "update_expression",
)


class Kinds:
    """Number of each node kind in one grammar; -1 where the grammar has no such kind."""

    __slots__ = (*_NAMES, "functions", "hoisted", "lexical")

    array: int
    array_pattern: int
    arrow_function: int
    assignment_expression: int
    assignment_pattern: int
    augmented_assignment_expression: int
    binary_expression: int
    call_expression: int
    class_: int
    comment: int
    else_clause: int
    export_statement: int
    function_declaration: int
    function_expression: int
    generator_function: int
    generator_function_declaration: int
    identifier: int
    if_statement: int
    lexical_declaration: int
    member_expression: int
    method_definition: int
    non_null_expression: int
    object: int
    object_assignment_pattern: int
    object_pattern: int
    pair: int
    pair_pattern: int
    parenthesized_expression: int
    private_property_identifier: int
    property_identifier: int
    rest_pattern: int
    sequence_expression: int
    shorthand_property_identifier: int
    shorthand_property_identifier_pattern: int
    spread_element: int
    statement_block: int
    string: int
    subscript_expression: int
    template_string: int
    template_substitution: int
    this: int
    undefined: int
    update_expression: int
    functions: frozenset[int]
    hoisted: frozenset[int]
    lexical: frozenset[int]

    def __init__(self, language: Language) -> None:
        def number(name: str) -> int:
            return language.id_for_node_kind(name, True) or -1

        for name in _NAMES:
            setattr(self, name, number(name.rstrip("_")))
        self.functions = frozenset(
            map(number, ("arrow_function", "function_expression", "generator_function", "class"))
        )
        self.hoisted = frozenset(
            map(number, ("function_declaration", "generator_function_declaration", "export_statement"))
        )
        declarations = ("lexical_declaration", "class_declaration", "abstract_class_declaration", "enum_declaration")
        self.lexical = frozenset(map(number, declarations)) | self.hoisted


class Grammar:
    """One grammar with its parser and node kinds."""

    __slots__ = ("kinds", "language", "name", "parser")

    def __init__(self, name: str, language: Language) -> None:
        self.name = name
        self.language = language
        self.parser = Parser(language)
        self.kinds = Kinds(language)


@functools.cache
def grammar(name: str) -> Grammar:
    """The grammar ``javascript``, ``typescript`` or ``tsx``; loaded once per process."""
    if name == "typescript":
        return Grammar(name, Language(tree_sitter_typescript.language_typescript()))
    if name == "tsx":
        return Grammar(name, Language(tree_sitter_typescript.language_tsx()))
    return Grammar("javascript", Language(tree_sitter_javascript.language()))


def grammar_name(path: str) -> str:
    """Name of the grammar for a path, by its suffix."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _TYPESCRIPT_SUFFIXES:
        return "typescript"
    return "tsx" if suffix == ".tsx" else "javascript"
