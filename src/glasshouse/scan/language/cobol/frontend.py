"""COBOL files to ``ir.File``: paragraphs as functions, and what the analysis found as calls of ``$cobol`` in them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from glasshouse.scan import ir
from glasshouse.scan.language.cobol.checks import data_facts, procedure_facts
from glasshouse.scan.language.cobol.data import read_data
from glasshouse.scan.language.cobol.engine import Engine
from glasshouse.scan.language.cobol.sinks import Fact
from glasshouse.scan.language.cobol.statements import Paragraph, read_procedure
from glasshouse.scan.language.cobol.tokens import Copies, Token, tokens_of
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.language.parsing import undisturbed

FACT = "$cobol"
MAX_COPY_BYTES = 2_000_000
MAX_FACTS = 2_000
MAX_LEVELS = 4
_ENDINGS = ("", ".cpy", ".CPY", ".cbl", ".CBL", ".cob", ".COB", ".copy")
_FOLDERS = ("", "copy", "copybooks", "copybook", "copylib", "cpy", "COPY", "include")
_NAME = re.compile(r"[A-Za-z0-9_$#@][A-Za-z0-9_$#@.-]{0,60}")
_FRAMES_PER_LEVEL = 12


class CobolFrontEnd:
    """Reads and analyses COBOL programs and copybooks."""

    language = "cobol"

    def lower(self, source: bytes, path: str, limits: LowerLimits) -> ir.File:
        """One file, without its copybooks."""
        return self.lower_at(source, path, limits, "")

    def lower_at(self, source: bytes, path: str, limits: LowerLimits, absolute: str) -> ir.File:
        """One file; ``absolute`` is where it lies, so that copybooks of its tree are found."""
        text = source.decode("utf-8", "replace")
        copies = Copies(_finder(path, absolute))
        with undisturbed(limits, _FRAMES_PER_LEVEL):
            return _file(path, text, copies, time.monotonic() + limits.max_seconds)


def _file(path: str, text: str, copies: Copies, deadline: float) -> ir.File:
    functions = [ir.Function("", "", "module", [], [], [], 0, ir.pack_span(1, 0, 1, 0))]
    notes: list[str] = []
    for part in _programs(tokens_of(text, copies)):
        start = _procedure_start(part)
        data = read_data(part[:start])
        procedure = read_procedure(part[start + 2 :])
        engine = Engine(data, procedure, deadline)
        names = _paragraphs(functions, procedure.paragraphs)
        for fact in [*data_facts(data), *engine.run(), *procedure_facts(procedure, data)][:MAX_FACTS]:
            _emit(functions[names.get(fact.paragraph, 0)], fact)
        if procedure.capped or engine.capped or engine.too_deep:
            notes.append(f"analysed only in part: {procedure.capped or 'too many ways through the program'}")
    for name, line in sorted(copies.missing.items())[:20]:
        notes.append(f"copybook {name} (line {line}) is not in this tree")
    lines = text.count("\n") + (not text.endswith("\n"))
    imports = [ir.Import(name, name, "", 0) for name in sorted({*copies.read, *copies.missing})]
    return ir.File(path, "cobol", "", functions, [], imports, lines, 0, [], notes)


def _programs(tokens: list[Token]) -> list[list[Token]]:
    """The programs of a file, each from its IDENTIFICATION DIVISION on."""
    starts = [
        at
        for at, token in enumerate(tokens[:-1])
        if token.word("IDENTIFICATION", "ID") and tokens[at + 1].word("DIVISION")
    ]
    bounds = [*starts, len(tokens)] if starts else [0, len(tokens)]
    return [tokens[first:last] for first, last in pairwise(bounds)]


def _procedure_start(tokens: Sequence[Token]) -> int:
    return next(
        (at for at, token in enumerate(tokens[:-1]) if token.word("PROCEDURE") and tokens[at + 1].word("DIVISION")),
        len(tokens),
    )


def _paragraphs(functions: list[ir.Function], paragraphs: Sequence[Paragraph]) -> dict[str, int]:
    found: dict[str, int] = {}
    for paragraph in paragraphs:
        if paragraph.name and paragraph.name not in found and len(functions) < 5_000:
            found[paragraph.name] = len(functions)
            at = paragraph.at
            span = ir.pack_span(at.line, at.column, at.line, at.column + at.width)
            functions.append(ir.Function(paragraph.name, paragraph.name, "function", [], [], [], 0, span))
    return found


def _emit(function: ir.Function, fact: Fact) -> None:
    """The fact as a call with constants, which the detector reads."""
    span = ir.pack_span(fact.at.line, fact.at.column, fact.at.line, fact.at.column + fact.at.width)
    arguments: list[ir.Operand] = []
    for value in (fact.check, fact.name, fact.source, "library" if fact.weak else "application"):
        function.consts.append(value)
        arguments.append(-len(function.consts))
    call: list[Any] = [ir.CALL, span, function.temps, FACT, arguments, []]
    function.temps += 1
    function.body.append(call)


def _finder(path: str, absolute: str) -> Any:
    """Looks for copybooks beside the program and in the usual folders above, inside the scanned tree."""
    if not absolute or not absolute.endswith(path):
        return lambda name: None
    root = Path(absolute[: len(absolute) - len(path)] or "/")
    folder = Path(absolute).parent

    def find(name: str) -> str | None:
        if not _NAME.fullmatch(name):
            return None
        place = folder
        for _ in range(MAX_LEVELS):
            for below in _FOLDERS:
                for ending in _ENDINGS:
                    for spelled in (name, name.lower()):
                        if text := _read(place / below / f"{spelled}{ending}", root):
                            return text
            if place == root or root not in place.parents:
                break
            place = place.parent
        return None

    return find


def _read(file: Path, root: Path) -> str | None:
    try:
        if not file.is_file() or file.stat().st_size > MAX_COPY_BYTES:
            return None
        real = os.path.realpath(file)
        if os.path.commonpath([real, os.path.realpath(root)]) != os.path.realpath(root):
            return None
        return file.read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
