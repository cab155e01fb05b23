"""The registry of source languages: which files belong to a language, and which front end reads it.

A new language is one row in ``LANGUAGES`` plus a front end.  Front ends are imported on first use, because each one
loads its grammar.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

from glasshouse.words.errors import UsageError

if TYPE_CHECKING:
    from glasshouse.scan.language.interface import FrontEnd

SHEBANG_BYTES = 256
"""How much of a file ``language_of`` needs to see when its name does not tell."""


class Language(msgspec.Struct, frozen=True):
    """One language.  ``front_end`` is ``module:Class``; ``declarations`` are endings of files that hold no code."""

    name: str
    front_end: str
    extensions: tuple[str, ...]
    interpreters: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    declarations: tuple[str, ...] = ()
    interpreted: bool = True  # false: analysed by its detectors alone, file by file, in the workers


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="python",
        front_end="glasshouse.scan.language.python:PythonFrontEnd",
        extensions=(".py", ".pyw"),
        interpreters=("python", "pypy"),
        filenames=("SConstruct", "SConscript", "wscript"),
        declarations=(".pyi",),
    ),
    Language(
        name="javascript",
        front_end="glasshouse.scan.language.javascript:JavaScriptFrontEnd",
        extensions=(".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"),
        interpreters=("node", "nodejs", "bun", "deno", "ts-node", "tsx"),
        filenames=("Jakefile",),
        declarations=(".d.ts", ".d.mts", ".d.cts"),
    ),
    Language(
        name="java",
        front_end="glasshouse.scan.language.java:JavaFrontEnd",
        extensions=(".java", ".jsp", ".jspf", ".jspx", ".tag"),
        filenames=(),
        declarations=("package-info.java", "module-info.java"),
    ),
    Language(
        name="c",
        front_end="glasshouse.scan.language.c:CFrontEnd",
        extensions=(*(".c", ".h", ".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".inl", ".ipp", ".tpp"),),
        interpreted=False,
    ),
    Language(
        name="go",
        front_end="glasshouse.scan.language.go:GoFrontEnd",
        extensions=(".go",),
        interpreters=("gorun", "yaegi"),
    ),
    Language(
        name="php",
        front_end="glasshouse.scan.language.php:PhpFrontEnd",
        extensions=(".php", ".phtml", ".php5", ".php7", ".php8"),
        interpreters=("php",),
    ),
    Language(
        name="cobol",
        front_end="glasshouse.scan.language.cobol:CobolFrontEnd",
        extensions=(".cbl", ".cob", ".cobol", ".cpy", ".pco"),
        interpreted=False,
    ),
)

INTERPRETED = frozenset(language.name for language in LANGUAGES if language.interpreted)
LANGUAGE_NAMES: tuple[str, ...] = tuple(language.name for language in LANGUAGES)

_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_EXTENSION = {ext: language.name for language in LANGUAGES for ext in language.extensions}
_BY_FILENAME = {name: language.name for language in LANGUAGES for name in language.filenames}
_BY_INTERPRETER = {program: language.name for language in LANGUAGES for program in language.interpreters}
_DECLARATIONS = tuple(ending for language in LANGUAGES for ending in language.declarations)
_SHEBANG = re.compile(rb"#![ \t]*(\S+)(?:[ \t]+([^\r\n]*))?")
_VERSION = re.compile(r"[0-9.]+$")


def language_of(path: str, head: bytes | None = None) -> str | None:
    """Name of the language of a file, or None when we do not read it.

    ``path`` may be a bare file name.  ``head`` is the first ``SHEBANG_BYTES`` of the file; it is only looked at when
    the name has no extension, so callers read it only then (see ``needs_head``).
    """
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    if dot and stem:
        found = _BY_EXTENSION.get("." + extension.lower())
        return None if found is not None and is_declaration(name) else found
    return _BY_FILENAME.get(name) or (_language_of_shebang(head) if head else None)


def needs_head(name: str) -> bool:
    """Whether only the content can tell the language: a bare name without extension that no row lists."""
    return "." not in name and name not in _BY_FILENAME


def is_declaration(name: str) -> bool:
    """Whether the file only declares types (``.pyi``, ``.d.ts``): nothing in it runs."""
    return name.endswith(_DECLARATIONS)


def front_end(name: str) -> FrontEnd:
    """The front end of a language, made on first use.  Raises UsageError for a language that is not in the table."""
    if name not in _BY_NAME:
        raise UsageError(f"unknown language {name!r}", hint=f"Languages: {', '.join(LANGUAGE_NAMES)}.")
    return _front_end(name)


@cache
def _front_end(name: str) -> FrontEnd:
    module, _, attribute = _BY_NAME[name].front_end.partition(":")
    return cast("FrontEnd", getattr(import_module(module), attribute)())


def _language_of_shebang(head: bytes) -> str | None:
    match = _SHEBANG.match(head)
    if match is None:
        return None
    words = [match.group(1).decode("latin-1"), *(match.group(2) or b"").decode("latin-1").split()]
    program = words[0].rpartition("/")[2]
    if program == "env":
        arguments = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        program = arguments[0].rpartition("/")[2] if arguments else ""
    return _BY_INTERPRETER.get(_VERSION.sub("", program))
