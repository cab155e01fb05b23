"""A question to the forecast and its answer: some CVEs, or the most likely ones that fit a filter."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from glasshouse.forecast.facts import CVE_ID, Day, Knowledge
from glasshouse.forecast.features import name_text
from glasshouse.forecast.model import Model, shipped_model
from glasshouse.forecast.score import Engine
from glasshouse.forecast.store import FactStore
from glasshouse.words.errors import UsageError
from glasshouse.words.forecast import Forecast


class Query(msgspec.Struct, frozen=True):
    """Either ``cves`` or ``top``.  The filters narrow ``top``; ``rank`` adds percentiles to ``cves``."""

    cves: tuple[str, ...] = ()
    top: int = 0
    vendor: str = ""
    product: str = ""
    since: Day | None = None
    rank: bool = False

    def fits(self, known: Knowledge) -> bool:
        """Whether the filters let it through."""
        if self.since is not None and known.first_seen < self.since:
            return False
        wanted = [name.lower() for name in (self.vendor, self.product) if name]
        text = name_text(known).lower() if wanted else ""
        return all(name in text for name in wanted)


def answer(store: FactStore, query: Query, day: Day, model: Model | None = None) -> list[Forecast]:
    """The forecasts, best first for ``top`` and in the order asked for ``cves``."""
    for name in query.cves:
        if not CVE_ID.fullmatch(name):
            raise UsageError(f"not a CVE id: {name[:40]!r}", hint="An id looks like CVE-2024-3400.")
    engine = Engine(store, model or shipped_model(), day)
    if query.cves:
        percentiles = engine.score_all().percentiles() if query.rank else {}
        return [engine.about(name, percentiles.get(name)) for name in query.cves]
    return list(_best(engine, query))


def _best(engine: Engine, query: Query) -> Iterator[Forecast]:
    scored = engine.score_all()
    percentiles = scored.percentiles()
    filtered = bool(query.vendor or query.product or query.since is not None)
    found = 0
    for name in scored.names:
        if filtered:
            known = engine.store.about(name, engine.day)
            if known is None or not query.fits(known):
                continue
        yield engine.about(name, percentiles[name])
        found += 1
        if found == query.top:
            return
