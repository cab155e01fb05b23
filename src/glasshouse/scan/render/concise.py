"""One line per finding, for editors and grep: ``path:line:col: severity rule-id message [mode]``."""

from __future__ import annotations

from collections.abc import Iterator

from glasshouse.scan.render.interface import Context, FormatName, Report
from glasshouse.scan.render.style import Style
from glasshouse.words.display import visible


class ConciseRenderer:
    """Findings that ask for attention, then files that could not be analysed; no summary."""

    name: FormatName = "concise"
    needs_rules = False

    def render(self, report: Report, context: Context) -> Iterator[str]:
        style = Style(context.color)
        for finding in report.open:
            place = f"{visible(finding.location.path)}:{finding.location.line}:{finding.location.column}"
            severity = style.severity(finding.severity, finding.severity)
            yield f"{place}: {severity} {visible(finding.rule_id)} {visible(finding.message)} [{finding.mode}]\n"
        for finding in report.below:
            place = f"{visible(finding.location.path)}:{finding.location.line}:{finding.location.column}"
            about = f"{visible(finding.rule_id)} {visible(finding.message)} [{finding.mode}, below the threshold]"
            yield f"{place}: {finding.severity} {about}\n"
        for item in report.incomplete:
            yield f"{visible(item.path)}:{item.line or 1}:1: incomplete {item.code} {visible(item.reason)}\n"


RENDERER = ConciseRenderer()
