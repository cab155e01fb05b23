"""The report formats by name."""

from __future__ import annotations

from collections.abc import Iterable

from glasshouse.respond.report import Report


def pieces(form: str, report: Report, *, color: bool = False) -> Iterable[str]:
    """The report in a format, piece by piece; a format's module loads when it is asked for."""
    match form:
        case "json":
            from glasshouse.respond.render import json_format

            return json_format.render(report)
        case "ocsf":
            from glasshouse.respond.render import ocsf

            return ocsf.render(report)
        case "stix":
            from glasshouse.respond.render import stix

            return stix.render(report)
        case "csv":
            from glasshouse.respond.render import csv_format

            return csv_format.render(report)
        case "html":
            from glasshouse.respond.render import html_format

            return html_format.render(report)
        case _:
            from glasshouse.respond.render import text

            return text.render(report, color=color)
