"""A secret that one finding hides must not be shown by another finding on the same line."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from glasshouse.words.finding import Finding, Step

# Weaknesses that are about secrets in code; the engine redacts the snippets of such findings.
SECRET_CWES = frozenset({256, 259, 260, 312, 321, 522, 540, 547, 798})


def about_secret(finding: Finding) -> bool:
    """Whether the finding is about a secret that stands in the code."""
    return not SECRET_CWES.isdisjoint(finding.cwe)


def redacted(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, all showing a line with a secret as the finding about that secret shows it."""
    found = list(findings)
    lines: dict[tuple[str, int], str] = {}
    for finding in found:
        if about_secret(finding) and finding.snippet:
            place = (finding.location.path, finding.location.line)
            # The shortest form hides most when several secrets stand in one line.
            lines[place] = min(lines.get(place, finding.snippet), finding.snippet, key=lambda text: (len(text), text))
    return [_with_lines(finding, lines) for finding in found] if lines else found


def _with_lines(finding: Finding, lines: dict[tuple[str, int], str]) -> Finding:
    place = (finding.location.path, finding.location.line)
    path = tuple(_step_with_lines(step, lines) for step in finding.path)
    snippet = lines.get(place, finding.snippet)
    if snippet == finding.snippet and path == finding.path:
        return finding
    return msgspec.structs.replace(finding, snippet=snippet, path=path)


def _step_with_lines(step: Step, lines: dict[tuple[str, int], str]) -> Step:
    snippet = lines.get((step.location.path, step.location.line))
    return step if snippet is None or snippet == step.snippet else msgspec.structs.replace(step, snippet=snippet)
