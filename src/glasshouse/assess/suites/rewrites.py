"""Rewrites of source text that leave its meaning as it is; a scanner should say the same before and after."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

COMMENTS = {
    "python": "# note",
    "javascript": "// note",
    "java": "// note",
    "c": "// note",
    "go": "// note",
    "php": "// note",
    "cobol": "      * note",
}
UNUSED = {
    "python": "\n\ndef _unused_extra(value):\n    return value\n",
    "javascript": "\nfunction unusedExtra(value) { return value; }\n",
}


def applies(rewrite: str, language: str) -> bool:
    """Whether a rewrite exists for a language."""
    return {
        "line_ends": True,
        "comments": language == "python",
        "unused_function": language in UNUSED,
        "reformatted": language == "python",
        "renamed_locals": language == "python",
    }[rewrite]


def _line_ends(text: str, _language: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _comments(text: str, language: str) -> str:
    """A comment line before every statement that begins at the margin; none inside a bracket or a text."""
    try:
        starts = {node.lineno for node in ast.parse(text).body}
    except (SyntaxError, ValueError):
        return text
    lines = text.split("\n")
    return "\n".join(f"{COMMENTS[language]}\n{line}" if n in starts else line for n, line in enumerate(lines, 1))


def _unused(text: str, language: str) -> str:
    return text.rstrip("\n") + "\n" + UNUSED.get(language, "")


def _reformatted(text: str, _language: str) -> str:
    try:
        return ast.unparse(ast.parse(text)) + "\n"
    except (SyntaxError, ValueError, RecursionError):
        return text


_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Global, ast.Nonlocal, ast.Import,
    ast.ImportFrom,
)  # fmt: skip


class _Renamer(ast.NodeTransformer):
    """Renames what a function assigns and nobody outside can name: no parameters, globals, or dynamic look-ups."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if any(isinstance(each, _SCOPES) for each in ast.walk(node) if each is not node):
            return node
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        called = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        if called & {"locals", "vars", "eval", "exec", "globals"}:
            return node
        parameters = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
        renamed = {name: f"v{number}_{len(name)}" for number, name in enumerate(sorted(names - parameters))}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in renamed:
                each.id = renamed[each.id]
        return node


def _renamed(text: str, language: str) -> str:
    if re.search(r"\b(locals|vars)\s*\(", text):
        return text
    try:
        tree = _Renamer().visit(ast.parse(text))
        return ast.unparse(tree) + "\n"
    except (SyntaxError, ValueError, RecursionError):
        return _reformatted(text, language)


REWRITES: dict[str, Callable[[str, str], str]] = {
    "line_ends": _line_ends,
    "comments": _comments,
    "unused_function": _unused,
    "reformatted": _reformatted,
    "renamed_locals": _renamed,
}
