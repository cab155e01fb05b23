"""``glasshouse explain RULE``: what a rule reports, why it matters, how to fix it; works offline."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from glasshouse.cli.terminal import Color
    from glasshouse.scan.render.style import Style
    from glasshouse.scan.rules.schema import Rule


@click.command("explain", context_settings={"max_content_width": 110})
@click.argument("rule", metavar="RULE")
@click.option("--rule-path", "rule_paths", multiple=True, metavar="FILE", help="Also load rules from FILE.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour.")
def command(rule: str, rule_paths: tuple[str, ...], color: Color) -> None:
    """Say why a rule matters and how to fix what it reports.

    Example: glasshouse explain py-command-injection
    """
    from glasshouse.cli.terminal import use_color
    from glasshouse.scan.render.style import Style
    from glasshouse.scan.rules.loader import EVERYTHING, load_rules

    known = load_rules(EVERYTHING, extra=[Path(path) for path in rule_paths]).rules
    found = known.get(rule)
    if found is None:
        raise unknown_rule(rule, known)
    style = Style(use_color(color, os.environ, is_terminal=sys.stdout.isatty()))
    click.echo("\n".join(explanation(found, style)), color=True)


def unknown_rule(name: str, known: Mapping[str, Rule]) -> Exception:
    """The error for a rule id that does not exist, with the closest ones."""
    from glasshouse.words.errors import UsageError

    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    close += [rule for rule in sorted(known) if name and name in rule and rule not in close][: 3 - len(close)]
    hint = f"Did you mean {' or '.join(f'`{item}`' for item in close)}?" if close else "See `glasshouse rules`."
    return UsageError(f"no rule `{name}`", hint=hint)


def explanation(rule: Rule, style: Style) -> Iterator[str]:
    """The page about one rule, line by line."""
    yield f"{style.severity(rule.id, rule.severity)}: {style.bold(rule.title)}"
    yield ""
    facts = (
        ("Severity", rule.severity),
        ("Confidence", rule.confidence),
        ("Weakness", ", ".join(f"CWE-{number}" for number in rule.cwe)),
        ("OWASP", rule.owasp),
        ("Languages", ", ".join(rule.languages)),
    )
    for name, value in facts:
        yield f"  {name:<11} {value}"
    yield from _section("Why it matters", rule.why, style)
    yield from _section("How to fix it", rule.fix.text, style)
    yield from _code("Before", rule.fix.before, style)
    yield from _code("After", rule.fix.after, style)
    if rule.references:
        yield ""
        yield style.bold("Read on")
        yield from (f"  {reference}" for reference in rule.references)


def _section(title: str, text: str, style: Style) -> Iterator[str]:
    import textwrap

    yield ""
    yield style.bold(title)
    for block in text.strip().split("\n\n"):
        yield textwrap.fill(" ".join(block.split()), 100, initial_indent="  ", subsequent_indent="  ")


def _code(title: str, code: str, style: Style) -> Iterator[str]:
    yield ""
    yield style.bold(title)
    yield from (f"    {line}".rstrip() for line in code.rstrip().splitlines())
