"""Forward chaining: at each landmark.

Models fitted only on label windows that had closed by then.  No choice looks ahead.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from glasshouse.forecast.facts import Day, day, iso
from glasshouse.forecast.model import StepModel, mixed, together
from glasshouse.forecast.trees import TreeModel
from train.forecast_data import CUT, Dataset, load
from train.forecast_fit import (
    ATTENTION,
    DAYS_A_MONTH,
    Array,
    Landmark,
    Texts,
    examples,
    fit_steps,
    fit_trees,
    landmark,
    level,
    usable,
)


def months(first: str, last: Day) -> list[Day]:
    """The first day of each month."""
    year, month = int(first[:4]), int(first[5:7])
    found: list[Day] = []
    while (moment := day(f"{year:04d}-{month:02d}-01")) <= last:
        found.append(moment)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


EARLIER = tuple(day(text) for text in ("2023-07-01", "2023-10-01", "2024-01-01", "2024-04-01"))
DEVELOPMENT = tuple(day(text) for text in ("2024-07-01", "2024-10-01", "2024-12-31"))
QUARTERLY = (*EARLIER, *DEVELOPMENT)
MONTHLY = (*months("2023-07", day("2024-12-01")), DEVELOPMENT[-1])
"""Every month whose window had closed by the cut; windows overlap, so that a CVE may stand on three of them."""
SHARE, SHARE_BETWEEN = 0.10, 0.06
"""Of the CVEs never listed, so many are drawn on the first of a month, and on the days between."""
VARIANTS = ("full", "record")
Item = TypeVar("Item")
Made = TypeVar("Made")


class Chained(NamedTuple):
    """One landmark scored by models of its past: raw log-odds by variant, text score, days until listing."""

    day: Day
    names: list[str]
    rows: Array
    until: npt.NDArray[np.int64]
    raw: dict[str, Array]

    @property
    def text(self) -> Array:
        return np.asarray(self.rows[:, -1])


def blank(rows: Array, variant: str) -> Array:
    """Rows as a variant sees them."""
    if variant == "full":
        return rows
    rows = rows.copy()
    rows[:, ATTENTION] = np.nan
    return rows


_work: Callable[[Any], Any]  # forked processes find it here, with all it refers to


def spread(work: Callable[[Item], Made], items: Sequence[Item], workers: int) -> list[Made]:
    """The work on each item, in order, in processes that share what is in memory already."""
    global _work
    _work = work
    if workers <= 1:
        return [work(item) for item in items]
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.map(_do, items, chunksize=1)


def _do(item: Any) -> Any:
    return _work(item)


def prepare(
    folder: Path, draw: int = 0, landmarks: Sequence[Day] = QUARTERLY, workers: int = 1
) -> tuple[Dataset, Texts, list[Landmark], list[Landmark]]:
    """Data, texts, weekly landmarks to learn from (thinned), and the full landmarks to score.

    ``draw``: another number draws other rows of what was never listed, to see how much that decides.
    """
    data = load(folder)
    texts = Texts(data)
    note("texts read")
    full = spread(lambda moment: landmark(data, texts, moment, 1.0), landmarks, workers)
    note("landmarks to score ready")
    return data, texts, to_learn(data, texts, Day(CUT - 30), draw, workers), full


def to_learn(data: Dataset, texts: Texts, last: Day, draw: int = 0, workers: int = 1) -> list[Landmark]:
    """Landmarks to learn from, four a month until a day: the first and three between, with the text model of the first.

    A CVE changes most from week to week before it is listed; four days of a month show more of that than one.
    """

    def month(first: Day) -> list[Landmark]:
        begun = landmark(data, texts, first, SHARE, draw)
        between = [Day(first + 7 * week) for week in range(1, DAYS_A_MONTH)]
        return [begun, *(landmark(data, texts, each, SHARE_BETWEEN, draw, text_of=first) for each in between)]

    found = spread(month, months("2022-07", last), workers)
    note("landmarks to learn from ready")
    return [each for of_month in found for each in of_month]


def fit(past: Sequence[Landmark], variant: str, horizon: int = 90, draw: int = 0) -> Callable[[Array], Array]:
    """The scorer that some landmarks teach: rows in, log-odds before calibration out."""
    told = examples(past, horizon, variant)
    trees, steps = TreeModel(fit_trees(told, draw)), StepModel(fit_steps(told))

    def score(rows: Array) -> Array:
        seen = blank(rows, variant)
        return together(trees.score(seen), steps.score(seen))

    return score


def chain(
    learn: Sequence[Landmark], full: Sequence[Landmark], horizon: int = 90, draw: int = 0, workers: int = 1
) -> list[Chained]:
    """Each full landmark, scored by models of its own past."""

    def scored(each: Landmark) -> dict[str, Array]:
        past = usable(learn, each.day, horizon)
        raw = {variant: fit(past, variant, horizon, draw)(each.rows) for variant in VARIANTS}
        raw["full"] = mixed(raw["full"], raw["record"])
        note(f"{iso(each.day)} scored by models of {len(past)} landmarks")
        return raw

    return [
        Chained(each.day, each.names, each.rows, each.until, raw)
        for each, raw in zip(full, spread(scored, full, workers), strict=True)
    ]


def levels(texts: Texts, chained: Sequence[Chained], horizon: int = 90) -> Array:
    """The share of listings known at each landmark."""
    return np.array([level(texts, each.day, horizon) for each in chained])


def write(file: Path, chained: Sequence[Chained], levels: Array) -> None:
    """Plain arrays; nothing pickled."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"days": np.array([each.day for each in chained]), "levels": levels}
    for number, each in enumerate(chained):
        arrays[f"names{number}"] = np.array(each.names)
        arrays[f"rows{number}"] = each.rows.astype(np.float32)
        arrays[f"until{number}"] = each.until
        for variant in VARIANTS:
            arrays[f"{variant}{number}"] = each.raw[variant]
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read(file: Path, landmarks: Sequence[Day]) -> tuple[list[Chained], Array]:
    """What ``write`` wrote about some landmarks."""
    with np.load(file, allow_pickle=False) as stored:
        days = [int(moment) for moment in stored["days"]]
        if missing := [iso(each) for each in landmarks if each not in days]:
            raise ValueError(f"{file} says nothing about {', '.join(missing)}")
        chained = [
            Chained(
                moment,
                [str(name) for name in stored[f"names{number}"]],
                stored[f"rows{number}"].astype(np.float64),
                stored[f"until{number}"],
                {variant: stored[f"{variant}{number}"] for variant in VARIANTS},
            )
            for number, moment in ((days.index(each), each) for each in landmarks)
        ]
        return chained, stored["levels"][[days.index(each) for each in landmarks]]


_STARTED = time.monotonic()


def note(text: str) -> None:
    """Progress, on standard error."""
    print(f"{time.monotonic() - _STARTED:6.0f} s  {text}", file=sys.stderr, flush=True)
