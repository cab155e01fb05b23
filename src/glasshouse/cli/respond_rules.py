"""``glasshouse respond rules``: list the Sigma rules in use, bring in others, take them out again."""

from __future__ import annotations

import os
import re
from datetime import UTC
from pathlib import Path

import click

from glasshouse.words.display import counted, visible
from glasshouse.words.places import home

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@click.group("rules", invoke_without_command=True, context_settings={"max_content_width": 110})
@click.pass_context
def rules_command(context: click.Context) -> None:
    """List the Sigma rules in use; import or remove others."""
    if context.invoked_subcommand is None:
        context.invoke(list_rules, form="text", problems=False)


@rules_command.command("list")
@click.option("--as", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@click.option("--problems", is_flag=True, help="Only the rules that could not be compiled, with the reason.")
def list_rules(form: str, problems: bool) -> None:
    """List rules with level, author and link."""
    import msgspec

    from glasshouse.cli.respond import load_rules

    rules = load_rules({"rules": ()})
    alarms = (each.ref for each in rules.rules if each.ref.kind != "sign")
    refs = [*alarms, *(each.ref for each in rules.correlations)]
    if form == "json":
        body = {"schema": "glasshouse/sigma-rules/1", "rules": refs, "problems": rules.problems}
        click.echo(msgspec.json.format(msgspec.json.encode(body)).decode())
        return
    if not problems:
        for ref in sorted(refs, key=lambda ref: (ref.title, ref.id)):
            link = f"  {visible(ref.link)}" if ref.link else ""
            click.echo(f"{ref.level:<13} {visible(ref.title)} (by {visible(ref.author) or 'unknown'}, {ref.id}){link}")
    for each in rules.problems:
        click.echo(f"{each.code:<13} {visible(each.title or each.rule)}: {visible(each.reason)}")
    click.echo(f"{counted(len(refs), 'rule')} in use, {len(rules.problems):,} could not be compiled", err=True)


@rules_command.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the set.  [default: the folder's name]")
@click.option("--link-base", metavar="URL", default="", help="Where the rules can be read on the web.")
def import_rules(folder: Path, name: str | None, link_base: str) -> None:
    """Take the Sigma rules below DIR into use, such as a copy of the SigmaHQ repository.

    The rules stay under their own licence; author, id and link go into every detection and report.
    """
    from datetime import datetime

    from glasshouse.respond.sigma.load import read_folder, store_imported
    from glasshouse.words.errors import ConfigError

    base = home(os.environ)
    if base is None:
        raise ConfigError("no home directory is known", hint="Set GLASSHOUSE_HOME.")
    name = name or folder.resolve().name or "rules"
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"`{name}` cannot be the name of a rule set; give one with --name")
    files = list(read_folder(folder, link_base))
    made = store_imported(base, name, files, datetime.now(UTC).isoformat(timespec="seconds"))
    click.echo(
        f"in use as `{name}`: {counted(len(made.rules) + len(made.correlations), 'rule')} of "
        f"{counted(len(files), 'file')}; "
        f"{len(made.problems):,} could not be compiled"
    )
    for each in made.problems[:10]:
        click.echo(f"  {each.title or each.rule}: {each.reason}", err=True)
    if len(made.problems) > 10:
        click.echo("  ... `glasshouse respond rules list --problems` shows all", err=True)


@rules_command.command("remove")
@click.argument("name", metavar="NAME")
def remove_rules(name: str) -> None:
    """Take an imported set out of use and delete Glasshouse's copy of it."""
    import shutil

    base = home(os.environ)
    folder = base / "rules" / name if base is not None and _NAME.fullmatch(name) else None
    if folder is None or not folder.is_dir():
        raise click.UsageError(f"no imported rule set is called `{name}`")
    shutil.rmtree(folder)
    click.echo(f"`{name}` is out of use")
