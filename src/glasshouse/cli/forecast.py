"""``glasshouse forecast``: what will be exploited; import of records; trends; comparison with other scores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.passing import say_receipt, through_the_door
from glasshouse.words.act import Target
from glasshouse.words.places import default_store

if TYPE_CHECKING:
    from glasshouse.forecast.facts import Day
    from glasshouse.forecast.store import FactStore

DATE = click.DateTime(formats=["%Y-%m-%d"])
KINDS = ("cvelist", "nvd", "osv", "kev", "epss", "metasploit", "exploitdb", "nuclei", "poc", "mentions")
FACTS = Target("record", "forecast:facts")
CONTEXT = {"max_content_width": 110}
MAX_TOP = 10_000


class ForecastGroup(click.Group):
    """``forecast CVE-...`` and ``forecast --top`` mean ``forecast show ...``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


def store_option(function: click.decorators.FC) -> click.decorators.FC:
    """``--store``, where facts are kept."""
    return click.option(
        "--store", "store_path", metavar="FILE", help="File of facts (default: forecast.db in $GLASSHOUSE_HOME)."
    )(function)


def output_options(*formats: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """``--format`` and ``--output``."""

    def decorate(function: click.decorators.FC) -> click.decorators.FC:
        form = click.option("--format", "form", type=click.Choice(formats), default="text", help="Form of the report.")
        place = click.option("--output", metavar="FILE", help="Write the report to FILE instead of standard output.")
        return form(place(function))

    return decorate


@click.group("forecast", cls=ForecastGroup, context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Say what will be exploited, and why.

    \b
    glasshouse forecast import kev known_exploited_vulnerabilities.json
    glasshouse forecast import cvelist cvelistV5-main.zip
    glasshouse forecast CVE-2024-3400
    glasshouse forecast --top 50 --vendor ivanti --format html --output top.html

    The chance is that of being listed as known exploited (CISA KEV). Nothing is fetched: you import files.
    """


@command.command("show", context_settings=CONTEXT)
@click.argument("cves", nargs=-1, metavar="[CVE]...")
@click.option("--top", type=click.IntRange(1, MAX_TOP), metavar="N", help="The N most likely to be exploited.")
@click.option("--vendor", help="Only those whose vendor or description names this (with --top).")
@click.option("--product", help="Only those whose product or description names this (with --top).")
@click.option("--since", type=DATE, help="Only those first known on this day or later (with --top).")
@click.option("--as-of", type=DATE, help="Forecast from what was known on this day (default: today).")
@click.option("--rank", is_flag=True, help="Say how a CVE ranks among all (scores all of them).")
@store_option
@output_options("text", "json", "csv", "html")
def show(
    cves: tuple[str, ...],
    top: int | None,
    vendor: str | None,
    product: str | None,
    since: date | None,
    as_of: date | None,
    rank: bool,
    store_path: str | None,
    form: str,
    output: str | None,
) -> None:
    """Forecast for some CVEs, or the most likely ones.

    The word `show` may be left out: `glasshouse forecast CVE-2024-3400`.
    """
    from glasshouse.forecast.query import Query, answer
    from glasshouse.words.errors import UsageError

    if bool(cves) == bool(top):
        raise UsageError("give CVE ids, or --top N", hint="For example: glasshouse forecast --top 20")
    query = Query(
        cves=tuple(name.upper() for name in cves),
        top=top or 0,
        vendor=vendor or "",
        product=product or "",
        since=_day(since) if since else None,
        rank=rank,
    )
    described = f"forecast {', '.join(query.cves[:10])}" if cves else f"forecast the top {top}"
    with through_the_door("vulnerability.forecast", (FACTS,), described) as passage:
        with open_store(store_path, must_exist=True) as store:
            found = answer(store, query, today_or(as_of))
        passage.count("asked", len(cves) or query.top)
    from glasshouse.forecast.render import registry

    write_report(registry.FORECASTS[form](found), output, form)
    say_receipt(passage)


@command.command("import", context_settings=CONTEXT)
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--known-at", type=DATE, help="Day for sources without dates of their own (default: today).")
@store_option
def import_(kind: str, paths: tuple[str, ...], known_at: date | None, store_path: str | None) -> int:
    """Import records from files, directories and archives; again is harmless, and only new ones are added.

    \b
    cvelist     CVE records, JSON 5 (cvelistV5, Vulnrichment)
    nvd         NVD records (API 2.0, feeds 2.0 and 1.1)
    osv         advisories in OSV format (an ecosystem's all.zip; GitHub's and PyPA's databases)
    kev         CISA's catalogue of known exploited vulnerabilities, JSON or CSV
    epss        EPSS scores of a day, CSV
    metasploit  modules_metadata_base.json
    exploitdb   files_exploits.csv
    nuclei      cves.json, or the folder of templates
    poc         index of repositories named after CVEs (PoC-in-GitHub)
    mentions    counts of mentions: CSV (cve, date, references, repositories, dedicated) or trickest/cve's pages
    """
    from glasshouse.forecast.importers.registry import IMPORTERS
    from glasshouse.forecast.importers.run import import_records
    from glasshouse.words.errors import PathError

    with open_store(store_path) as store:
        report = import_records(
            store,
            IMPORTERS[kind],
            [Path(path) for path in paths],
            today=_day(_today()),
            known_at=_day(known_at) if known_at else None,
        )
    if not report.documents and not report.rejected:
        named = ", ".join(f"*{suffix}" for suffix in IMPORTERS[kind].suffixes)
        hint = f"Looked for {named}, packed or not."
        raise PathError(f"no file that could hold {kind} records", where=", ".join(paths), hint=hint)
    from glasshouse.forecast.render.imports import text

    click.echo("".join(text(report)), nl=False)
    return 5 if report.rejected else 0


@command.command("trends", context_settings=CONTEXT)
@click.option("--as-of", type=DATE, help="As of this day (default: today).")
@store_option
@output_options("text", "json", "html")
def trends(as_of: date | None, store_path: str | None, form: str, output: str | None) -> None:
    """Say what is rising: monthly listings by weakness, vendor and technology, forecasts, changes, what emerges.

    Listings are set against what was published, and what was published against who publishes.
    """
    from glasshouse.forecast.render import registry
    from glasshouse.forecast.trends.run import trends as find

    day = today_or(as_of)
    with (
        through_the_door("vulnerability.forecast", (FACTS,), f"trends as of {day}") as passage,
        open_store(store_path, must_exist=True) as store,
    ):
        report = find(store.everything(day), day)
    write_report(registry.TRENDS[form](report), output, form)
    say_receipt(passage)


@command.command("evaluate", context_settings=CONTEXT)
@click.option("--as-of", type=DATE, required=True, help="The day to forecast from; its window must be over.")
@click.option("--horizon", type=click.Choice(["30", "90", "365"]), default="90", help="Days ahead.")
@store_option
def evaluate(as_of: date, horizon: str, store_path: str | None) -> None:
    """Compare with EPSS, CVSS and counts of mentions on a past day, judged by what was listed afterwards.

    Import scores of that day first: `glasshouse forecast import epss FILE`.
    """
    from glasshouse.forecast.compare import compare
    from glasshouse.forecast.render.comparison import text

    with open_store(store_path, must_exist=True) as store:
        found = compare(store, today_or(as_of), int(horizon), today_or(None))  # type: ignore[arg-type]
    click.echo("".join(text(found)), nl=False)


@command.command("sources", context_settings=CONTEXT)
@store_option
def sources(store_path: str | None) -> None:
    """List what was imported: facts per source, and the days they cover."""
    from glasshouse.forecast.render.imports import feeds

    with open_store(store_path, must_exist=True) as store:
        click.echo("".join(feeds(store.feeds(_day(date.max)))), nl=False)


def open_store(path: str | None, *, must_exist: bool = False) -> FactStore:
    """The store a user named, or the default one."""
    from glasshouse.forecast.store import FactStore
    from glasshouse.words.errors import ForecastStoreError

    place = Path(path) if path else default_store(os.environ)
    if must_exist and not place.exists():
        raise ForecastStoreError(
            "no facts were imported yet",
            where=str(place),
            hint="Import some: `glasshouse forecast import KIND PATH`, `glasshouse advisories import DIR|ZIP`.",
        )
    return FactStore(place)


def write_report(pieces: Iterator[str], output: str | None, form: str) -> None:
    """To standard output or a file."""
    from glasshouse.cli.terminal import write_file, write_stdout

    if output is None or output == "-":
        write_stdout(pieces, utf8=form != "text")
    else:
        write_file(Path(output), pieces)
        click.echo(f"glasshouse: wrote {output}", err=True)


def today_or(moment: date | None) -> Day:
    """The day a user named, or today; a day that nowhere has begun is refused."""
    from glasshouse.words.errors import UsageError

    today = _today()
    if moment is not None and moment.toordinal() > today.toordinal() + 1:
        raise UsageError(f"{moment:%Y-%m-%d} has not come yet", hint="Name today or an earlier day.")
    return _day(moment or today)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the user's own calendar day


def _day(moment: date) -> Day:
    from glasshouse.forecast.facts import Day

    return Day(moment.toordinal())
