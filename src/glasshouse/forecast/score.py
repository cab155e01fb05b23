"""Scoring: knowledge of a day in, forecasts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from glasshouse.forecast.background import Background
from glasshouse.forecast.explain import reasons
from glasshouse.forecast.facts import CVE_ID, Day, Knowledge, iso
from glasshouse.forecast.facts import day as parse_day
from glasshouse.forecast.features import name_text, vector
from glasshouse.forecast.model import HORIZONS, Horizon, Model, Variant
from glasshouse.forecast.store import FactStore
from glasshouse.forecast.text import words
from glasshouse.forecast.trees import Array
from glasshouse.words.errors import UnknownVulnerabilityError
from glasshouse.words.forecast import Forecast, Probability

CHUNK = 10_000
THIN_TOKENS = 8
STALE_DAYS = 180


class Scored(NamedTuple):
    """Every CVE known on a day that is neither withdrawn nor already listed, best first."""

    day: Day
    names: list[str]
    probabilities: Array
    """One row a CVE, one column a horizon (30, 90, 365 days)."""

    def percentiles(self) -> dict[str, float]:
        """The share (0 to 100) of all that rank lower."""
        total = max(len(self.names) - 1, 1)
        return {name: 100.0 * (total - rank) / total for rank, name in enumerate(self.names)}


class Engine:
    """A model together with the background of one day."""

    def __init__(self, store: FactStore, model: Model, day: Day) -> None:
        self.store, self.model, self.day = store, model, day
        own = store.listings(day)
        self.own_listings = bool(own)
        self.background = Background(day, own or (each for each in model.listings if each.day <= day))

    def row(self, known: Knowledge) -> tuple[list[float], Variant]:
        """The inputs of the model and which variant of it reads them."""
        tokens = words(name_text(known))
        variant: Variant = "full" if known.mentions else "record"
        return [*vector(known, self.background, tokens), self.model.text.score(tokens)], variant

    def score_all(self, progress: Callable[[int], None] | None = None) -> Scored:
        """All open CVEs of the day, ranked by the chance within 90 days, ties in the order of ids."""
        names: list[str] = []
        parts: list[Array] = []
        for chunk in _chunks(self._open()):
            names += [known.cve for known in chunk]
            parts.append(self._probabilities([self.row(known) for known in chunk]))
            if progress is not None:
                progress(len(names))
        found = np.concatenate(parts) if parts else np.empty((0, len(HORIZONS)))
        order = np.lexsort((np.arange(len(names)), -found[:, 1]))
        return Scored(self.day, [names[number] for number in order], found[order])

    def about(self, cve: str, percentile: float | None = None) -> Forecast:
        """The forecast for one CVE, with reasons, interval and caveats."""
        known = self.store.about(cve, self.day)
        if known is None:
            raise UnknownVulnerabilityError(f"nothing was known about {cve} on {iso(self.day)}")
        row, variant = self.row(known)
        values = self._probabilities([(row, variant)])[0]
        closed = known.listed_on is not None or known.withdrawn
        return Forecast(
            cve=cve,
            day=iso(self.day),
            probabilities=() if closed else tuple(self._probability(values, variant)),
            evidence="thin" if _is_thin(known, row) else variant,
            model=self.model.version,
            description=known.description,
            percentile=None if closed else percentile,
            reasons=() if closed else reasons(self.model, known, row, variant, self.background),
            caveats=tuple(self._caveats(known, variant, row)),
            listed_on=iso(known.listed_on) if known.listed_on is not None else None,
            published=iso(known.published) if known.published is not None else None,
            cwes=known.cwes,
            products=known.products,
            cvss=known.severity.score if known.severity else None,
            epss=known.epss.score if known.epss else None,
            epss_day=iso(known.epss_on) if known.epss_on is not None else None,
            ssvc=f"{known.ssvc.exploitation}/{known.ssvc.automatable}/{known.ssvc.impact}" if known.ssvc else None,
            without_mentions=float(self._probabilities([(row, "record")])[0][1])
            if variant == "full" and not closed
            else None,
        )

    def chances(self, cves: Sequence[str], horizon: Horizon) -> tuple[dict[str, float], frozenset[str]]:
        """The chance of each CVE that is known and open, and the CVEs that are listed already."""
        column = HORIZONS.index(horizon)
        rows: list[tuple[list[float], Variant]] = []
        names: list[str] = []
        listed: set[str] = set()
        for name in cves:
            known = self.store.about(name, self.day) if CVE_ID.fullmatch(name) else None
            if known is None or known.withdrawn:
                continue
            if known.listed_on is not None:
                listed.add(name)
            else:
                names.append(name)
                rows.append(self.row(known))
        values = self._probabilities(rows)[:, column] if rows else ()
        return dict(zip(names, map(float, values), strict=True)), frozenset(listed)

    def _open(self) -> Iterator[Knowledge]:
        for known in self.store.everything(self.day):
            if known.listed_on is None and not known.withdrawn:
                yield known

    def _probabilities(self, rows: Sequence[tuple[list[float], Variant]]) -> Array:
        found = np.empty((len(rows), len(HORIZONS)))
        variants = np.array([variant for _, variant in rows])
        table = np.array([row for row, _ in rows], dtype=np.float64)
        for variant in ("full", "record"):
            chosen = variants == variant
            if chosen.any():
                found[chosen] = self.model.probabilities(table[chosen], variant)
        return found

    def _probability(self, values: Array, variant: Variant) -> Iterator[Probability]:
        for horizon, value in zip(HORIZONS, values, strict=True):
            low, high = self.model.interval(float(value), variant, horizon)
            yield Probability(horizon, float(value), low, high)

    def _caveats(self, known: Knowledge, variant: Variant, row: Sequence[float]) -> Iterator[str]:
        if known.withdrawn:
            yield "the record was withdrawn: nothing is forecast"
        if known.withdrawn or known.listed_on is not None:
            return
        if not known.description:
            yield "no description was known: the forecast rests on little"
        elif _is_thin(known, row):
            yield "the description says little: the forecast is close to the base rate"
        if variant == "record":
            yield "no counts of mentions were imported: the ranking is coarser"
        if not self.background.names(words(name_text(known))).vendor_ever:
            yield "no listing so far names this vendor"
        if not self.own_listings:
            yield f"no catalogue of listings was imported: the shipped one ends {self.model.trained_until}"
        if iso(self.day) <= self.model.trained_until:
            yield f"the model learnt from listings until {self.model.trained_until}: no fair test on an earlier day"
        elif self.day - parse_day(self.model.trained_until) > STALE_DAYS:
            yield f"the model was trained on {self.model.trained_until}: expect it to have aged"


def _is_thin(known: Knowledge, row: Sequence[float]) -> bool:
    return len(words(known.description)) < THIN_TOKENS


def _chunks(items: Iterable[Knowledge]) -> Iterator[list[Knowledge]]:
    chunk: list[Knowledge] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
