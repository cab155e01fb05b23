"""``glasshouse scan``: options to settings, one call of the engine, the report, the exit code."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.cli.parameters import GroupedCommand, given_values, with_options
from glasshouse.cli.passing import code_targets, say_receipt, through_the_door
from glasshouse.cli.settings.options import ScanOptions
from glasshouse.cli.settings.resolve import Settings, resolve
from glasshouse.words.display import counted
from glasshouse.words.places import cache_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from glasshouse.door.local import LocalPassage
    from glasshouse.scan.baseline import Baseline
    from glasshouse.scan.render.interface import Context, Report
    from glasshouse.scan.rules.schema import Rule
    from glasshouse.scan.settings import ScanSettings
    from glasshouse.words.finding import Confidence, Result

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_INCOMPLETE = 5

EXAMPLES = """
glasshouse scan .
glasshouse scan src --fail-on high --sarif-output glasshouse.sarif
glasshouse scan . --diff origin/main --format concise
glasshouse scan --deps .
glasshouse scan --deps --system image.tar
"""


@with_options()
@click.command(
    "scan",
    cls=GroupedCommand,
    examples=EXAMPLES,
    context_settings={"max_content_width": 110},
    epilog="Exit status: 0 clean, 1 findings, 2 usage or configuration error, 3 denied or not recorded, 4 nothing to "
    "analyse, 5 incomplete, 70 internal error.",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **_: object) -> int:
    """Find vulnerabilities in source code; with --deps dependencies with published flaws; with --system weak settings.

    The report goes to standard output, everything else to standard error.  Nothing is sent anywhere.
    """
    places = _places(paths)
    settings = resolve(given_values(context), os.environ, places[0])
    options = settings.typed()
    started = time.monotonic()
    what = [word for word, asked in (("dependencies", options.deps), ("hardening", options.system)) if asked]
    describes = f"scan {' and '.join(what)}{' of ' if what else ''}{counted(len(places), 'path')}"
    with through_the_door("code.scan", code_targets(places), describes) as passage:
        report = _scan(places, options, passage.watched)
        _record(report, passage)
    _write_reports(report, places, options)
    if not options.quiet:
        _say_done(report, settings, options, time.monotonic() - started)
        say_receipt(passage)
    return exit_code(report, options, fail_on_given=settings.given("fail_on"))


def _places(paths: tuple[str, ...]) -> list[Path]:
    """An empty text is no path: a variable that is not set must not mean the current directory."""
    from glasshouse.words.errors import UsageError

    if not all(paths):
        raise UsageError("a path is empty", where="PATHS", hint="Name a file or folder; `.` is the current one.")
    return [Path(path) for path in paths]


def exit_code(report: Report, options: ScanOptions, *, fail_on_given: bool) -> int:
    """0, 1 or 5.  SARIF on standard output is read by programs: then findings are no failure unless asked for."""
    from glasshouse.scan.render.interface import SEVERITY_RANK

    if report.incomplete and not options.allow_incomplete:
        return EXIT_INCOMPLETE
    if options.fail_on == "never":
        return EXIT_CLEAN
    if options.format == "sarif" and _to_stdout(options) and not fail_on_given:
        return EXIT_CLEAN
    threshold = SEVERITY_RANK[options.fail_on]
    failing = any(SEVERITY_RANK[finding.severity] >= threshold for finding in report.open)
    return EXIT_FINDINGS if failing else EXIT_CLEAN


def engine_settings(options: ScanOptions) -> ScanSettings:
    """What the engine is told."""
    from glasshouse.scan.settings import ScanSettings

    return ScanSettings(
        mode=options.mode,
        languages=options.languages,
        rules=rule_selection(options.rules),
        jobs=options.jobs,
        cluster=options.cluster or "",
        cache_dir=_cache(options),
        ignore_files=options.ignore_files,
        inline_ignores=options.ignores,
        max_file_bytes=options.max_file_bytes,
        max_file_seconds=options.max_file_seconds,
        max_files=options.max_files,
        include_tests=options.include_tests,
        rule_paths=options.rule_paths,
    )


def rule_selection(rules: tuple[str, ...]) -> tuple[str, ...]:
    """A leading - (easy to type in a shell) as the ! that the rule loader knows."""
    return tuple("!" + rule[1:] if rule.startswith("-") else rule for rule in rules)


def _record(report: Report, passage: LocalPassage) -> None:
    """Counts and findings, for the outcome entry."""
    from glasshouse.door.findings import vulnerability_events

    passage.count("findings", len(report.open))
    passage.count("files", report.summary.files)
    passage.count("not_analysed", len(report.incomplete))
    passage.add_events(vulnerability_events(report.open, time.time_ns() // 1_000_000))


def _scan(paths: list[Path], options: ScanOptions, watched: Callable[[Iterable[Result]], Iterator[Result]]) -> Report:
    from glasshouse.cli.progress import progress_bar
    from glasshouse.cli.scan_subjects import engine
    from glasshouse.scan.render.interface import gather

    known = _known_findings(options)
    if options.rules:
        _rules(options)  # a name that selects nothing is an error before the scan, whatever languages it meets
    settings = engine_settings(options)
    with progress_bar(shown=options.progress and not options.quiet and sys.stderr.isatty()) as progress:
        report = gather(watched(engine(options)(paths, settings, progress)))
    if options.write_baseline is not None:
        from glasshouse.cli.terminal import write_file
        from glasshouse.scan.baseline import write_baseline

        write_file(options.write_baseline, [write_baseline(report.findings).decode()])
    return _narrowed(_compared(report, known, paths, options), paths, options)


def _known_findings(options: ScanOptions) -> Baseline | None:
    """The baseline file, read before the scan so that a wrong one costs no time."""
    if options.baseline is None:
        return None
    from glasshouse.scan.baseline import read_baseline
    from glasshouse.words.errors import UsageError

    if options.baseline_ref is not None:
        raise UsageError("--baseline and --baseline-ref exclude each other", hint="Give one of them.")
    return read_baseline(options.baseline)


def _compared(report: Report, known: Baseline | None, paths: list[Path], options: ScanOptions) -> Report:
    if known is None and options.baseline_ref is None:
        return report
    from glasshouse.cli.scan_subjects import engine
    from glasshouse.scan import since

    name = str(options.baseline)
    if known is None:
        assert options.baseline_ref is not None
        name = options.baseline_ref
        run = engine(options)
        known = since.baseline_at(
            name, paths, engine_settings(options), lambda each, settings: run(each, settings, None)
        )
    selected = frozenset(_rules(options)) if options.rules else None
    return since.against(report, known, name, since.below(paths, options.languages), selected)


def _narrowed(report: Report, paths: list[Path], options: ScanOptions) -> Report:
    if options.diff is not None:
        from glasshouse.scan.narrow import on_changed_lines

        report = on_changed_lines(report, paths, options.diff)
    if options.min_severity != "low" or options.min_confidence != "low":
        from glasshouse.scan.narrow import at_least

        report = at_least(report, options.min_severity, threshold(options.min_confidence), listed=options.list_all)
    return report


def threshold(text: str) -> Confidence | float:
    """A level of the rules' confidence, or a probability (checked when the options were read)."""
    levels: dict[str, Confidence] = {"low": "low", "medium": "medium", "high": "high"}
    return levels[text] if text in levels else float(text)


