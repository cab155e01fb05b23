"""The report as one self-contained HTML page: no script, no request to anywhere, a strict content policy.

Everything that comes from logs or rules is escaped, so a hostile command line stays text.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path

from glasshouse.respond import stake
from glasshouse.respond.render.drawings import graph, ordered, timeline
from glasshouse.respond.report import Report, moment, span
from glasshouse.respond.threat import told
from glasshouse.words.display import counted, visible
from glasshouse.words.incident import LEVELS, Detection, Incident

MAX_INCIDENTS = 300
MAX_ROWS = 200
MAX_LINKS = 60
MAX_TEXT = 300
_CSS = Path(__file__).parent / "assets" / "incidents.css"


def render(report: Report) -> Iterator[str]:
    """The page, piece by piece."""
    style = _CSS.read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Incidents</title>'
        f"<style>{style}</style></head><body>\n"
    )
    yield from _head(report)
    for incident in report.incidents[:MAX_INCIDENTS]:
        yield from _incident(incident)
    if len(report.incidents) > MAX_INCIDENTS:
        more = counted(len(report.incidents) - MAX_INCIDENTS, "more incident")
        yield f"<p>and {more}; the JSON report has all.</p>\n"
    yield from _not_analysed(report)
    yield "</body></html>\n"


def _head(report: Report) -> Iterator[str]:
    run = report.run
    counts = Counter(each.severity for each in report.incidents)
    parts = ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS) if counts[level]) or "none"
    partial = " This report is partial: the run was interrupted." if run.partial else ""
    yield (
        f"<h1>{counted(len(report.incidents), 'incident')}</h1><p>{parts}.{partial}</p>"
        f'<p class="dim">{counted(run.events, "event")}, {counted(run.rules, "rule")}, '
        f"{counted(len(run.detections), 'detection')}; "
        f"made {escape(report.made)} by Glasshouse {escape(report.version)}</p>\n"
    )


def _incident(incident: Incident) -> Iterator[str]:
    level = incident.severity
    yield (
        f'<article class="{level}" id="{incident.id}"><span class="badge t-{level}">{level}</span> '
        f'<span class="dim">{incident.id}</span><h2>{_text(incident.title)}</h2>'
        f"<p>{span(incident.first, incident.last)} on "
        f"{_text(', '.join(incident.hosts) or 'no named host')}; score {incident.score:.1f}</p>"
    )
    if incident.techniques:
        items = (
            f'<a href="https://attack.mitre.org/techniques/{escape(each.id.replace(".", "/"))}/">{escape(each.id)}</a> '
            f"{_text(each.name)} ({each.score:.0%})"
            for each in incident.techniques
        )
        yield f"<p>Techniques: {', '.join(items)}</p>"
        told_by = [
            f"<li>{escape(each.id)}: {_text(' '.join(each.signs))}</li>" for each in incident.techniques if each.signs
        ]
        if told_by:
            yield f"<ul>{''.join(told_by)}</ul>"
    known = [f"{each.cve}: {_text(told(each))}" for each in incident.threats]
    known += [_text(stake.told(each)) for each in incident.stakes]
    if known:
        yield f"<ul>{''.join(f'<li>{line}</li>' for line in known)}</ul>"
    for title, drawing in (("Timeline", timeline(incident)), ("Who and what", graph(incident))):
        if drawing:
            yield f"<h3>{title}</h3>{drawing}"
    yield from _table(incident)
    yield from _links(incident)
    yield from _rules(incident)
    yield "</article>\n"


def _table(incident: Incident) -> Iterator[str]:
    yield "<h3>Detections</h3><table><tr><th>time (UTC)<th>level<th>rule<th>evidence</tr>"
    for each in list(ordered(incident))[:MAX_ROWS]:
        yield (
            f'<tr><td>{moment(each.time)}<td class="t-{each.rule.level}">{each.rule.level}'
            f"<td>{_text(each.rule.title)}<td>{_evidence(each)}</tr>"
        )
    yield "</table>"
    if len(incident.detections) > MAX_ROWS:
        yield f'<p class="dim">and {len(incident.detections) - MAX_ROWS:,} more</p>'


def _evidence(each: Detection) -> str:
    shown = (f"{_text(name)}=<code>{_text(value)}</code>" for name, value in each.evidence[:6])
    return f'{"<br>".join(shown)}<br><span class="dim">{_text(each.source)}, record {each.record}</span>'


def _links(incident: Incident) -> Iterator[str]:
    if not incident.links:
        return
    yield "<details><summary>Why these belong together</summary><ul>"
    for link in incident.links[:MAX_LINKS]:
        first, second = incident.detections[link.first].rule.title, incident.detections[link.second].rule.title
        yield f"<li>{_text(first)} and {_text(second)}: {_text(link.reason)} (weight {link.weight:.1f})"
    yield "</ul></details>"


def _rules(incident: Incident) -> Iterator[str]:
    """Author, id and link of every rule: their licence asks for it."""
    yield "<details open><summary>Rules and their authors</summary><ul>"
    for rule in dict.fromkeys(each.rule for each in incident.detections):
        title = _text(rule.title)
        if rule.link.startswith("https://"):
            title = f'<a href="{escape(rule.link)}" rel="noreferrer">{title}</a>'
        licence = f", {_text(rule.licence)}" if rule.licence else ""
        author = _text(rule.author) or "unknown author"
        yield f'<li>{title} by {author} <span class="dim">{_text(rule.id)}{licence}</span>'
    yield "</ul></details>"


def _not_analysed(report: Report) -> Iterator[str]:
    run = report.run
    lines = [f"{each.source}: {each.reason}" for each in run.not_read]
    if run.unknown:
        lines.append(f"{counted(run.unknown, 'event')} of an unknown kind: no rule can be routed there")
    lines += [f"rule {each.title or each.rule}: {each.reason}" for each in run.problems[:MAX_ROWS]]
    if lines:
        yield "<h2>Not analysed, because</h2><ul>"
        yield from (f"<li>{_text(line)}" for line in lines[:MAX_ROWS])
        yield "</ul>"


def _text(text: str) -> str:
    return escape(visible(text)[:MAX_TEXT])
