"""What the code around a place says without its names: conditions on the data and ways out.

Comments and the text of strings are blanked first.  Names are compared with each other and never looked at otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_LINES_BEFORE = 200
MAX_LINES_AT = 8
MAX_LINE_BYTES = 400
MAX_OPERANDS = 24

_SLASHES = re.compile(
    r"/\*.*?(?:\*/|\Z)|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?", re.DOTALL
)
_HASHES = re.compile(
    r"\"\"\".*?(?:\"\"\"|\Z)|'''.*?(?:'''|\Z)|#[^\n]*|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?", re.DOTALL
)
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_CALLED = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]*)\s*\(")
_CONDITION = re.compile(r"\b(?:if|elif|elseif|unless|while|for|foreach|switch|case|match|assert|when)\b|\?[^.?:]")
_EXIT = re.compile(r"\b(?:return|throw|raise|goto|break|continue|exit|abort|die|panic)\b")
_ORDER = re.compile(r"(?<![-<=>])(?:<=?|>=?)(?![<>=])")
_KEYWORDS = frozenset(
    """if elif else elseif unless while for foreach switch case match assert when return throw raise goto break continue
    new delete in is not and or null NULL nullptr None nil undefined true false True False this self super const let
    var def function func fn class struct union enum static void int char long short unsigned signed float double bool
    boolean byte string String auto public private protected final abstract async await yield with as from import try
    except catch finally do sizeof typeof instanceof lambda pass echo print""".split()
)


class Surroundings(NamedTuple):
    """``guards``: conditions before the place that test data used there; ``ordered`` and ``leaving`` of them compare
    sizes, and leave the function or loop.  ``inside``: the place stands inside such a condition."""

    guards: int = 0
    ordered: int = 0
    leaving: int = 0
    inside: bool = False


def plain(text: str, language: str) -> str:
    """The code without comments and without the text of strings; lines stay where they are."""
    pattern = _HASHES if language == "python" else _SLASHES

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        return "\n" * found.count("\n") if found[0] in "/#" else '""' + "\n" * found.count("\n")

    return pattern.sub(blank, text)


def surroundings(
    lines: Sequence[bytes], language: str, function: tuple[int, int], first: int, last: int
) -> Surroundings:
    """Of the place in lines ``first`` to ``last`` (from 1) of a file, within its function."""
    if not 1 <= first <= len(lines):
        return Surroundings()
    start = max(function[0], first - MAX_LINES_BEFORE, 1)
    last = min(max(last, first), first + MAX_LINES_AT - 1, len(lines))
    window = b"\n".join(line[:MAX_LINE_BYTES] for line in lines[start - 1 : last]).decode("utf-8", "replace")
    code = plain(window, language).split("\n")
    at = code[first - start :]
    before = code[: first - start]
    here = "\n".join(at)
    called = set(_CALLED.findall(here))
    names = [name for name in _NAME.findall(here) if name not in _KEYWORDS and name not in called]
    operands = frozenset(names[:MAX_OPERANDS])
    guards = ordered = leaving = 0
    for number, line in enumerate(before):
        if not _CONDITION.search(line) or operands.isdisjoint(_NAME.findall(line)):
            continue
        guards += 1
        ordered += bool(_ORDER.search(line))
        leaving += any(_EXIT.search(item) for item in before[number : number + 3])
    return Surroundings(guards, ordered, leaving, inside(before, at[0] if at else "", operands))


def inside(before: Sequence[str], line: str, operands: frozenset[str]) -> bool:
    """Whether a condition around the line (by indentation) tests its data."""
    width = indentation(line)
    for item in reversed(before):
        if not item.strip() or indentation(item) >= width:
            continue
        width = indentation(item)
        if _CONDITION.search(item) and not operands.isdisjoint(_NAME.findall(item)):
            return True
        if width == 0:
            break
    return False


def indentation(line: str) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())
