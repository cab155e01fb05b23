"""``glasshouse advisories``: advisories about packages, imported from files, for scans of dependencies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from glasshouse.cli.forecast import open_store, store_option

CONTEXT = {"max_content_width": 110}


@click.group("advisories", context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Keep advisories about packages, for `glasshouse scan --deps` and `glasshouse exposure`.

    \b
    glasshouse advisories import PyPI/all.zip npm/all.zip
    glasshouse advisories import advisory-database/
    glasshouse advisories list

    Nothing is fetched: you import files in the OSV format.
    """


@command.command("import", context_settings=CONTEXT)
@click.argument("paths", nargs=-1, required=True, metavar="DIR|ZIP...")
@store_option
def import_(paths: tuple[str, ...], store_path: str | None) -> int:
    """Import advisories in OSV format (JSON, YAML) from folders, archives and files.

    Again is harmless: what is known is passed over, a later version of an advisory replaces the earlier one, and a
    withdrawn one counts no more.  Exit status: 0, or 5 when a record could not be read; those are listed.
    """
    from glasshouse.forecast.facts import Day
    from glasshouse.forecast.importers.osv import OsvImporter
    from glasshouse.forecast.importers.run import import_records
    from glasshouse.forecast.render.imports import text

    today = Day(date.today().toordinal())  # noqa: DTZ011 - the user's own calendar day
    with open_store(store_path) as store:
        report = import_records(store, OsvImporter(), [Path(path) for path in paths], today=today)
    click.echo("".join(text(report)), nl=False)
    return 5 if report.rejected else 0


@command.command("list", context_settings=CONTEXT)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the list.")
@store_option
def list_(form: str, store_path: str | None) -> None:
    """Say how many advisories there are about each ecosystem, and how old they are."""
    from glasshouse.forecast.render.advisories import as_json, as_text

    with open_store(store_path, must_exist=True) as store:
        counts, imported = store.advisory_counts(), store.last_import("osv")
    click.echo("".join((as_json if form == "json" else as_text)(counts, imported)), nl=False)