def _rules(options: ScanOptions, languages: tuple[str, ...] = ()) -> Mapping[str, Rule]:
    """The selected rules of some languages; of all, where a selection that names nothing is an error."""
    from glasshouse.cli.scan_subjects import subjects
    from glasshouse.scan.rules.loader import load_rules

    selection, cache = rule_selection(options.rules), _cache(options)
    lenient = bool(languages)
    return load_rules(
        languages or subjects(options), options.rule_paths, selection, cache_dir=cache, lenient=lenient
    ).rules


def _cache(options: ScanOptions) -> Path | None:
    return (options.cache_dir or cache_directory(os.environ)) if options.cache else None


def _write_reports(report: Report, paths: list[Path], options: ScanOptions) -> None:
    from glasshouse.cli.scan_subjects import subjects
    from glasshouse.cli.terminal import use_color, write_file, write_stdout
    from glasshouse.scan.render.registry import renderer

    extra = (("sarif", options.sarif_output), ("json", options.json_output), ("html", options.html_output))
    files = [(name, path) for name, path in extra if path is not None]
    if options.sbom_output is not None:
        from glasshouse.cli.scan_subjects import bill

        write_file(options.sbom_output, bill(report))
    to_stdout = _to_stdout(options)
    color = use_color(options.color, os.environ, is_terminal=to_stdout and sys.stdout.isatty())
    wanted = [options.format, *(name for name, _ in files)]
    languages = subjects(options) if options.deps or options.system else tuple(report.summary.languages)
    languages = languages if any(renderer(name).needs_rules for name in wanted) else ()
    context = _context(paths, options, languages, color=color)
    for name, path in files:
        write_file(path, renderer(name).render(report, context))
    pieces = renderer(options.format).render(report, context)
    if to_stdout:
        write_stdout(pieces, utf8=options.format not in ("text", "concise"))
    else:
        assert options.output is not None
        write_file(options.output, pieces)


def _context(paths: list[Path], options: ScanOptions, languages: tuple[str, ...], *, color: bool) -> Context:
    """What formats may use; with the rules of ``languages``, which are those of the report's findings."""
    from glasshouse import __version__
    from glasshouse.scan.discover.walk import report_root
    from glasshouse.scan.render.interface import Context

    root = report_root(paths)
    rules = _rules(options, languages) if languages else {}
    return Context(version=__version__, rules=rules, roots=(Path(root),) if root else (), color=color)


def _to_stdout(options: ScanOptions) -> bool:
    return options.output is None or str(options.output) == "-"


def _say_done(report: Report, settings: Settings, options: ScanOptions, seconds: float) -> None:
    from glasshouse.words.display import visible

    for file in settings.files:
        click.echo(f"glasshouse: settings from {visible(str(file))}", err=True)
    found = counted(len(report.open), "finding")
    files = counted(report.summary.files, *(("inventory", "inventories") if options.deps else ("file",)))
    incomplete = f", {len(report.incomplete):,} not analysed in full" if report.incomplete else ""
    click.echo(f"glasshouse: {found} in {files}{incomplete}, {seconds:.2f} s", err=True)
