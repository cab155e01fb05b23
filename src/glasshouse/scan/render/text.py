"""The format for people at a terminal: compiler style, the data's path below each finding, the summary last."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.scan.render.fix_lines import fix_lines
from glasshouse.scan.render.interface import Context, FormatName, Report, cwe_names, rank_words, ranked
from glasshouse.scan.render.source import Line, SourceLines
from glasshouse.scan.render.style import Style
from glasshouse.scan.render.summary import summary_lines
from glasshouse.words.display import expand, visible
from glasshouse.words.finding import Finding, Fix, Step
from glasshouse.words.location import Location

CONTEXT_BEFORE = 1
SHOWN_STEPS = 12  # longer paths lose their middle
MAX_SHOWN_WIDTH = 160  # columns of one source line


class TextRenderer:
    """Findings that ask for attention in full; suppressed and known ones only as counts."""

    name: FormatName = "text"
    needs_rules = False

    def render(self, report: Report, context: Context) -> Iterator[str]:
        style = Style(context.color)
        shown = ranked(report.open)
        source = SourceLines(report.findings, context.roots)
        for finding in shown:
            yield "\n".join(_finding_lines(finding, source, style)) + "\n\n"
        if report.below:
            yield "\n".join(_below(report, style)) + "\n\n"
        yield "\n".join(summary_lines(report, style)) + "\n"


def _finding_lines(finding: Finding, source: SourceLines, style: Style) -> Iterator[str]:
    head = style.severity(f"{finding.severity}[{visible(finding.rule_id)}]", finding.severity)
    yield f"{head}: {style.bold(visible(finding.message))}"
    lines = source.around(finding.location, CONTEXT_BEFORE, 0, finding.snippet)
    gutter = len(str(lines[-1].number)) if lines else 1
    inside = f" (in {visible(finding.function)})" if finding.function else ""
    yield f"{' ' * gutter}{style.frame('-->')} {place(finding.location)}{inside}"
    yield from _excerpt(lines, finding, gutter, style)
    yield from _path(finding.path, gutter, style)
    yield from _notes(finding, gutter, style)
    if finding.fix is not None:
        yield from _fix(finding.fix, source, gutter, style, about_version=finding.flaw is not None)


def _below(report: Report, style: Style) -> Iterator[str]:
    """One line for each finding below a threshold."""
    yield style.bold("Below the threshold:")
    for finding in ranked(report.below):
        value = "" if finding.probability is None else f"{finding.probability:.2f} "
        head = style.severity(f"{finding.severity}[{visible(finding.rule_id)}]", finding.severity)
        yield f"  {value}{place(finding.location)}: {head}: {_bounded(visible(finding.message))}"


def place(location: Location) -> str:
    """``path:line:column`` as editors know it."""
    return f"{visible(location.path)}:{location.line}:{location.column}"


def _excerpt(lines: list[Line], finding: Finding, gutter: int, style: Style) -> Iterator[str]:
    if not lines:
        return
    bar = style.frame("|")
    yield f"{' ' * gutter} {bar}"
    for line in lines:
        shown, _ = expand(line.text.rstrip())
        yield f"{style.frame(str(line.number).rjust(gutter))} {bar} {_bounded(shown)}".rstrip()
        carets = underline(line, finding.location)
        if carets:
            yield f"{' ' * gutter} {bar} {style.severity(carets, finding.severity)}"
    yield f"{' ' * gutter} {bar}"


def underline(line: Line, location: Location) -> str:
    """Carets below the columns of ``location`` in this line; empty when there are none or they are not known."""
    if not line.exact or not location.line <= line.number <= max(location.line, location.end_line):
        return ""
    text = line.text.rstrip()
    _, columns = expand(text)
    indent = len(text) - len(text.lstrip())
    first = location.column - 1 if line.number == location.line else indent
    is_last = line.number >= (location.end_line or location.line)
    last = (
        location.end_column - 1 if is_last and location.end_column else (len(text) if location.end_line else first + 1)
    )
    first = max(0, min(first, len(text)))
    last = max(first, min(last, len(text)))
    start, end = columns[first], columns[last]
    end = min(max(end, start + 1), MAX_SHOWN_WIDTH)
    return " " * start + "^" * (end - start) if end > start else ""


def _path(steps: tuple[Step, ...], gutter: int, style: Style) -> Iterator[str]:
    if not steps:
        return
    yield f"{' ' * gutter} {style.frame('=')} path:"
    numbered = list(enumerate(steps, start=1))
    if len(numbered) > SHOWN_STEPS:
        keep = SHOWN_STEPS // 2
        left_out = len(numbered) - 2 * keep
        parts = [*numbered[:keep], (0, None), *numbered[-keep:]]
    else:
        parts, left_out = list(numbered), 0
    digits = len(str(len(steps)))
    pad = " " * (gutter + 5 + digits)
    for number, step in parts:
        if step is None:
            yield f"{pad} ... {left_out} more steps"
            continue
        yield f"{' ' * (gutter + 3)} {str(number).rjust(digits)}. {place(step.location)}: {visible(step.message)}"
        if step.snippet:
            yield f"{pad} {style.frame('|')} {style.dim(_bounded(visible(step.snippet.strip())))}"


def _notes(finding: Finding, gutter: int, style: Style) -> Iterator[str]:
    mark = f"{' ' * gutter} {style.frame('=')}"
    mode = [] if finding.flaw is not None or finding.rule_id.startswith("system-") else [f"{finding.mode} mode"]
    about = [*mode, f"confidence {finding.confidence}", *cwe_names(finding)]
    yield f"{mark} {', '.join(about)}"
    if rank := rank_words(finding):
        yield f"{mark} {rank}" + "".join(f"{':' if not n else ';'} {why}" for n, why in enumerate(finding.because))
    for reason in finding.reasons:
        yield f"{mark} why: {visible(reason)}"
    if finding.flaw is not None and finding.flaw.fixed and finding.fix is None:
        old = f"{finding.flaw.name} {finding.flaw.version}"
        yield f"{mark} suggested fix: {visible(old)} -> {visible(' or '.join(finding.flaw.fixed))}, or later"
    yield f"{mark} help: glasshouse explain {visible(finding.rule_id)}"


def _fix(fix: Fix, source: SourceLines, gutter: int, style: Style, *, about_version: bool) -> Iterator[str]:
    mark = f"{' ' * gutter} {style.frame('=')}"
    yield f"{mark} suggested fix: {visible(fix.description)}"
    pad = " " * (gutter + 5)
    lines = fix_lines(fix, source)
    if about_version and not lines.removed:
        return  # a version alone says nothing that the description does not say
    yield from (style.paint(f"{pad}- {text}", "removed") for text in lines.removed)
    yield from (style.paint(f"{pad}+ {text}", "added") for text in lines.added)


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_WIDTH else text[: MAX_SHOWN_WIDTH - 3] + "..."


RENDERER = TextRenderer()
