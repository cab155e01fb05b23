"""``glasshouse respond LOGS...``: options to settings, one call of the engine, the report, the exit code."""

from __future__ import annotations

import os
import sys
from datetime import UTC
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glasshouse.cli.passing import file_targets, say_receipt, through_the_door
from glasshouse.cli.respond_forecast import forecasts, host_stakes
from glasshouse.cli.respond_rules import rules_command
from glasshouse.cli.respond_run import run_command
from glasshouse.words.display import counted
from glasshouse.words.places import cache_directory, home

if TYPE_CHECKING:
    from collections.abc import Iterable

    from glasshouse.door.local import LocalPassage
    from glasshouse.respond.read.interface import Chunk
    from glasshouse.respond.report import Report
    from glasshouse.respond.sigma.ir import RuleSet
    from glasshouse.words.incident import Level, NotRead

EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCOMPLETE = 0, 1, 5
MAX_PLACEHOLDER_BYTES = 5_000_000
FORMATS = ("text", "json", "ocsf", "html", "stix", "csv")
LEVELS = ("informational", "low", "medium", "high", "critical")
SUBCOMMANDS: dict[str, click.Command] = {"rules": rules_command, "run": run_command}


class RespondCommand(click.Command):
    """Logs are arguments; ``rules`` and ``run`` in the first place are commands (a folder of that name: ./rules)."""

    subcommands = SUBCOMMANDS

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args and args[0] in SUBCOMMANDS:
            return SUBCOMMANDS[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(
    "respond",
    cls=RespondCommand,
    context_settings={"max_content_width": 110},
    epilog="Exit status: 0 no incident at or above --fail-on, 1 incidents, 2 usage error, 3 denied or not "
    "recorded, 4 nothing to analyse, 5 incomplete, 70 internal error.",
)
@click.argument("logs", nargs=-1, metavar="LOGS...")
@click.option("--ledger", is_flag=True, help="Watch Glasshouse itself: read the events of its own log.")
@click.option("--log", "log_place", metavar="DIR", help="Directory of that log.  [default: $GLASSHOUSE_HOME/ledger]")
@click.option("--rules", "rules", multiple=True, metavar="DIR", help="Also use the Sigma rules in DIR (or file).")
@click.option("--only-rules", is_flag=True, help="Use the rules of --rules alone, not the starter and imported ones.")
@click.option("--placeholders", metavar="FILE", help="YAML: values for %name% in rules with the modifier expand.")
@click.option("--source", metavar="PRODUCT/SERVICE", help="What log events are that cannot be told by their fields.")
@click.option("--services", metavar="CSV", help="Table of services and their hosts: what runs on which host.")
@click.option("--min-level", type=click.Choice(LEVELS), default="low", show_default=True, help="Least rule level.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Report format.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to FILE.")
@click.option("--plans", metavar="DIR", help="Write a response plan (CACAO 2.0) per incident of --fail-on or graver.")
@click.option(
    "--fail-on",
    type=click.Choice(("low", "medium", "high", "critical", "never")),
    default="medium",
    show_default=True,
    help="Exit 1 for incidents of this severity or above.",
)
@click.option("--allow-incomplete", is_flag=True, help="Do not exit 5 because something was not analysed.")
@click.option("--cache/--no-cache", default=True, help="Keep compiled rules.  [default: yes]")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour.")
@click.option("--progress/--no-progress", default=True, help="Show progress on a terminal.  [default: yes]")
@click.option("--quiet", "-q", is_flag=True, help="Print the report only.")
def command(logs: tuple[str, ...], **options: Any) -> int:
    """Turn security logs into incidents: Sigma rules over events, detections joined by what they share.

    LOGS are files, folders or - for standard input: Windows event logs (EVTX), JSON, CloudTrail, auditd, Zeek, syslog,
    CSV, plain or compressed.  Nothing is sent anywhere and nothing is changed.

    Commands: glasshouse respond rules [list|import DIR|remove NAME]; glasshouse respond run PLAN.
    """
    if not logs and not options["ledger"]:
        raise click.UsageError("name at least one log file or folder, - for standard input, or --ledger")
    files = [Path(each) for each in logs if each != "-"]
    if options["ledger"]:
        files.append(_ledger(options))
    read = [*files, Path(options["services"])] if options["services"] else files
    describes = f"respond to {counted(len(files) or 1, 'log')}"
    with through_the_door("events.respond", file_targets(read), describes) as passage:
        report = _respond(logs, options)
        _record(report, passage)
    _write(report, options)
    if options["plans"]:
        _write_plans(report, options)
    if not options["quiet"]:
        say_receipt(passage)
    if report.incomplete and not options["allow_incomplete"]:
        return EXIT_INCOMPLETE
    if options["fail_on"] != "never" and report.at_least(options["fail_on"]):
        return EXIT_FINDINGS
    return EXIT_CLEAN


def _respond(logs: tuple[str, ...], options: dict[str, Any]) -> Report:
    import time
    from datetime import datetime

    from glasshouse import __version__
    from glasshouse.cli.respond_progress import event_progress
    from glasshouse.respond.group.incidents import incidents_of
    from glasshouse.respond.read.inputs import read_logs
    from glasshouse.respond.report import Report
    from glasshouse.respond.run import Settings, detect
    from glasshouse.respond.stake import with_stakes
    from glasshouse.respond.threat import with_threats
    from glasshouse.words.errors import NoEventsError

    stakes = host_stakes(Path(options["services"])) if options["services"] else {}
    rules = load_rules(options)
    started = time.monotonic()
    chunks: Iterable[Chunk | NotRead] = read_logs([Path(each) for each in logs], sys.stdin.buffer)
    if options["ledger"]:
        from glasshouse.cli.respond_ledger import ledger_events

        chunks = chain(chunks, ledger_events(_ledger(options)))
    shown = options["progress"] and not options["quiet"] and sys.stderr.isatty()
    with event_progress(shown=shown) as progress:
        run = detect(chunks, rules, Settings(min_level=options["min_level"], source=_source(options)), progress)
    if not run.events and not run.partial:
        first = run.not_read[0] if run.not_read else None
        raise NoEventsError(first.reason if first else "no event was found", where=first.source if first else "")
    if run.events and run.unknown == run.events and not run.partial:
        hint = (
            "Say what they are with --source PRODUCT/SERVICE; docs/reference/log-formats.md lists what is recognised."
        )
        raise NoEventsError(f"{counted(run.events, 'event')}, none of a kind that a rule looks at", hint=hint)
    found = incidents_of(run.detections, run.sightings)
    if not options["quiet"]:
        seconds = max(time.monotonic() - started, 1e-6)
        click.echo(
            f"glasshouse: {counted(run.events, 'event')} in {seconds:.1f} s ({run.events / seconds:,.0f}/s)", err=True
        )
    made = datetime.now(UTC).isoformat(timespec="seconds")
    incidents = with_threats(found.incidents, forecasts)
    if options["services"]:
        incidents = with_stakes(incidents, stakes)
    return Report(__version__, made, run, incidents, found.loose)


def _ledger(options: dict[str, Any]) -> Path:
    """The directory of the log to watch."""
    if options["log_place"]:
        return Path(options["log_place"])
    base = home(os.environ)
    if base is None:
        raise click.UsageError("no home directory is known; name the log with --log DIR")
    return base / "ledger"


def _record(report: Report, passage: LocalPassage) -> None:
    """Counts and incidents, for the outcome entry."""
    passage.count("events", report.run.events)
    passage.count("detections", len(report.run.detections))
    passage.count("incidents", len(report.incidents))


def _write_plans(report: Report, options: dict[str, Any]) -> None:
    import time

    from glasshouse.cli.respond_execution import plan_files
    from glasshouse.respond.plan.planner import plan_for

    least: Level = options["fail_on"] if options["fail_on"] != "never" else "low"
    plans = [plan_for(incident, int(time.time())) for incident in report.at_least(least)]
    places = plan_files(Path(options["plans"]), [plan for plan in plans if plan.steps])
    if not options["quiet"]:
        click.echo(
            f"glasshouse: {counted(len(places), 'plan')} in {options['plans']}; glasshouse respond run PLAN shows one",
            err=True,
        )


def load_rules(options: dict[str, Any]) -> RuleSet:
    """The starter rules, the imported ones, those named on the command line, and the signs of techniques."""
    from glasshouse.respond.sigma.join import joined
    from glasshouse.respond.sigma.load import STARTER, imported_sets, read_folder, rule_set
    from glasshouse.respond.sigma.signs import sign_rules
    from glasshouse.words.errors import SigmaRuleError

    cache = cache_directory(os.environ) if options.get("cache", True) else None
    placeholders = _placeholders(options.get("placeholders"))
    named = [rule_set(read_folder(Path(place)), cache, placeholders) for place in options.get("rules", ())]
    sets = named
    if not options.get("only_rules"):
        starter = rule_set(read_folder(STARTER), cache)
        sets = [starter, *(found for _, found in imported_sets(home(os.environ))), *named]
    if not sets:
        raise SigmaRuleError("--only-rules needs --rules DIR")
    rules = joined(sets)
    if not rules.rules and not rules.correlations:
        raise SigmaRuleError("no usable rule was found", where=", ".join(options.get("rules", ())))
    return joined([rules, sign_rules(cache)])


def _placeholders(file: str | None) -> dict[str, tuple[str, ...]]:
    if file is None:
        return {}
    import yaml

    from glasshouse.words.errors import SigmaRuleError
    from glasshouse.words.named_file import read_named
    from glasshouse.words.yaml_text import one_plain_yaml

    try:
        content = read_named(file, MAX_PLACEHOLDER_BYTES)
        if len(content) > MAX_PLACEHOLDER_BYTES:
            raise SigmaRuleError(f"placeholders larger than {MAX_PLACEHOLDER_BYTES:,} bytes", where=file)
        found = one_plain_yaml(content.decode("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SigmaRuleError(f"cannot read placeholders: {error}", where=file) from None
    pairs = found.items() if isinstance(found, dict) else [("", found)]
    lists = {str(name): values if isinstance(values, list) else [values] for name, values in pairs}
    if "" in lists or any(isinstance(each, list | dict) for values in lists.values() for each in values):
        raise SigmaRuleError("placeholders are a mapping from a name to a list of values", where=file)
    return {name: tuple(str(each) for each in values) for name, values in lists.items()}


def _source(options: dict[str, Any]) -> tuple[str, str]:
    product, _, service = (options.get("source") or "").lower().partition("/")
    return product, service


def _write(report: Report, options: dict[str, Any]) -> None:
    from glasshouse.cli.terminal import use_color, write_file, write_stdout
    from glasshouse.respond.render.registry import pieces

    output = options["output"]
    to_stdout = output is None or output == "-"
    color = use_color(options["color"], os.environ, is_terminal=to_stdout and sys.stdout.isatty())
    text = pieces(options["form"], report, color=color)
    if to_stdout:
        write_stdout(text, utf8=options["form"] != "text")
    else:
        write_file(Path(output), text)
