"""Ignore files in the syntax of gitignore(5), matched in linear time.

Patterns come from the scanned repository, which may be hostile: a pattern such as ``*a*a*a*b`` takes an ordinary
regular expression exponential time.  Here each path component is matched on its own with atomic groups (a star never
gives back what it took), and ``**`` with one backtrack point, so the cost is bounded by pattern times path length.

Callers never descend into an ignored directory, so a pattern is only asked about the entry itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

MAX_IGNORE_FILE_BYTES = 512_000
MAX_PATTERNS = 5_000
MAX_PATTERN_CHARS = 1_024

Component = Callable[[str], object]

_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e", "punct": r"!-/:-@\[-`{-~", "space": r"\s",
    "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


class IgnoreRule:
    """One pattern.  ``negated`` re-includes; ``source`` is the name of the file it stands in."""

    __slots__ = ("_anchored", "_components", "_name", "directories_only", "negated", "source")

    def __init__(self, pattern: str, source: str) -> None:
        self.source = source
        self.negated = pattern.startswith("!")
        if self.negated:
            pattern = pattern[1:]
        self.directories_only = pattern.endswith("/")
        body = pattern.rstrip("/") if self.directories_only else pattern
        self._anchored = "/" in body
        parts = [part for part in body.split("/") if part]
        self._components: list[Component | None] = [None if part == "**" else component_matcher(part) for part in parts]
        self._name = None if self._anchored or not parts else component_matcher(parts[0])

    def matches(self, parts: list[str], directory: bool) -> bool:
        """Whether the rule names this entry; ``parts`` are the components below the ignore file's directory."""
        if self.directories_only and not directory:
            return False
        if not self._anchored:
            return self._name is not None and bool(self._name(parts[-1]))
        return _match_components(self._components, parts)


class IgnoreFile(msgspec.Struct, frozen=True):
    """The rules that apply below one directory; ``depth`` is how many path components lie above that directory."""

    depth: int
    rules: tuple[IgnoreRule, ...]

    def verdict(self, parts: list[str], directory: bool) -> IgnoreRule | None:
        """The last rule that names the entry (it wins), or None.  ``parts`` start at the walk's origin."""
        below = parts[self.depth :] if self.depth else parts
        for rule in reversed(self.rules):
            if rule.matches(below, directory):
                return rule
        return None


def ignored_by(chain: tuple[IgnoreFile, ...], parts: list[str], directory: bool) -> IgnoreRule | None:
    """The rule by which an entry is ignored, or None.  ``chain`` goes from the outermost directory inwards."""
    for file in reversed(chain):
        rule = file.verdict(parts, directory)
        if rule is not None:
            return None if rule.negated else rule
    return None


def parse_rules(text: bytes, source: str) -> list[IgnoreRule]:
    """The rules of one ignore file, in order.  Over-long patterns and those past the limit are left out."""
    rules: list[IgnoreRule] = []
    for raw in text[:MAX_IGNORE_FILE_BYTES].decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"):
        line = _strip_trailing_spaces(raw.removesuffix("\r"))
        if not line or line.startswith("#") or len(line) > MAX_PATTERN_CHARS:
            continue
        if line.strip("!/"):
            rules.append(IgnoreRule(line, source))
        if len(rules) >= MAX_PATTERNS:
            break
    return rules


def component_matcher(glob: str) -> Component:
    """A function that tells whether one path component matches a glob without slashes; plain shapes get plain code."""
    if _plain(glob):
        return glob.__eq__
    if glob[0] == "*" and _plain(glob[1:]):
        tail = glob[1:]
        return lambda name: name.endswith(tail)
    if glob[-1] == "*" and _plain(glob[:-1]):
        head = glob[:-1]
        return lambda name: name.startswith(head)
    expression = _translate(glob)
    return _never if expression is None else re.compile(expression, re.DOTALL).fullmatch


def _plain(text: str) -> bool:
    return not any(char in text for char in "*?[\\")


def _never(_name: str) -> bool:
    return False


def _match_components(pattern: list[Component | None], parts: list[str]) -> bool:
    """Glob over components: None stands for ``**``.  Greedy with one backtrack point, as for ``*`` in a string."""
    at = want = 0
    star, resume = -1, 0
    last = len(pattern) - 1
    while at < len(parts):
        if want <= last:
            item = pattern[want]
            if item is None:
                if want == last:
                    return True  # "dir/**" is everything below, at least one component
                star, resume = want, at
                want += 1
                continue
            if item(parts[at]):
                at += 1
                want += 1
                continue
        if star < 0:
            return False
        resume += 1
        at, want = resume, star + 1
    return want > last


def _strip_trailing_spaces(line: str) -> str:
    end = len(line)
    while end and line[end - 1] == " ":
        slashes = 0
        while end - 2 - slashes >= 0 and line[end - 2 - slashes] == "\\":
            slashes += 1
        if slashes % 2:
            break
        end -= 1
    return line[:end]


def _translate(glob: str) -> str | None:
    """A regular expression that cannot backtrack into a star, or None for a glob that matches nothing."""
    chunks: list[str] = [""]  # text between stars
    at = 0
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "*":
            if len(chunks) == 1 or chunks[-1]:
                chunks.append("")
        elif char == "?":
            chunks[-1] += "."
        elif char == "\\":
            if at == len(glob):
                return None
            chunks[-1] += re.escape(glob[at])
            at += 1
        elif char == "[":
            end, expression = _bracket(glob, at)
            if expression is None:
                return None
            chunks[-1] += expression
            at = end
        else:
            chunks[-1] += re.escape(char)
    if len(chunks) == 1:
        return chunks[0]
    middle = "".join(f"(?>.*?{chunk})" for chunk in chunks[1:-1])
    return f"{chunks[0]}{middle}.*{chunks[-1]}" if chunks[-1] else f"{chunks[0]}{middle}.*"


def _bracket(glob: str, at: int) -> tuple[int, str | None]:
    """Translate a bracket expression that starts after ``[``; returns the index after ``]`` and the expression."""
    negated = at < len(glob) and glob[at] in "!^"
    at += negated
    items: list[str] = []
    first = True
    while at < len(glob):
        char = glob[at]
        if char == "]" and not first:
            if not items:
                return at + 1, "." if negated else "(?!)"
            return at + 1, f"[{'^' if negated else ''}{''.join(items)}]"
        first = False
        if char == "[" and glob[at + 1 : at + 2] == ":" and (end := glob.find(":]", at + 2)) > 0:
            named = _POSIX_CLASSES.get(glob[at + 2 : end])
            if named is None:
                return at, None
            items.append(named)
            at = end + 2
            continue
        low, at = _bracket_char(glob, at)
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("", "]"):
            high, at = _bracket_char(glob, at + 1)
            if low <= high:
                items.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            items.append(re.escape(low))
    return at, None


def _bracket_char(glob: str, at: int) -> tuple[str, int]:
    if glob[at] == "\\" and at + 1 < len(glob):
        return glob[at + 1], at + 2
    return glob[at], at + 1
