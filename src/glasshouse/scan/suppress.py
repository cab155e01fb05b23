"""Inline suppressions: ``glasshouse: ignore[rule-id, other-rule] reason`` in a comment.

A suppression holds for the line it stands on, or, when nothing but the comment stands there, for the next line (past
further such comments).  ``ignore[*]`` needs a reason.  What suppresses nothing, or is written wrongly, is reported.
Comments are told by their opening mark on the same line, so no parser is needed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

import msgspec

from glasshouse.words.finding import Finding, UnusedIgnore
from glasshouse.words.location import Location

MAX_IGNORES = 2_000
"""Suppressions read from one file; later ones have no effect."""
MAX_REASON_CHARS = 300
MAX_RULES = 50
MAX_LINE_BYTES = 4_096

_MARKER = re.compile(
    rb"(?P<open>#|//|/\*|<!--|<%--|--)[ \t*!]*glasshouse:[ \t]*ignore\b"
    rb"(?:[ \t]*\[(?P<rules>[^\]\r\n]{0,2000})\])?(?P<rest>[^\r\n]{0,1000})"
)
_CLOSING = re.compile(r"\*/|--%?>|(?=(?:#|//|/\*|<!--|<%--)[ \t*!]*glasshouse:)")
_RULE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,120}|\*")
_BEFORE_COMMENT = frozenset((b"", b"{", b"*"))  # "{" opens a JSX comment


class Ignore(msgspec.Struct, frozen=True):
    """One suppression.  ``line`` is where it is written, ``target`` the line it also holds for.

    ``problem`` is "" or says why it has no effect.
    """

    line: int
    column: int
    target: int
    rules: tuple[str, ...]
    reason: str = ""
    problem: str = ""


def find_ignores(source: bytes) -> list[Ignore]:
    """The suppressions of one file, in order.  Costs one substring search when there are none."""
    if b"glasshouse:" not in source:
        return []
    found: list[Ignore] = []
    alone: list[bool] = []
    line, counted, at = 1, 0, 0
    while len(found) < MAX_IGNORES and (match := _MARKER.search(source, at)):
        line += source.count(b"\n", counted, match.start())
        counted = match.start()
        start = source.rfind(b"\n", 0, match.start()) + 1
        ignore, consumed, more = _parse(match, line, match.start() - start)
        before = source[start : match.start()].strip() if match.start() - start < MAX_LINE_BYTES else b"x"
        found.append(ignore)
        alone.append(before in _BEFORE_COMMENT and not more)
        at = consumed
    return _aimed(found, alone)


def apply_ignores(
    findings: Sequence[Finding],
    ignores_by_path: Mapping[str, Sequence[Ignore]],
    active_rules: Container[str] | None = None,
) -> tuple[list[Finding], list[UnusedIgnore]]:
    """The findings, suppressed ones with their reason ("" when none is given), and suppressions without effect.

    ``active_rules`` are the rules that ran (None: all): a suppression of a rule that did not run is not unused.
    """
    index: dict[tuple[str, int], list[Ignore]] = {}
    for path, ignores in ignores_by_path.items():
        for ignore in ignores:
            if not ignore.problem:
                for line in {ignore.line, ignore.target}:
                    index.setdefault((path, line), []).append(ignore)
    used: set[tuple[str, int, int, str]] = set()
    results: list[Finding] = []
    for finding in findings:
        reason: str | None = None
        for ignore in index.get((finding.location.path, finding.location.line), ()):
            for rule in ignore.rules:
                if rule in ("*", finding.rule_id):
                    used.add((finding.location.path, ignore.line, ignore.column, rule))
                    reason = reason or ignore.reason
        results.append(finding if reason is None else msgspec.structs.replace(finding, suppressed=reason))
    return results, _unused(ignores_by_path, used, active_rules)


def _unused(
    ignores_by_path: Mapping[str, Sequence[Ignore]],
    used: set[tuple[str, int, int, str]],
    active_rules: Container[str] | None,
) -> list[UnusedIgnore]:
    unused: list[UnusedIgnore] = []
    for path in sorted(ignores_by_path):
        for ignore in ignores_by_path[path]:
            where = Location(path, ignore.line, ignore.column)
            if ignore.problem:
                unused.append(UnusedIgnore(where, ignore.rules, ignore.problem))
                continue
            idle = tuple(
                rule
                for rule in ignore.rules
                if (path, ignore.line, ignore.column, rule) not in used
                and (active_rules is None or rule == "*" or rule in active_rules)
            )
            if idle:
                unused.append(UnusedIgnore(where, idle))
    return unused


def _parse(match: re.Match[bytes], line: int, byte_column: int) -> tuple[Ignore, int, bool]:
    """The suppression, where to search on, and whether code follows the comment on its line."""
    rest = match.group("rest").decode("utf-8", "replace")
    closing = _CLOSING.search(rest)
    reason = (rest if closing is None else rest[: closing.start()]).strip(" \t:-")
    after = "" if closing is None else rest[closing.end() :].strip(" \t}")
    at = match.end() if closing is None else match.start("rest") + len(rest[: closing.start()].encode())
    rules_text = match.group("rules")
    names = [] if rules_text is None else [name.strip() for name in rules_text.decode("utf-8", "replace").split(",")]
    rules = tuple(dict.fromkeys(name for name in names if _RULE.fullmatch(name)))[:MAX_RULES]
    problem = _problem(names, rules, reason)
    column = len(match.string[match.start() - byte_column : match.start()].decode("utf-8", "replace")) + 1
    code_after = bool(after) and not after.startswith(("#", "//", "/*", "<!--", "<%--"))
    return Ignore(line, column, line, rules, reason[:MAX_REASON_CHARS], problem), at, code_after


def _problem(names: list[str], rules: tuple[str, ...], reason: str) -> str:
    if not names or names == [""]:
        return "it names no rule; write ignore[rule-id] reason"
    wrong = [name for name in names if not _RULE.fullmatch(name)]
    if wrong:
        return f"{wrong[0][:80]!r} is no rule id"
    if len(names) > MAX_RULES:
        return f"it names more than {MAX_RULES} rules"
    if "*" in rules and not reason:
        return "ignore[*] needs a reason"
    return ""


def _aimed(found: list[Ignore], alone: list[bool]) -> list[Ignore]:
    """Points every comment on a line of comments at the first line below that is no such line."""
    comment_lines = {ignore.line for ignore, starts_line in zip(found, alone, strict=True) if starts_line}
    target_of: dict[int, int] = {}
    for line in sorted(comment_lines, reverse=True):
        target_of[line] = target_of.get(line + 1, line + 1)
    return [msgspec.structs.replace(ignore, target=target_of.get(ignore.line, ignore.line)) for ignore in found]
