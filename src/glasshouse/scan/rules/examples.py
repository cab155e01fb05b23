"""The examples that every rule ships with, as files: for tests and assessments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from glasshouse.scan.rules.loader import load_rules
from glasshouse.scan.rules.schema import Rule

SIDES: tuple[Literal["positive", "negative"], ...] = ("positive", "negative")
_MARKED = {"// ts": ".ts", "// jsx": ".jsx", "// tsx": ".tsx"}
_ENDINGS = {"python": ".py", "c": ".c", "go": ".go", "php": ".php", "cobol": ".cob", "cpp": ".cc"}

_CPP_HEADER = re.compile(r"#include <\w+>")  # `<vector>`: headers of C have an ending


class Example(msgspec.Struct, frozen=True):
    """One example: a whole file, which its rule must report (positive) or leave alone (negative)."""

    rule: str
    cwe: tuple[int, ...]
    language: str
    side: Literal["positive", "negative"]
    index: int
    text: str
    file_name: str


def examples(rules: Iterable[Rule] | None = None) -> Iterator[Example]:
    """Every example of the rules (of every shipped one unless others are given), in their order."""
    for rule in load_rules().rules.values() if rules is None else rules:
        for side in SIDES:
            for index, text in enumerate(getattr(rule.tests, side)):
                yield Example(rule.id, rule.cwe, rule.languages[0], side, index, text, file_name(rule, text))


def file_name(rule: Rule, text: str) -> str:
    """The name that the example needs: Java wants that of its class; the first line tells dialects, and C++."""
    ending = _ending(rule.languages[0], text.lstrip().partition("\n")[0].strip())
    return f"Snippet{ending}" if ending == ".java" else f"snippet{ending}"


def _ending(language: str, head: str) -> str:
    if language == "java":
        return ".jsp" if head.startswith("<") else ".java"
    if language == "javascript":
        return _MARKED.get(head, ".html" if head.startswith("<") else ".js")
    if language == "c" and _CPP_HEADER.match(head):
        return ".cpp"
    return _ENDINGS[language]
