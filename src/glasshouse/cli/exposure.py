"""``glasshouse exposure``: what exploitation would hit in the services that an inventory describes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from glasshouse.cli.forecast import DATE, open_store, store_option, today_or, write_report
from glasshouse.cli.passing import file_targets, say_receipt, through_the_door
from glasshouse.words.display import counted


@click.command("exposure", context_settings={"max_content_width": 110})
@click.argument("inventories", nargs=-1, required=True, metavar="INVENTORY...")
@click.option("--services", "table", metavar="CSV", help="Table of services: owner, criticality, supplier, inventory.")
@click.option("--horizon", type=click.Choice(["30", "90", "365"]), default="90", help="Days ahead.")
@click.option(
    "--what-if", "suppose", multiple=True, metavar="COMPONENT", help="Suppose a new flaw in NAME or NAME@VERSION."
)
@click.option("--as-of", type=DATE, help="Judge by what was known on this day (default: today).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html", "register"]),
    default="text",
    help="Form of the report; register: CSV for a register of ICT third parties.",
)
@click.option("--output", metavar="FILE", help="Write the report to FILE instead of standard output.")
@store_option
def command(
    inventories: tuple[str, ...],
    table: str | None,
    horizon: str,
    suppose: tuple[str, ...],
    as_of: date | None,
    form: str,
    output: str | None,
    store_path: str | None,
) -> int:
    """Say which components are vulnerable, what their exploitation would hit, and what to patch first.

    \b
    INVENTORY: CycloneDX or SPDX JSON, lock files, dpkg's status, apk's installed, rpm lists, or a folder of these.
    Advisories and forecasts come from what was imported:
      glasshouse forecast import osv PyPI/all.zip
      glasshouse exposure services/ --services services.csv --format html --output exposure.html

    Exit status: 0 nothing vulnerable, 1 something is, 5 an entry could not be judged, 2 usage error.
    """
    from glasshouse.forecast.exposure.run import analyse_exposure, read_everything

    paths = [Path(path) for path in inventories]
    read = file_targets([*paths, Path(table)] if table else paths)
    with through_the_door(
        "inventory.exposure", read, f"exposure of {counted(len(paths), 'inventory', 'inventories')}"
    ) as passage:
        services, left_out = read_everything(paths, Path(table) if table else None)
        with open_store(store_path, must_exist=True) as store:
            report = analyse_exposure(
                store,
                services,
                left_out,
                today_or(as_of),
                horizon=int(horizon),  # type: ignore[arg-type]
                suppose=suppose,
            )
        passage.count("vulnerable", len(report.vulnerable))
    from glasshouse.forecast.render import registry

    write_report(registry.EXPOSURES[form](report), output, form)
    say_receipt(passage)
    if report.unknown:
        return 5
    return 1 if report.vulnerable else 0
