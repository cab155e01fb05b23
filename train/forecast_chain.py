"""Forward chaining: at each landmark.

Models fitted only on label windows that had closed by then.  No choice looks ahead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glasshouse.forecast.facts import Day, day, iso
from glasshouse.forecast.model import TreeModel
from train.forecast_data import CUT, Dataset, load
from train.forecast_fit import ATTENTION, Array, Landmark, Texts, fit_trees, landmark, thinned, usable


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
MONTHLY = (*months("2023-07", day("2024-12-01")), DEVELOPMENT[-1])
"""Every month whose window had closed by the cut; windows overlap, so that a CVE may stand on three of them."""
SHARE = 0.07
VARIANTS = ("full", "record")


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


def prepare(
    folder: Path, draw: int = 0, landmarks: Sequence[Day] = (*EARLIER, *DEVELOPMENT)
) -> tuple[Dataset, Texts, list[Landmark], list[Landmark]]:
    """Data, texts, monthly landmarks to learn from (thinned), and the full landmarks to score.

    ``draw``: another number draws other rows of what was never listed, to see how much that decides.
    """
    data = load(folder)
    texts = Texts(data)
    note("texts read")
    full = [landmark(data, texts, moment, 1.0) for moment in landmarks]
    note("landmarks to score ready")
    done = {each.day: each for each in full}
    learn = [
        thinned(done[moment], SHARE, draw) if moment in done else landmark(data, texts, moment, SHARE, draw)
        for moment in months("2022-07", Day(CUT - 30))
    ]
    note("landmarks to learn from ready")
    return data, texts, learn, full


def chain(learn: Sequence[Landmark], full: Sequence[Landmark], horizon: int = 90, draw: int = 0) -> list[Chained]:
    """Each full landmark, scored by models of its own past."""
    found = []
    for each in full:
        past = usable(learn, each.day, horizon)
        raw = {
            variant: TreeModel(fit_trees(past, horizon, variant, draw)).score(blank(each.rows, variant))
            for variant in VARIANTS
        }
        found.append(Chained(each.day, each.names, each.rows, each.until, raw))
        note(f"{iso(each.day)} scored by models of {len(past)} landmarks")
    return found


_STARTED = time.monotonic()


def note(text: str) -> None:
    """Progress, on standard error."""
    print(f"{time.monotonic() - _STARTED:6.0f} s  {text}", file=sys.stderr, flush=True)
