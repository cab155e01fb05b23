"""What ``glasshouse scan`` can look at besides source code, as functions of the shape of ``scan_tree``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from glasshouse.cli.settings.places import home

if TYPE_CHECKING:
    from glasshouse.cli.settings.options import ScanOptions
    from glasshouse.forecast.store import FactStore
    from glasshouse.scan.dependencies import Known
    from glasshouse.scan.render.interface import Report
    from glasshouse.scan.run import Progress
    from glasshouse.scan.settings import ScanSettings
    from glasshouse.words.finding import Result

Engine = Callable[[Sequence[Path], "ScanSettings | None", "Progress | None"], "Iterator[Result]"]


def engine(options: ScanOptions) -> Engine:
    """The engine that the options ask for."""
    if options.deps:
        return _dependencies(options.store)
    from glasshouse.scan.run import scan_tree

    return scan_tree


def bill(report: Report) -> Iterator[str]:
    """The components of a report as a bill of materials."""
    from glasshouse import __version__
    from glasshouse.scan.dependencies.cyclonedx import cyclonedx

    yield cyclonedx(report.dependencies, __version__)


def default_store() -> Path:
    """``forecast.db`` among Glasshouse's own files."""
    return (home(os.environ) or Path()) / "forecast.db"


def _dependencies(place: Path | None) -> Engine:
    def run(paths: Sequence[Path], settings: ScanSettings | None, progress: Progress | None) -> Iterator[Result]:
        from glasshouse.forecast.store import FactStore
        from glasshouse.scan.dependencies import scan_dependencies
        from glasshouse.words.errors import ForecastStoreError

        file = place or default_store()
        if place is not None and not file.exists():
            raise ForecastStoreError("no such file", where=str(file), hint="`glasshouse advisories import` makes it.")
        with FactStore(file if file.exists() else ":memory:") as store:
            yield from _selected(scan_dependencies(paths, _known(store), progress), settings)

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


def _known(store: FactStore) -> Known:
    from glasshouse.forecast.facts import Day
    from glasshouse.scan.dependencies import Known

    def chances(cves: Sequence[str]) -> tuple[Mapping[str, float], frozenset[str]]:
        from glasshouse.forecast.model import shipped_model
        from glasshouse.forecast.score import Engine as Forecaster

        today = Day(date.today().toordinal())  # noqa: DTZ011 - the user's own calendar day
        return Forecaster(store, shipped_model(), today).chances(cves, 90)

    return Known(store.advisories_about, store.ecosystems(), chances)
