"""A made-up scan with one of everything, and hostile text in every field, for the report formats."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshouse.scan.render.interface import Context
from glasshouse.scan.rules.schema import FixText, Match, Rule, RuleTests
from glasshouse.words.finding import Finding, Fix, NotAnalysed, Result, ScanSummary, Step, UnusedIgnore
from glasshouse.words.location import Location

VIEWS = '''\
"""Views."""
from flask import request, render_template_string
from app.shell import run


def ping():
\thost = request.args["host"]
\tcount = 3
\t# build the command
\tcommand = f"ping -c {count} {host}"
\treturn run(command)


def show(name):
    title = "報告 " + name;  return render_template_string("<h1>" + title + "</h1>")
'''
SHELL = """\
import os


def run(text):
    line = "nice " + text
    os.system(line)
"""
HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e\u0000\r]({0})"


def rule(rule_id: str, title: str, cwe: tuple[int, ...]) -> Rule:
    """A rule with all that formats show."""
    return Rule(
        id=rule_id,
        title=title,
        languages=("python",),
        cwe=cwe,
        owasp="A03:2021 Injection",
        severity="high",
        confidence="high",
        message="m",
        why="Who controls part of a command runs commands.\n\nThe shell gives `;` a meaning.",
        fix=FixText("Pass a list.", 'os.system("ping " + host)', 'subprocess.run(["ping", host], check=True)'),
        tests=RuleTests(("x",), ("y",)),
        matches=(Match(call=("os.system",)),),
        references=("https://cwe.mitre.org/data/definitions/78.html",),
    )


RULES = {
    "py-command-injection": rule("py-command-injection", "Command built from untrusted data", (78,)),
    "py-xss": rule("py-xss", "Page built from untrusted data", (79, 116)),
}


def command_injection() -> Finding:
    """A path through two files."""
    places = (
        (Location("app/views.py", 7, 9, 7, 29), "HTTP request data enters", 'host = request.args["host"]'),
        (Location("app/views.py", 10, 12, 10, 38), "becomes part of the text", 'command = f"ping -c {count} {host}"'),
        (Location("app/views.py", 11, 9, 11, 21), "is passed to `run` as `text`", "return run(command)"),
        (Location("app/shell.py", 5, 12, 5, 26), "becomes part of the text", 'line = "nice " + text'),
        (Location("app/shell.py", 6, 5, 6, 20), "os.system runs it as a shell command", "os.system(line)"),
    )
    return Finding(
        rule_id="py-command-injection",
        message="HTTP request data reaches os.system, which runs it as a shell command",
        location=places[-1][0],
        severity="critical",
        confidence="high",
        cwe=(78,),
        language="python",
        function="app.shell.run",
        snippet="os.system(line)",
        reasons=("the source is a request parameter",),
        path=tuple(Step(*place) for place in places),
        probability=0.83,
        because=("+ the data comes from outside", "- conditions before it test the data"),
        fingerprint="0" * 32,
    )


def template() -> Finding:
    """Library mode, wide characters, a fix."""
    line = 'title = "報告 " + name;  return render_template_string("<h1>" + title + "</h1>")'
    return Finding(
        rule_id="py-xss",
        message="parameter `name` reaches render_template_string",
        location=Location("app/views.py", 15, 36, 15, 83),
        severity="high",
        confidence="medium",
        cwe=(79, 116),
        mode="library",
        language="python",
        function="app.views.show",
        snippet=line,
        path=(
            Step(Location("app/views.py", 14, 10, 14, 14), "parameter `name`", "def show(name):"),
            Step(Location("app/views.py", 15, 36, 15, 83), "becomes the source of a template", line),
        ),
        fix=Fix("Escape it first", Location("app/views.py", 15, 21, 15, 25), "escape(name)"),
        probability=0.34,
        fingerprint="1" * 32,
    )


def hostile() -> Finding:
    """Text that tries to act in every field, and a rule that is not known."""
    place = Location(f"odd {HOSTILE}/a b#c.py", 3, 1, 3, 20)
    return Finding(
        rule_id="py-unknown",
        message=f"value {HOSTILE}",
        location=place,
        severity="medium",
        confidence="low",
        cwe=(798,),
        function=HOSTILE,
        snippet=f"TOKEN = '{HOSTILE}'",
        reasons=(HOSTILE,),
        path=(Step(place, HOSTILE, HOSTILE),),
        fix=Fix(HOSTILE, place, HOSTILE),
        fingerprint="2" * 32,
    )


def suppressed() -> Finding:
    """Accepted in the code."""
    return Finding(
        rule_id="py-xss",
        message="same again",
        location=Location("app/views.py", 2, 1, 2, 6),
        severity="low",
        confidence="low",
        cwe=(79,),
        snippet="from flask import request, render_template_string",
        suppressed=f"reviewed {HOSTILE}",
        fingerprint="3" * 32,
    )


@pytest.fixture
def results() -> list[Result]:
    """What a scan yielded."""
    return [
        command_injection(),
        template(),
        hostile(),
        suppressed(),
        NotAnalysed("app/huge.js", "too-large", "3,000,000 bytes, the limit is 2,000,000", incomplete=True),
        NotAnalysed(f"app/{HOSTILE}.py", "syntax-error", HOSTILE, incomplete=True, line=12),
        NotAnalysed("static/app.min.js", "minified", "minified", incomplete=False),
        UnusedIgnore(Location("app/old.py", 4, 1), ("py-xss",)),
        ScanSummary(31, 4200, 210, {"python": 28, "javascript": 3}, 3, 1, {"minified": 1, "too-large": 1}, "both"),
    ]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """With rules and the scanned tree at hand."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "views.py").write_text(VIEWS, encoding="utf-8")
    (tmp_path / "app" / "shell.py").write_text(SHELL, encoding="utf-8")
    return Context(version="0.0.0", rules=RULES, roots=(tmp_path,))
