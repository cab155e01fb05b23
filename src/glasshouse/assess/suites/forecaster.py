"""How well the forecaster ranks and how well its chances hold, at a landmark of the facts that the user imported.

The landmark is a day whose next 90 days have passed in the facts; the model sees what was known on that day, and what
was listed as exploited in the window is the truth.  If the landmark lies before the model's training ended, the
figures flatter it: the run says so.
"""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glasshouse.assess.model_file import ModelFile
from glasshouse.assess.runs import Metric, Sample, area, difference, proportion
from glasshouse.assess.suite import Progress, Result, Setting, digest_of
from glasshouse.door.home import home_folder
from glasshouse.words.digests import sha256_of
from glasshouse.words.errors import SuiteError

if TYPE_CHECKING:
    from glasshouse.forecast.facts import Day
    from glasshouse.forecast.score import Scored
    from glasshouse.forecast.store import FactStore

WINDOW_DAYS = 90
EFFORTS = (1, 5, 10)  # per cent
MIN_GROUP = 5
MAX_SAMPLES_KEPT = 5_000


class Forecaster:
    """The suite; its model is the shipped weights."""

    def run(self, model: ModelFile, setting: Setting, progress: Progress) -> Result:
        """Scores every CVE known on the landmark.  Options: ``store`` (facts), ``as-of`` (the landmark)."""
        from glasshouse.forecast.facts import iso
        from glasshouse.forecast.model import SHIPPED, shipped_model
        from glasshouse.forecast.score import Engine
        from glasshouse.forecast.store import FactStore

        path = _store_path(setting)
        shipped = shipped_model()
        with FactStore(path) as store:
            landmark = _landmark(store, setting.options.get("as-of", ""))
            scored = Engine(store, shipped, landmark).score_all(lambda done: progress(done, max(done, 1)))
            listed = _listed(store, landmark)
            ecosystems = store.ecosystem_of(listed)
        about = f"{iso(landmark)}:{len(scored.names)}"
        hits = [name for name in scored.names if name in listed]
        if not hits:
            hint = "Import KEV, or choose another --option as-of=DATE."
            raise SuiteError("nothing was listed in the window", where=str(path), hint=hint)
        notes = [f"landmark {iso(landmark)}, {len(scored.names):,} CVEs, {len(hits)} listed within {WINDOW_DAYS} days"]
        if iso(landmark) < shipped.trained_until:
            notes.append(f"training went on until {shipped.trained_until}: these figures flatter the model")
        return Result(
            model_digest=sha256_of(Path(SHIPPED).read_bytes()),
            code_digest=sha256_of(inspect.getsource(Forecaster).encode()),
            data_digest=digest_of([about.encode(), *map(str.encode, sorted(listed))]),
            metrics=tuple(_metrics(scored, set(hits), listed, ecosystems)),
            samples=_samples(scored, set(hits)),
            settings={"as_of": iso(landmark), "window_days": str(WINDOW_DAYS)},
            notes=tuple(notes),
        )


def suite() -> Forecaster:
    """The suite."""
    return Forecaster()


def _store_path(setting: Setting) -> Path:
    named = setting.options.get("store", "")
    path = Path(named) if named else home_folder(os.environ) / "forecast.db"
    if not path.is_file():
        hint = "Import some: glasshouse forecast import kev FILE; or --option store=FILE."
        raise SuiteError("no facts", where=str(path), hint=hint)
    return path


def _listed(store: FactStore, landmark: Day) -> dict[str, str]:
    """What was listed in the window, with the vendor it was listed under."""
    from glasshouse.forecast.facts import Day

    last = Day(landmark + WINDOW_DAYS)
    return {
        known.cve: known.listed.vendor
        for known in store.everything(last)
        if known.listed is not None and known.listed_on is not None and landmark < known.listed_on <= last
    }


def _landmark(store: FactStore, chosen: str) -> Day:
    from glasshouse.forecast.facts import Day, InvalidDayError, day

    last = store.last_day()
    if last is None:
        raise SuiteError("the facts hold nothing", hint="Import records with `glasshouse forecast import`.")
    if not chosen:
        return Day(last - WINDOW_DAYS)
    try:
        landmark = day(chosen)
    except InvalidDayError as error:
        raise SuiteError(f"as-of: {error}") from error
    if landmark + WINDOW_DAYS > last:
        raise SuiteError(f"the {WINDOW_DAYS} days after {chosen} are not over in these facts")
    return landmark


def _metrics(scored: Scored, hits: set[str], vendors: dict[str, str], ecosystems: dict[str, str]) -> list[Metric]:
    rank = {name: number for number, name in enumerate(scored.names)}
    chance = scored.probabilities[:, 1]
    total = len(scored.names)
    places = sorted(rank[name] for name in hits)
    found = [_area(places, total)]
    for effort in EFFORTS:
        caught = sum(place < total * effort / 100 for place in places)
        found.append(proportion(f"coverage_{effort}", caught, len(places)))
    expected = float(chance.sum())
    observed = len(hits)
    spread = 1.96 * observed**0.5
    low, high = expected / (observed + spread), expected / max(1.0, observed - spread)
    found.append(Metric("expected_observed", expected / observed, low, high, observed))
    found += _by_group("vendor", rank, {name: vendors.get(name, "").lower() or "unknown" for name in hits})
    return found + _by_group("ecosystem", rank, {name: ecosystems[name] for name in hits if name in ecosystems})


def _area(places: Sequence[int], total: int) -> Metric:
    """The area under the ROC curve from ranks, with the interval of `area`; the many others are thinned."""
    step = max(1, total // 5_000)
    hit = set(places)
    others = [-float(place) for place in range(0, total, step) if place not in hit]
    return area("auroc", [-float(place) for place in places], others)


def _by_group(kind: str, rank: dict[str, int], group_of: dict[str, str]) -> list[Metric]:
    """Coverage at 10 % for groups of listed CVEs that are large enough, for the rest together, and the widest gap."""
    sizes = Counter(group_of.values())
    large = [group for group, count in sizes.most_common(5) if count >= MIN_GROUP]
    parts = {f"{kind}_{group.replace(' ', '_')[:30]}": {group} for group in large}
    parts[f"rare_{kind}s"] = {group for group, count in sizes.items() if count < MIN_GROUP}
    found = []
    for part, groups in parts.items():
        mine = [name for name, group in group_of.items() if group in groups]
        found.append(proportion(f"coverage_10_{part}", sum(rank[name] < len(rank) / 10 for name in mine), len(mine)))
    served = sorted((each for each in found if each.n), key=lambda each: each.estimate)
    return [*found, difference(f"gap_coverage_{kind}", served[-1], served[0])] if served else found


def _samples(scored: Scored, hits: set[str]) -> tuple[Sample, ...]:
    """The first of the ranking and every listed one."""
    kept = []
    for number, name in enumerate(scored.names):
        if number < MAX_SAMPLES_KEPT or name in hits:
            said = f"rank {number + 1}, chance {float(scored.probabilities[number, 1]):.5f}"
            kept.append(Sample(name, name, said, float(name in hits)))
    return tuple(kept)
