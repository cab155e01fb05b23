"""What the store of imported facts knows, in the shape that the scan of dependencies takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from glasshouse.forecast.facts import Day
from glasshouse.forecast.store import FactStore
from glasshouse.scan.dependencies import Known

DAYS: Final = 90  # of the chance that findings are ordered by


@contextlib.contextmanager
def known_flaws(place: Path, today: date) -> Iterator[Known]:
    """Advisories and chances of exploitation from the store at ``place``; nothing is known where there is none."""
    with FactStore(place if place.exists() else ":memory:") as store:

        def chances(cves: Sequence[str]) -> tuple[Mapping[str, float], frozenset[str]]:
            from glasshouse.forecast.model import shipped_model  # numpy: only where a flaw was found
            from glasshouse.forecast.score import Engine

            return Engine(store, shipped_model(), Day(today.toordinal())).chances(cves, DAYS)

        yield Known(store.advisories_about, store.ecosystems(), chances)
