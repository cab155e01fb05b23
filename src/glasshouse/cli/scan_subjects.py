"""What ``glasshouse scan`` can look at besides source code, as functions of the shape of ``scan_tree``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from glasshouse.words.places import default_store

if TYPE_CHECKING:
    from glasshouse.cli.settings.options import ScanOptions
    from glasshouse.scan.render.interface import Report
    from glasshouse.scan.run import Progress
    from glasshouse.scan.settings import ScanSettings
    from glasshouse.words.finding import NotAnalysed, Result, ScanSummary

Engine = Callable[[Sequence[Path], "ScanSettings | None", "Progress | None"], "Iterator[Result]"]


def engine(options: ScanOptions) -> Engine:
    """The engine that the options ask for."""
    engines = [_dependencies(options.store)] if options.deps else []
    engines += [_system] if options.system else []
    if engines:
        return _one_after_another(engines)
    from glasshouse.scan.run import scan_tree

    return scan_tree


def bill(report: Report) -> Iterator[str]:
    """The components of a report as a bill of materials."""
    from glasshouse import __version__
    from glasshouse.scan.dependencies.cyclonedx import cyclonedx

    yield cyclonedx(report.dependencies, __version__)


def subjects(options: ScanOptions) -> tuple[str, ...]:
    """Whose rules the scan uses."""
    from glasshouse.scan.rules.loader import LANGUAGES

    chosen = (*(["dependencies"] if options.deps else []), *(["system"] if options.system else []))
    return chosen or LANGUAGES


def _one_after_another(engines: Sequence[Engine]) -> Engine:
    """The results of several engines, with one summary.

    What one of them finds nothing to look at in is incomplete, and costs nobody what the others found.
    """

    def run(paths: Sequence[Path], settings: ScanSettings | None, progress: Progress | None) -> Iterator[Result]:
        from glasshouse.words.errors import NothingToAnalyseError
        from glasshouse.words.finding import NotAnalysed, ScanSummary

        summaries: list[ScanSummary] = []
        nothing: list[NothingToAnalyseError] = []
        said: set[NotAnalysed] = set()
        for each in engines:
            try:
                for result in _selected(each(paths, settings, progress), settings):
                    if isinstance(result, ScanSummary):
                        summaries.append(result)
                    elif not isinstance(result, NotAnalysed):
                        yield result
                    elif result not in said:  # both read the same image
                        said.add(result)
                        yield result
            except NothingToAnalyseError as error:
                nothing.append(error)
        if not summaries:
            raise nothing[0]
        left = [NotAnalysed(error.where, "not-read", error.what, True) for error in nothing]
        yield from left
        yield _joined(summaries, left)

    return run


def _joined(summaries: Sequence[ScanSummary], left: Sequence[NotAnalysed]) -> ScanSummary:
    from collections import Counter

    from msgspec.structs import replace

    first = summaries[0]
    skipped = sum((Counter(each.not_analysed) for each in summaries), Counter(each.code for each in left))
    files = {each.mode: each.files for each in summaries}
    return replace(
        first,
        mode=" and ".join(files),
        files=files.get("dependencies", first.files),
        looked_at=files.get("system", 0),
        findings=sum(each.findings for each in summaries),
        not_analysed=dict(sorted(skipped.items())),
        notes=tuple(note for each in summaries for note in each.notes),
    )


def _system(paths: Sequence[Path], settings: ScanSettings | None, progress: Progress | None) -> Iterator[Result]:
    from glasshouse.scan.system import scan_system

    return scan_system(paths, progress)


def _dependencies(place: Path | None) -> Engine:
    def run(paths: Sequence[Path], settings: ScanSettings | None, progress: Progress | None) -> Iterator[Result]:
        from glasshouse.forecast.known import known_flaws
        from glasshouse.scan.dependencies import scan_dependencies
        from glasshouse.words.errors import ForecastStoreError

        if place is not None and not place.exists():
            raise ForecastStoreError("no such file", where=str(place), hint="`glasshouse advisories import` makes it.")
        today = date.today()  # noqa: DTZ011 - the user's own calendar day
        with known_flaws(place or default_store(os.environ), today) as known:
            yield from scan_dependencies(paths, known, progress)

    return run


def _selected(results: Iterator[Result], settings: ScanSettings | None) -> Iterator[Result]:
    """The results without the findings of rules that were not chosen."""
    from glasshouse.scan.rules.loader import SUBJECTS, load_rules
    from glasshouse.words.finding import Finding

    chosen = settings.rules if settings is not None else ()
    kept = frozenset(load_rules(SUBJECTS, select=chosen, lenient=True).rules) if chosen else None
    for result in results:
        if kept is None or not isinstance(result, Finding) or result.rule_id in kept:
            yield result
