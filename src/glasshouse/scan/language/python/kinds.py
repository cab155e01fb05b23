"""The Python grammar's node kinds as numbers, so that the walk compares small integers instead of strings."""

from __future__ import annotations

import tree_sitter_python
from tree_sitter import Language

LANGUAGE = Language(tree_sitter_python.language())


def kind(name: str, named: bool = True) -> int:
    """The number of a node kind; a grammar without it is not the one this front end was written for."""
    found = LANGUAGE.id_for_node_kind(name, named)
    if found is None:
        raise LookupError(f"the Python grammar has no node kind {name!r}")
    return found


ERROR = 65535  # the same in every tree-sitter grammar
ALL_KINDS = [*range(LANGUAGE.node_kind_count), 65534, ERROR]

IDENTIFIER = kind("identifier")
COMMENT = kind("comment")
CONTINUATION = kind("line_continuation")
ATTRIBUTE = kind("attribute")
CALL = kind("call")
SUBSCRIPT = kind("subscript")
SLICE = kind("slice")
ARGUMENT_LIST = kind("argument_list")
KEYWORD_ARGUMENT = kind("keyword_argument")
LIST_SPLAT = kind("list_splat")
DICTIONARY_SPLAT = kind("dictionary_splat")
GENERATOR = kind("generator_expression")
PARENTHESIZED = kind("parenthesized_expression")
NOT = kind("not_operator")
BOOLEAN = kind("boolean_operator")
BINARY = kind("binary_operator")
TUPLE = kind("tuple")
LIST = kind("list")
SET = kind("set")
PAIR = kind("pair")
EXPRESSION_LIST = kind("expression_list")
STRING = kind("string")
CONCATENATED = kind("concatenated_string")
STRING_CONTENT = kind("string_content")
INTERPOLATION = kind("interpolation")
FORMAT_SPECIFIER = kind("format_specifier")
TYPE_CONVERSION = kind("type_conversion")
INTEGER = kind("integer")
FLOAT = kind("float")
TRUE = kind("true")
FALSE = kind("false")
NONE = kind("none")
YIELD = kind("yield")
TYPE = kind("type")

ASSIGNMENT = kind("assignment")
AUGMENTED = kind("augmented_assignment")
BLOCK = kind("block")
ELIF = kind("elif_clause")
ELSE = kind("else_clause")
EXCEPT = kind("except_clause")
FINALLY = kind("finally_clause")
FOR_IN = kind("for_in_clause")
IF_CLAUSE = kind("if_clause")
WITH_CLAUSE = kind("with_clause")
AS_PATTERN = kind("as_pattern")
AS_TARGET = kind("as_pattern_target")
CHEVRON = kind("chevron")
FUNCTION = kind("function_definition")
CLASS = kind("class_definition")
DECORATOR = kind("decorator")
PARAMETERS = kind("parameters")
LAMBDA_PARAMETERS = kind("lambda_parameters")
CASE_CLAUSE = kind("case_clause")
DOTTED_NAME = kind("dotted_name")
ALIASED_IMPORT = kind("aliased_import")
RELATIVE_IMPORT = kind("relative_import")
WILDCARD_IMPORT = kind("wildcard_import")
PATTERN_LIST = kind("pattern_list")
TUPLE_PATTERN = kind("tuple_pattern")
LIST_PATTERN = kind("list_pattern")
SPLAT_PATTERN = kind("list_splat_pattern")
DICTIONARY_SPLAT_PATTERN = kind("dictionary_splat_pattern")
DEFAULT_PARAMETER = kind("default_parameter")
TYPED_PARAMETER = kind("typed_parameter")
TYPED_DEFAULT_PARAMETER = kind("typed_default_parameter")
KEYWORD_SEPARATOR = kind("keyword_separator")

CASE_PATTERN = kind("case_pattern")
CASE_SPLAT = kind("splat_pattern")
CASE_CLASS = kind("class_pattern")
CASE_KEYWORD = kind("keyword_pattern")
CASE_DICT = kind("dict_pattern")
CASE_UNION = kind("union_pattern")

# Anonymous tokens.
FROM = kind("from", named=False)
COLON = kind(":", named=False)
COMMA = kind(",", named=False)
OR = kind("or", named=False)
AND = kind("and", named=False)
MINUS = kind("-", named=False)

SKIPPED = frozenset((COMMENT, CONTINUATION, ERROR))
SEQUENCES = frozenset((PATTERN_LIST, TUPLE_PATTERN, LIST_PATTERN, TUPLE, LIST, EXPRESSION_LIST))
COMPOUND = frozenset(
    [FUNCTION, CLASS]
    + [kind(f"{name}_statement") for name in ("if", "for", "while", "try", "with", "match")]
    + [kind("decorated_definition")]
)
SPLATS = frozenset((LIST_SPLAT, SPLAT_PATTERN, DICTIONARY_SPLAT))
LITERALS = frozenset((STRING, CONCATENATED, INTEGER, FLOAT, TRUE, FALSE, NONE))

_OPERATORS = "+ - * / % ** // << >> & | ^ == != < <= > >= in is ~ not"
OPERATOR = {kind(text, named=False): text for text in _OPERATORS.split()}
OPERATOR[kind("<>", named=False)] = "!="
OPERATOR[kind("not in", named=False)] = "not in"
OPERATOR[kind("is not", named=False)] = "is not"
OPERATOR[kind("@", named=False)] = "*"  # matrix product: the same for a value's origin
OPERATOR |= {
    kind(text + "=", named=False): text for text in ("+", "-", "*", "/", "//", "%", "**", ">>", "<<", "&", "^", "|")
}
OPERATOR[kind("@=", named=False)] = "*"
