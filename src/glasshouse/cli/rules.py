"""``glasshouse rules``: the list of rules, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import click

from glasshouse.words.display import counted

LANGUAGES = ("python", "javascript", "java", "c", "go", "php", "cobol", "dependencies", "system")


@click.command("rules", context_settings={"max_content_width": 110})
@click.option("--lang", "languages", type=click.Choice(LANGUAGES), multiple=True, help="Only rules for this language.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@click.option("--rule-path", "rule_paths", multiple=True, metavar="FILE", help="Also list rules from FILE.")
def command(languages: tuple[str, ...], form: str, rule_paths: tuple[str, ...]) -> None:
    """List the rules.

    Example: glasshouse rules --lang python
    """
    from glasshouse.scan.rules.loader import load_rules

    loaded = load_rules(languages or LANGUAGES, extra=[Path(path) for path in rule_paths]).rules
    chosen = [loaded[name] for name in sorted(loaded) if not languages or set(loaded[name].languages) & set(languages)]
    if form == "json":
        import msgspec

        rows = [
            {
                "id": rule.id,
                "title": rule.title,
                "languages": rule.languages,
                "severity": rule.severity,
                "confidence": rule.confidence,
                "cwe": rule.cwe,
                "owasp": rule.owasp,
            }
            for rule in chosen
        ]
        click.echo(msgspec.json.format(msgspec.json.encode({"schema": "glasshouse/rules/1", "rules": rows})).decode())
        return
    width = max((len(rule.id) for rule in chosen), default=0)
    for rule in chosen:
        weaknesses = ", ".join(f"CWE-{number}" for number in rule.cwe)
        click.echo(f"{rule.id:<{width}}  {rule.severity:<8}  {rule.title} ({weaknesses})")
    click.echo(f"{counted(len(chosen), 'rule')}; `glasshouse explain RULE` says more.", err=True)
