"""Source trees to measure on: finding their files, counting lines, copying and editing copies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ENDINGS = {
    "python": (".py",),
    "javascript": (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx"),
    "java": (".java", ".jsp"),
    "c": (".c", ".h", ".cc", ".cpp", ".cxx", ".hpp"),
}
EDITED_BYTES = 100_000  # edit a file of ordinary size, not the largest
ADDED = {
    "python": "\n\ndef added_by_the_benchmark(value):\n    return value\n",
    "javascript": "\nfunction addedByTheBenchmark(value) {\n  return value;\n}\n",
    "java": "\nclass AddedByTheBenchmark {\n    Object same(Object value) {\n        return value;\n    }\n}\n",
}
FIRST_IMPORT = re.compile(r"^(?:import|from) (?!__future__)", re.MULTILINE)
BODY_LINE = {  # a line before which a statement may stand, and the statement
    "python": (re.compile(r"^( +)return [a-z_.]+\(.*\)$", re.MULTILINE), "{0}edited_by_the_benchmark = 1\n{1}"),
    "javascript": (
        re.compile(r"(?<=[;{}]\n)^([ \t]+)return\b.*;$", re.MULTILINE),
        "{0}let editedByTheBenchmark = 1;\n{1}",
    ),
    "java": (
        re.compile(r"(?<=[;{}]\n)^([ \t]+)return\b.*;$", re.MULTILINE),
        "{0}int editedByTheBenchmark = 1;\n{1}",
    ),
}


@dataclass(frozen=True)
class Size:
    """How much there is to read."""

    files: int
    lines: int
    size_bytes: int


def sources(root: Path, language: str) -> list[Path]:
    """The language's files below the root, in a fixed order."""
    return sorted(path for path in root.rglob("*") if path.suffix in ENDINGS[language] and path.is_file())


def size(files: Iterable[Path]) -> Size:
    """Files, lines and bytes."""
    texts = [path.read_bytes() for path in files]
    return Size(len(texts), sum(text.count(b"\n") for text in texts), sum(map(len, texts)))


def copied(root: Path, language: str, target: Path, fraction: float = 1.0) -> Path:
    """Copy the language's files, keeping their places.

    With a fraction: the first files by path until that part of the bytes is reached, so that folders stay whole and
    calls between neighbours stay resolvable, as in a smaller code base.
    """
    files = sources(root, language)
    wanted = fraction * sum(path.stat().st_size for path in files)
    taken = 0
    for path in files:
        if taken >= wanted:
            break
        taken += path.stat().st_size
        place = target / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return target


def to_edit(root: Path, language: str) -> Path:
    """A file to edit: the largest of ordinary size in which a function returns something."""
    pattern = BODY_LINE[language][0]
    ordinary = [path for path in sources(root, language) if path.stat().st_size <= EDITED_BYTES]
    for path in sorted(ordinary, key=lambda path: (-path.stat().st_size, path)):
        if pattern.search(path.read_text(errors="replace")):
            return path
    raise SystemExit(f"no file to edit below {root}")


def edit_body(path: Path, language: str) -> None:
    """Put one statement into a function's body."""
    pattern, statement = BODY_LINE[language]
    text = path.read_text()
    path.write_text(pattern.sub(lambda found: statement.format(found[1], found[0]), text, count=1))


def add_constant(path: Path, _language: str) -> None:
    """Append a constant (Python)."""
    path.write_text(path.read_text() + '\n\nADDED_WORD = "added"\n')


def add_import(path: Path, _language: str) -> None:
    """Import a module before the first import (Python)."""
    path.write_text(FIRST_IMPORT.sub(r"import subprocess\n\g<0>", path.read_text(), count=1))


def add_function(path: Path, language: str) -> None:
    """Append a function (Java: a class with a method)."""
    path.write_text(path.read_text() + ADDED[language])
