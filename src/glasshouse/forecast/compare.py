"""Our ranking of a past day beside EPSS, CVSS and counts of mentions, judged by what was listed afterwards.

For users who imported scores of that day.  EPSS predicts activity observed within 30 days, not listing: a comparison
by listings says how each ranks *listings*.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from glasshouse.forecast.evaluate import Figures, Interval, Ranked, bootstrap, brier_skill, figures
from glasshouse.forecast.facts import Day, iso
from glasshouse.forecast.model import HORIZONS, Horizon, Model, shipped_model
from glasshouse.forecast.score import Engine
from glasshouse.forecast.store import FactStore
from glasshouse.words.errors import UsageError

FEWEST = 5


class Row(msgspec.Struct, frozen=True):
    """One ranking on the rows for which it has a score, and ours on the same rows."""

    name: str
    rows: int
    listed: int
    roc_auc: Interval
    coverage_5: Interval
    ours_roc_auc: Interval
    ours_coverage_5: Interval


class Comparison(msgspec.Struct, frozen=True):
    """All rankings as of a day, and how our chances came out."""

    day: str
    horizon_days: int
    rows: tuple[Row, ...]
    expected: float
    observed: int
    brier_skill: float
    caveats: tuple[str, ...]


def compare(store: FactStore, day: Day, horizon: Horizon, until: Day, model: Model | None = None) -> Comparison:
    """Scores the day, and judges by listings known ``horizon`` days later.

    A window that is not over by ``until`` (today), or in which fewer than five were listed, is an error: it would
    say nothing.
    """
    if day + horizon > until:
        raise UsageError(f"the {horizon} days after {iso(day)} are not over", hint="Give an earlier --as-of.")
    model = model or shipped_model()
    ours: list[float] = []
    others: dict[str, list[float]] = {"EPSS": [], "CVSS base score": [], "count of mentions": []}
    listed: list[bool] = []
    engine = Engine(store, model, day)
    scored = engine.score_all()
    chance = dict(zip(scored.names, scored.probabilities[:, HORIZONS.index(horizon)], strict=True))
    later = {known.cve for known in store.everything(Day(day + horizon)) if known.listed_on is not None}
    for known in store.everything(day):
        if known.cve in chance:
            ours.append(float(chance[known.cve]))
            listed.append(known.cve in later)
            others["EPSS"].append(known.epss.score if known.epss is not None else np.nan)
            others["CVSS base score"].append(known.severity.score if known.severity is not None else np.nan)
            others["count of mentions"].append(float(known.mentions[-1][1].repositories) if known.mentions else np.nan)
    label = np.array(listed, dtype=np.bool_)
    if label.sum() < FEWEST:
        raise UsageError(
            f"only {int(label.sum())} of {len(label):,} open CVEs were listed in the {horizon} days after {iso(day)}",
            hint="Import the catalogue of listings (KEV) and records that were known on that day.",
        )
    score = np.array(ours)
    return Comparison(
        day=iso(day),
        horizon_days=horizon,
        rows=tuple(_rows(score, label, {name: np.array(values) for name, values in others.items()})),
        expected=float(score.sum()),
        observed=int(label.sum()),
        brier_skill=brier_skill(score, label),
        caveats=tuple(_caveats(model, day)),
    )


def _rows(
    score: np.typing.NDArray[np.float64],
    label: np.typing.NDArray[np.bool_],
    others: dict[str, np.typing.NDArray[np.float64]],
) -> Iterator[Row]:
    for name, values in {"glasshouse": score, **others}.items():
        known = ~np.isnan(values)
        if label[known].sum() < FEWEST:
            continue
        theirs, own = [Ranked(values[known], label[known])], [Ranked(score[known], label[known])]
        yield Row(
            name=name,
            rows=int(known.sum()),
            listed=figures(theirs).positives,
            roc_auc=bootstrap(theirs, _auc),
            coverage_5=bootstrap(theirs, _covered),
            ours_roc_auc=bootstrap(own, _auc),
            ours_coverage_5=bootstrap(own, _covered),
        )


def _auc(found: Figures) -> float:
    return found.roc_auc


def _covered(found: Figures) -> float:
    return found.coverage[1]


def _caveats(model: Model, day: Day) -> Iterator[str]:
    if iso(day) <= model.trained_until:
        yield f"the model learnt from listings until {model.trained_until}: it is judged by what it has seen"
    yield "EPSS predicts activity observed within 30 days; this judges every ranking by listings"
    yield "rows with a score are a selection: compare a ranking only with ours on the same rows"
