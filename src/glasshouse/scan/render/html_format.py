"""One self-contained HTML file: readable without JavaScript, searchable with it, printable, no request to anywhere.

All text is escaped, and a content security policy names the digests of the one style sheet and the one script, so
nothing that stands in hostile source can run.  Size is bounded: the first findings get code, the next ones a row.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from glasshouse.scan.render.excerpt import Excerpt, excerpts
from glasshouse.scan.render.fix_lines import fix_lines
from glasshouse.scan.render.interface import (
    Context,
    FormatName,
    Report,
    by_mode,
    by_severity,
    cwe_names,
    rank_words,
    ranked,
)
from glasshouse.scan.render.source import SourceLines
from glasshouse.scan.render.summary import about_subjects, scanned
from glasshouse.scan.rules.schema import Rule
from glasshouse.words.display import counted, visible
from glasshouse.words.finding import SEVERITIES, Finding, Fix, NotAnalysed, Step

MAX_DETAILED = 1_500
MAX_ROWS = 20_000
MAX_SHOWN_STEPS = 40
MAX_LISTED_FILES = 500
MAX_TEXT = 600
_BACKTICKS = re.compile(r"`([^`]{1,200})`")
_ASSETS = Path(__file__).parent / "assets"


class HtmlRenderer:
    """Findings by rank; each opens to its path, the code around it, why it matters and how to fix it."""

    name: FormatName = "html"
    needs_rules = True

    def render(self, report: Report, context: Context) -> Iterator[str]:
        style = (_ASSETS / "report.css").read_text(encoding="utf-8")
        script = (_ASSETS / "report.js").read_text(encoding="utf-8")
        source = SourceLines(report.findings, context.roots)
        yield _head(style, script)
        yield _header(report, context)
        yield _filters(report)
        yield '<main id="findings">\n'
        findings = ranked(report.open)
        if not findings:
            yield _nothing(report)
        for number, finding in enumerate(findings[:MAX_ROWS], start=1):
            detailed = number <= MAX_DETAILED
            yield _finding(number, finding, context.rules.get(finding.rule_id), source if detailed else None)
        if len(findings) > MAX_ROWS:
            rest = len(findings) - MAX_ROWS
            said = f"{counted(rest, 'lower ranked finding')} left out; see the JSON or SARIF report."
            yield f'<p class="more">{said}</p>\n'
        yield '<p id="none" hidden>No finding matches these filters.</p>\n</main>\n'
        yield _other_findings(report)
        yield _coverage(report)
        yield f"<footer><p>Glasshouse {_text(context.version)}</p></footer>\n"
        yield f"<script>{script}</script>\n</body>\n</html>\n"


def _text(raw: str, limit: int = MAX_TEXT) -> str:
    """Untrusted text as HTML: bounded, without acting characters, escaped."""
    short = raw if len(raw) <= limit else raw[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return escape(visible(short), quote=True)


def _prose(raw: str, limit: int = MAX_TEXT) -> str:
    """The same for sentences, where `backticks` mark code."""
    return _BACKTICKS.sub(r"<code>\1</code>", _text(raw, limit))


def _paragraphs(raw: str) -> str:
    blocks = [block.strip() for block in raw.strip().split("\n\n") if block.strip()]
    return "".join(f"<p>{_prose(' '.join(block.split()), 3_000)}</p>" for block in blocks)


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _head(style: str, script: str) -> str:
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        '<link rel="icon" href="data:,">\n<title>Glasshouse scan report</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n"
    )


def _header(report: Report, context: Context) -> str:
    summary = report.summary
    counts = by_severity(report.open)
    tiles = "".join(
        f'<li class="tile {name}"><span class="count">{count:,}</span><span class="label">{name}</span></li>'
        for name, count in counts.items()
    )
    modes = by_mode(report.open)
    languages = ", ".join(f"{_text(name)} {count:,}" for name, count in sorted(summary.languages.items()))
    facts = [
        ("Scanned", f"{counted(summary.files, 'file')}, {counted(summary.lines, 'line')}"),
        ("Languages", languages or "none"),
        ("Modes", f"{modes['application']:,} application, {modes['library']:,} library"),
        ("Suppressed", f"{len(report.suppressed):,}"),
    ]
    if about_subjects(report):
        facts = [("Scope", _text(scanned(report)))]
    if report.compared_with:
        compared = f"{len(report.open):,} new, {len(report.unchanged):,} unchanged, {len(report.fixed):,} fixed"
        facts.append((f"Since {_text(report.compared_with, 80)}", compared))
    if report.hidden:
        facts.append(
            ("Left out", ", ".join(f"{count:,} {_text(name)}" for name, count in sorted(report.hidden.items())))
        )
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    warning = ""
    if report.incomplete:
        warning = (
            f'<p class="warning" role="note"><strong>Incomplete:</strong> {counted(len(report.incomplete), "file")} '
            'could not be analysed in full. <a href="#coverage">See which</a>.</p>'
        )
    total = counted(len(report.open), "finding")
    return (
        f'<header class="top"><div class="brand"><span class="mark" aria-hidden="true"></span>Glasshouse</div>'
        f"<h1>Scan report <small>{total}</small></h1>"
        f'<ul class="tiles" aria-label="Findings by severity">{tiles}</ul>'
        f'<dl class="facts">{listed}</dl>{warning}</header>\n'
    )


def _filters(report: Report) -> str:
    found = report.open
    if not found:
        return ""
    counts = by_severity(found)
    boxes = "".join(
        f'<label class="chip {name}"><input type="checkbox" name="severity" value="{name}" checked>{name} '
        f"<span>{counts[name]:,}</span></label>"
        for name in reversed(SEVERITIES)
        if counts[name]
    )
    modes = "".join(
        f'<label class="chip"><input type="checkbox" name="mode" value="{name}" checked>{name} '
        f"<span>{count:,}</span></label>"
        for name, count in by_mode(found).items()
        if count
    )
    rules = "".join(
        f'<option value="{_text(name)}">{_text(name)}</option>' for name in sorted({f.rule_id for f in found})
    )
    return (
        '<form id="filters" class="filters" role="search" aria-label="Filter findings" hidden>'
        '<label class="search"><span>Search</span><input type="search" id="query" '
        'placeholder="message, rule, path, function, CWE" autocomplete="off"></label>'
        f"<fieldset><legend>Severity</legend>{boxes}</fieldset><fieldset><legend>Mode</legend>{modes}</fieldset>"
        '<label class="pick"><span>Rule</span><select id="rule"><option value="">all rules</option>'
        f"{rules}</select></label>"
        '<label class="pick"><span>Path</span>'
        '<input id="path" type="text" placeholder="part of a path" autocomplete="off">'
        "</label>"
        '<span class="buttons"><button type="button" id="open">Open all</button>'
        '<button type="button" id="close">Close all</button></span>'
        '<output id="shown" aria-live="polite"></output></form>\n'
    )


def _nothing(report: Report) -> str:
    what = "No new findings." if report.compared_with else "No findings."
    looked = "in everything that was analysed" if report.incomplete else "in all analysed files"
    return f'<p class="clean"><strong>{what}</strong> Nothing to report {looked}.</p>\n'


def _finding(number: int, finding: Finding, rule: Rule | None, source: SourceLines | None) -> str:
    location = finding.location
    cwes = "".join(f'<span class="tag">{name}</span>' for name in cwe_names(finding))
    where = f"{_text(location.path)}:{location.line}"
    attributes = (
        f'id="f{number}" class="finding {finding.severity}" data-severity="{finding.severity}" '
        f'data-mode="{finding.mode}" data-rule="{_text(finding.rule_id)}" data-path="{_text(location.path)}"'
    )
    rank = "" if finding.probability is None else f'<span class="tag">{rank_words(finding)}</span>'
    head = (
        f'<span class="badge {finding.severity}">{finding.severity}</span>'
        f'<span class="what"><span class="message">{_prose(finding.message)}</span>'
        f'<span class="where"><code>{where}</code>'
        f'<span class="tag rule">{_text(finding.rule_id)}</span>{cwes}'
        f'<span class="tag mode">{finding.mode}</span>{rank}'
        "</span></span>"
    )
    if source is None:
        return f'<div {attributes}><div class="row">{head}</div></div>\n'
    body = _body(number, finding, rule, source)
    return f'<details {attributes}><summary>{head}</summary><div class="body">{body}</div></details>\n'


def _body(number: int, finding: Finding, rule: Rule | None, source: SourceLines) -> str:
    steps = _shown_steps(finding)
    code = "".join(_excerpt(number, part) for part in excerpts(steps, source))
    path = _path(number, finding, steps) if finding.path else ""
    reasons = "".join(f"<li>{_prose(reason)}</li>" for reason in finding.reasons)
    confidence = f'<p class="confidence">Confidence <strong>{finding.confidence}</strong></p>'
    inside = f"<p>In <code>{_text(finding.function)}</code></p>" if finding.function else ""
    listed = f'<ul class="reasons">{reasons}</ul>' if reasons else ""
    if rank := rank_words(finding):
        because = "".join(f"<li>{_prose(why)}</li>" for why in finding.because)
        listed += f'<p>{rank.capitalize()}</p><ul class="reasons">{because}</ul>'
    fix = ""
    if finding.fix is not None:
        fix = _fix(finding.fix, source)
    about = _about(rule) if rule is not None else ""
    mark = (
        f'<p class="fingerprint">Fingerprint <code>{_text(finding.fingerprint)}</code></p>'
        if finding.fingerprint
        else ""
    )
    return (
        f'<div class="flow">{path}<div class="code">{code}</div></div>'
        f'<div class="notes"><section><h3>Assessment</h3>{confidence}{listed}{inside}{mark}</section>{about}{fix}</div>'
    )


def _fix(fix: Fix, source: SourceLines) -> str:
    lines = fix_lines(fix, source)
    removed = "".join(f"<del>- {escape(line)}</del>" for line in lines.removed)
    added = "".join(f"<ins>+ {escape(line)}</ins>" for line in lines.added)
    return (
        f'<section class="fix"><h3>Suggested fix</h3><p>{_prose(fix.description)}</p>'
        f'<pre class="plain diff" tabindex="0">{removed}{added}</pre></section>'
    )


def _shown_steps(finding: Finding) -> list[tuple[int, Step]]:
    """Numbered steps to show; a finding without a path has one step: its place."""
    if not finding.path:
        return [(1, Step(finding.location, finding.message, finding.snippet))]
    numbered = list(enumerate(finding.path, start=1))
    if len(numbered) <= MAX_SHOWN_STEPS:
        return numbered
    return [*numbered[: MAX_SHOWN_STEPS // 2], *numbered[-MAX_SHOWN_STEPS // 2 :]]


def _path(number: int, finding: Finding, steps: list[tuple[int, Step]]) -> str:
    items: list[str] = []
    previous, last = 0, len(finding.path)
    for position, step in steps:
        role = "source" if position == 1 else "sink" if position == last else "step"
        if items and position != previous + 1:
            items.append(f'<li class="gap">{counted(position - previous - 1, "more step")}</li>')
        previous = position
        items.append(
            f'<li value="{position}" class="{role}"><a href="#f{number}-{position}">{_prose(step.message)}</a>'
            f"<code>{_text(step.location.path)}:{step.location.line}</code></li>"
        )
    return f'<nav class="path" aria-label="Path of the data"><h3>Path of the data</h3><ol>{"".join(items)}</ol></nav>'


def _excerpt(number: int, part: Excerpt) -> str:
    rows: list[str] = []
    for line in part.lines:
        if line.gap:
            rows.append('<span class="gap" aria-hidden="true">\N{VERTICAL ELLIPSIS}</span>')
            continue
        marks = "".join(
            f'<span class="pin" id="f{number}-{step}" title="step {step}">{step}</span>' for step in line.steps
        )
        kind = f"line hit {line.role}" if line.steps else "line"
        before, marked, after = (escape(piece) for piece in line.pieces)
        code = f"{before}<mark>{marked}</mark>{after}" if marked else before + after
        rows.append(
            f'<span class="{kind}"><span class="steps">{marks}</span><span class="number">{line.number}</span>'
            f'<span class="text">{code or " "}</span></span>'
        )
    caption = f"<figcaption><code>{_text(part.path)}</code></figcaption>"
    return f'<figure>{caption}<pre tabindex="0">{"".join(rows)}</pre></figure>'


def _about(rule: Rule) -> str:
    return (
        f"<section><h3>{_text(rule.title)}</h3>{_paragraphs(rule.why)}</section>"
        f'<section class="fix"><h3>How to fix</h3>{_paragraphs(rule.fix.text)}'
        f'<div class="pair">{_sample("Before", "bad", rule.fix.before)}{_sample("After", "good", rule.fix.after)}</div>'
        "</section>"
    )


def _sample(title: str, kind: str, code: str) -> str:
    block = escape(_shown_block(code))
    return f'<figure><figcaption>{title}</figcaption><pre class="plain {kind}" tabindex="0">{block}</pre></figure>'


def _shown_block(code: str) -> str:
    return "\n".join(visible(line.replace("\t", "    ")) for line in code[:4_000].rstrip("\n").split("\n"))


def _other_findings(report: Report) -> str:
    """Suppressed findings and those that only the baseline has."""
    suppressed = [
        (
            item.severity,
            _code(item.rule_id),
            _code(f"{item.location.path}:{item.location.line}"),
            _text(item.suppressed or ""),
        )
        for item in report.suppressed[:MAX_LISTED_FILES]
    ]
    fixed = [(_code(item.rule), _code(item.path)) for item in report.fixed[:MAX_LISTED_FILES]]
    tables = _table(
        "Suppressed in the code", len(report.suppressed), ("Severity", "Rule", "Place", "Reason"), suppressed
    )
    below = [
        (item.severity, _code(item.rule_id), _code(f"{item.location.path}:{item.location.line}"), rank_words(item))
        for item in ranked(report.below)[:MAX_LISTED_FILES]
    ]
    tables += _table("Below the threshold", len(report.below), ("Severity", "Rule", "Place", "Rank"), below)
    tables += _table("Fixed since the baseline", len(report.fixed), ("Rule", "File"), fixed)
    return f'<section class="others">{tables}</section>\n' if tables else ""


def _code(raw: str) -> str:
    return f"<code>{_text(raw)}</code>"


def _table(
    title: str, count: int, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, opened: bool = False
) -> str:
    """A foldable table (cells are HTML already) that says how many of ``count`` it leaves out; nothing without rows."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<p>and {count - len(rows):,} more</p>" if count > len(rows) else ""
    return (
        f'<details class="list"{" open" if opened else ""}><summary>{title} ({count:,})</summary>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</details>"
    )


def _coverage(report: Report) -> str:
    if not report.not_analysed and not report.unused_ignores:
        return ""
    skipped = [item for item in report.not_analysed if not item.incomplete]
    unused = [
        (_code(f"{item.location.path}:{item.location.line}"), _code(", ".join(item.rules)))
        for item in report.unused_ignores[:MAX_LISTED_FILES]
    ]
    tables = _files("Not analysed in full", report.incomplete, opened=True) + _files("Skipped on purpose", skipped)
    tables += _table("Ignore comments that suppressed nothing", len(report.unused_ignores), ("Place", "Rules"), unused)
    return f'<section id="coverage" class="others"><h2>What was not looked at</h2>{tables}</section>\n'


def _files(title: str, items: Sequence[NotAnalysed], *, opened: bool = False) -> str:
    rows = [
        (_code(f"{item.path}:{item.line}" if item.line else item.path), _text(item.code), _text(item.reason))
        for item in items[:MAX_LISTED_FILES]
    ]
    return _table(title, len(items), ("File", "Code", "Reason"), rows, opened=opened)


RENDERER = HtmlRenderer()
