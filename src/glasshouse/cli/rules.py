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
@click.option("--test", "test", is_flag=True, help="Instead: try the rules of --rule-path on their own examples.")
def command(languages: tuple[str, ...], form: str, rule_paths: tuple[str, ...], test: bool) -> None:
    """List the rules, or try your own on the examples that they carry.

    \b
    Examples:
      glasshouse rules --lang python
      glasshouse rules --rule-path security/rules --test

    Exit status of --test: 0 all examples are as their rules promise, 1 some are not, 2 a rule file is wrong.
    """
    if test:
        _try_out(rule_paths)
        return
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


def _try_out(rule_paths: tuple[str, ...]) -> None:
    from glasshouse.scan.trial import trial
    from glasshouse.words.display import visible

    if not rule_paths:
        raise click.UsageError("--test tries the rules of --rule-path FILE")
    tried = list(trial([Path(path) for path in rule_paths]))
    wrong = [each for each in tried if each.wrong]
    for each in wrong:
        click.echo(visible(f"{each.example.rule}: {each.example.side} example {each.example.index + 1} {each.wrong}"))
    click.echo(f"{counted(len(tried), 'example')}, {len(wrong):,} wrong", err=True)
    if wrong:
        raise click.exceptions.Exit(1)
