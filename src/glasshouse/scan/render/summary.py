"""The closing words of the text format: what was found, what was left out, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.scan.render.interface import Report, by_mode, by_severity
from glasshouse.scan.render.style import Style
from glasshouse.words.display import counted, visible
from glasshouse.words.finding import SEVERITIES, NotAnalysed

EXAMPLES_PER_REASON = 3
SHOWN_UNUSED_IGNORES = 10


def about_subjects(report: Report) -> bool:
    """Whether dependencies or systems were looked at instead of source code."""
    return report.summary.mode not in ("application", "library", "both")


def summary_lines(report: Report, style: Style) -> Iterator[str]:
    """The summary, line by line."""
    yield _headline(report, style)
    yield from _compared(report)
    yield from _left_out(report)
    yield scanned(report)
    yield from _unused(report)
    yield from _not_analysed(report, style)
    for note in report.summary.notes:
        yield f"note: {visible(note)}"


def _headline(report: Report, style: Style) -> str:
    found = report.open
    if not found:
        clean = "No new findings" if report.compared_with else "No findings"
        return style.paint(f"{clean}.", "good") if not report.incomplete else f"{clean} in what was analysed."
    counts = by_severity(found)
    parts = [style.severity(f"{counts[name]:,} {name}", name) for name in reversed(SEVERITIES) if counts[name]]
    total = f"{style.bold(counted(len(found), 'finding'))}: {', '.join(parts)}"
    if about_subjects(report):
        return total
    modes = ", ".join(f"{count:,} in {name} mode" for name, count in by_mode(found).items() if count)
    return f"{total} ({modes})"


def _compared(report: Report) -> Iterator[str]:
    if report.compared_with:
        yield (
            f"Compared with {visible(report.compared_with)}: {len(report.open):,} new, "
            f"{len(report.unchanged):,} unchanged, {len(report.fixed):,} fixed"
        )


def _left_out(report: Report) -> Iterator[str]:
    parts = [counted(count, "finding") + f" {reason}" for reason, count in sorted(report.hidden.items()) if count]
    if report.suppressed:
        parts.insert(0, counted(len(report.suppressed), "finding") + " suppressed in the code")
    if parts:
        yield f"Not shown: {'; '.join(parts)}"


def scanned(report: Report) -> str:
    """What the scan looked at, in a line."""
    summary = report.summary
    parts = []
    if summary.looked_at:
        parts.append(f"Looked at {counted(summary.looked_at, 'file')} of a system")
    if summary.components or "dependencies" in summary.mode:
        inside = ", ".join(f"{name} {count:,}" for name, count in summary.components.items())
        total = counted(sum(summary.components.values()), "component")
        which = f" ({visible(inside)})" if inside else ""
        parts.append(f"Read {total}{which} in {counted(summary.files, 'inventory', 'inventories')}")
    if parts:
        return "; ".join(parts)
    languages = ", ".join(f"{name} {count:,}" for name, count in sorted(summary.languages.items()))
    inside = f" ({languages})" if languages else ""
    return (
        f"Scanned {counted(summary.files, 'file')}{inside}, {counted(summary.lines, 'line')}, "
        f"{counted(summary.functions, 'function')}"
    )


def _unused(report: Report) -> Iterator[str]:
    unused = report.unused_ignores
    if not unused:
        return
    yield f"{counted(len(unused), 'ignore comment')} suppressed nothing:"
    for item in unused[:SHOWN_UNUSED_IGNORES]:
        rules = ", ".join(visible(rule) for rule in item.rules)
        yield f"  {visible(item.location.path)}:{item.location.line} ignore[{rules}]"
    if len(unused) > SHOWN_UNUSED_IGNORES:
        yield f"  and {len(unused) - SHOWN_UNUSED_IGNORES:,} more"


def _not_analysed(report: Report, style: Style) -> Iterator[str]:
    skipped = [item for item in report.not_analysed if not item.incomplete]
    counts = dict(report.summary.not_analysed)
    if skipped or counts:
        yield from _grouped("Skipped", skipped)
    if report.incomplete:
        yield style.bold("Incomplete: these should have been analysed, but were not in full")
        yield from _grouped("", report.incomplete)


def _grouped(title: str, items: list[NotAnalysed]) -> Iterator[str]:
    groups: dict[str, list[NotAnalysed]] = {}
    for item in items:
        groups.setdefault(item.code, []).append(item)
    if title and groups:
        yield f"{title} {counted(len(items), 'file')}:"
    for code in sorted(groups, key=lambda name: (-len(groups[name]), name)):
        members = groups[code]
        yield f"  {len(members):,} {code}: {visible(members[0].reason)}"
        for item in members[:EXAMPLES_PER_REASON]:
            line = f":{item.line}" if item.line else ""
            yield f"      {visible(item.path)}{line}"
        if len(members) > EXAMPLES_PER_REASON:
            yield f"      and {len(members) - EXAMPLES_PER_REASON:,} more"
