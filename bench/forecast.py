"""How well the forecast ranks and how well its chances hold, on the development data, beside simple rules and EPSS.

    python bench/forecast.py [--monthly] [--data FOLDER] [--keep FILE.npz] [--beside NAME FILE.npz SHARE]...

Forward chaining: at each landmark the models know only label windows that had closed.  The training itself takes
about ten minutes on one core; ``--keep`` stores its forecasts, and reads them the next time.  ``--beside`` takes what
another state of the code kept (and its weight of the text score), and adds its row and the gain over it, paired.
``--monthly`` takes every month from 2023-07 on instead of every quarter, a quarter of an hour: more CVEs to choose a
model by.  What was kept of every month (also by ``python -m train.forecast --monthly --keep FILE``) holds the quarters
too.  Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train.forecast_chain import DEVELOPMENT, MONTHLY, QUARTERLY, VARIANTS, Chained, chain, levels, prepare, read, write
from train.forecast_data import DEFAULT
from train.forecast_fit import TEXT_SHARE, Scores, chances, fit_slope, levelled

from glasshouse.forecast.evaluate import (
    Figures,
    Interval,
    Ranked,
    bootstrap,
    brier_skill,
    figures,
    paired,
    reliability,
)
from glasshouse.forecast.facts import Day, day, iso
from glasshouse.forecast.features import NAMES

Array = npt.NDArray[np.float64]
HORIZON = 90
COLUMN = {name: number for number, name in enumerate(NAMES)}
NEW_DAYS = 365

FIGURES: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("ROC-AUC", lambda found: found.roc_auc),
    ("AP", lambda found: found.average_precision),
    ("cov 1 %", lambda found: found.coverage[0]),
    ("cov 5 %", lambda found: found.coverage[1]),
    ("cov 10 %", lambda found: found.coverage[2]),
    ("p@100", lambda found: found.precision_100),
    ("p@500", lambda found: found.precision_500),
)


def main() -> None:
    """Prints Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--keep", type=Path, help="forecasts to read, or to write when the file does not exist")
    parser.add_argument(
        "--beside",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "FILE", "SHARE"),
        help="forecasts that another state of the code kept, and its weight of the text score",
    )
    parser.add_argument("--draw", type=int, default=0, help="another draw of rows and seeds, to see what that decides")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--monthly", action="store_true", help="every month instead of every quarter")
    options = parser.parse_args()
    landmarks = MONTHLY if options.monthly else QUARTERLY
    chained, shares = forecasts(options.data, options.keep, landmarks, options.draw, options.workers)
    probability = {variant: calibrated(chained, shares, variant) for variant in VARIANTS}
    for name, file, share in options.beside:
        other, _ = read(Path(file), landmarks)
        if [each.names for each in other] != [each.names for each in chained]:
            parser.error(f"{file} is about other rows")
        probability[name] = calibrated(other, shares, "full", float(share))
    tested = [number for number, each in enumerate(chained) if probability["full"][number] is not None]
    if options.monthly:
        monthly(chained, probability, tested)
        return
    development = [number for number, each in enumerate(chained) if each.day in DEVELOPMENT]
    for title, chosen in (
        ("Development landmarks", development),
        ("All landmarks with a calibration of their past", tested),
    ):
        days = ", ".join(iso(chained[number].day) for number in chosen)
        print(f"\n#### {title} ({days}), {HORIZON} days\n")
        rank(chained, probability, chosen)
    print("\n#### First seen in the year before, development landmarks\n")
    rank(chained, probability, development, new_only=True)
    print("\n#### Calibration, development landmarks\n")
    calibration(chained, probability, development)
    print("\n#### Beside EPSS, on the CVEs that the list of modules and high scores holds (a selected set)\n")
    beside_epss(options.data, chained, probability, development)


def monthly(chained: Sequence[Chained], probability: dict[str, list[Array | None]], tested: Sequence[int]) -> None:
    """The tables over all months, over those before the last quarter of landmarks, and a row for each."""
    last = DEVELOPMENT[-1] - HORIZON
    print("\n#### Months whose windows had closed by the last landmark: choose a model by these\n")
    rank(chained, probability, [number for number in tested if chained[number].day <= last])
    print("\n#### All months\n")
    rank(chained, probability, tested)
    print("\n#### By month\n")
    print("| landmark | rows | listed | AP | cov 1 % | cov 5 % | cov 10 % | expected / observed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for number in tested:
        each, value = chained[number], probability["full"][number]
        assert value is not None
        label = each.until <= HORIZON
        found = figures([Ranked(value, label)])
        shares = " | ".join(f"{share:.3f}" for share in found.coverage)
        ratio = value.sum() / max(label.sum(), 1)
        cells = f"{len(label):,} | {label.sum()} | {found.average_precision:.3f} | {shares} | {ratio:.2f}"
        print(f"| {iso(each.day)} | {cells} |")


def forecasts(
    data: Path, keep: Path | None, landmarks: Sequence[Day], draw: int = 0, workers: int = 1
) -> tuple[list[Chained], Array]:
    """Forward-chained forecasts and the level of listings known at each landmark, from a file or anew."""
    if keep is not None and keep.exists():
        return read(keep, landmarks)
    _, texts, learn, full = prepare(data, draw, landmarks, workers)
    chained = chain(learn, full, HORIZON, draw, workers)
    known_levels = levels(texts, chained, HORIZON)
    if keep is not None:
        write(keep, chained, known_levels)
    return chained, known_levels


def calibrated(
    chained: Sequence[Chained], levels: Array, variant: str, share: float = TEXT_SHARE
) -> list[Array | None]:
    """Probabilities by a calibration that knows only landmarks whose window had closed; None where there is none.

    Level and spread are those of the CVEs open on the day, of which no outcome is known yet.
    """
    scores = [Scores(each.raw[variant] + (share - TEXT_SHARE) * each.text, each.text) for each in chained]
    found: list[Array | None] = []
    for number, (each, known_level) in enumerate(zip(chained, levels, strict=True)):
        past = [other for other in range(len(chained)) if chained[other].day + HORIZON <= each.day]
        if not past:
            found.append(None)
            continue
        slope = fit_slope([scores[other] for other in past], [chained[other].until <= HORIZON for other in past])
        found.append(chances(levelled(slope, scores[number], float(known_level)), scores[number]))
    return found


def scorers(each: Chained, probability: dict[str, Array]) -> dict[str, Array]:
    """All rankings of a landmark."""
    column = {name: each.rows[:, number] for name, number in COLUMN.items()}
    mentions = np.expm1(column["repositories"]) + 2 * np.expm1(column["dedicated"])
    return {
        "CVSS base score, where known": column["cvss"],
        "rule: any public proof": ((column["references"] > 0) | (column["dedicated"] > 0)).astype(float),
        "listings of the vendor, 365 days": column["vendor_year"],
        "count of mentions": mentions,
        "text score alone": each.text,
        **{name: score for name, score in probability.items() if name not in VARIANTS},
        "**glasshouse, record only**": probability["record"],
        "**glasshouse**": probability["full"],
    }


def rank(
    chained: Sequence[Chained],
    probability: dict[str, list[Array | None]],
    chosen: Sequence[int],
    *,
    new_only: bool = False,
) -> None:
    """A row for each ranking, and the gain of ours over the best of the others."""
    days: dict[str, list[Ranked]] = {}
    for number in chosen:
        each = chained[number]
        ours = {name: value for name, values in probability.items() if (value := values[number]) is not None}
        keep = np.expm1(each.rows[:, COLUMN["age_seen"]]) <= NEW_DAYS if new_only else np.ones(len(each.names), bool)
        label = (each.until <= HORIZON)[keep]
        exploited = tuple(np.array(each.names)[keep][label])
        for name, score in scorers(each, ours).items():
            days.setdefault(name, []).append(Ranked(score[keep], label, exploited))
    total = figures(days["**glasshouse**"]).positives
    print(f"{sum(len(each.label) for each in days['**glasshouse**']):,} rows, {total} listed.\n")
    print(f"| ranking | {' | '.join(name for name, _ in FIGURES)} |")
    print(f"| --- | {' | '.join('---' for _ in FIGURES)} |")
    for name, ranked in days.items():
        print(f"| {name} | {' | '.join(shown(bootstrap(ranked, figure)) for _, figure in FIGURES)} |")
    for peer in ("count of mentions", "text score alone", *(name for name in probability if name not in VARIANTS)):
        gains = [shown(paired(days["**glasshouse**"], days[peer], figure), sign=True) for _, figure in FIGURES]
        print(f"| gain over {peer} | {' | '.join(gains)} |")


def shown(found: Interval, *, sign: bool = False) -> str:
    """A figure with its 90 % interval."""
    form = "+.3f" if sign else ".3f"
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"


def calibration(chained: Sequence[Chained], probability: dict[str, list[Array | None]], chosen: Sequence[int]) -> None:
    """Expected and observed, by landmark and by size of the forecast."""
    print("| landmark | expected | observed | expected / observed | Brier skill |\n| --- | --- | --- | --- | --- |")
    values = [value for number in chosen if (value := probability["full"][number]) is not None]
    labels = [chained[number].until <= HORIZON for number in chosen]
    for number, value, label in zip(chosen, values, labels, strict=True):
        row(iso(chained[number].day), value, label)
    pooled, outcome = np.concatenate(values), np.concatenate(labels)
    row("together", pooled, outcome)
    print("\n| forecasts | how many | expected | observed |\n| --- | --- | --- | --- |")
    names = ("lowest half", "next 40 %", "next 9 %", "next 0.9 %", "highest 0.1 %")
    for name, each in zip(names, reliability(pooled, outcome), strict=True):
        print(f"| {name} | {each.forecasts:,} | {each.expected:.1f} | {each.observed} |")


def row(name: str, value: Array, label: npt.NDArray[np.bool_]) -> None:
    """One line of the table of calibration."""
    ratio = value.sum() / label.sum()
    print(f"| {name} | {value.sum():.1f} | {label.sum()} | {ratio:.2f} | {brier_skill(value, label):+.4f} |")


def beside_epss(
    data: Path, chained: Sequence[Chained], probability: dict[str, list[Array | None]], chosen: Sequence[int]
) -> None:
    """Both on the rows for which an EPSS score of that date exists.

    These were selected by having a module or a score of 0.95 and more, and EPSS predicts something else: no verdict
    on EPSS.
    """
    import pyarrow.parquet as parquet

    latest: dict[str, list[tuple[int, float]]] = {}
    for entry in parquet.read_table(data / "epss_listed_weekly.parquet").to_pylist():
        latest.setdefault(entry["cve"], []).append((day(entry["date"]), entry["epss"]))
    days: dict[str, list[Ranked]] = {"EPSS": [], "glasshouse": []}
    for number in chosen:
        each, ours = chained[number], probability["full"][number]
        assert ours is not None
        score = np.array([_latest(latest.get(name, []), each.day) for name in each.names])
        known = ~np.isnan(score)
        days["EPSS"].append(Ranked(score[known], (each.until <= HORIZON)[known]))
        days["glasshouse"].append(Ranked(ours[known], (each.until <= HORIZON)[known]))
    print(f"{sum(len(each.label) for each in days['EPSS']):,} rows, {figures(days['EPSS']).positives} listed.\n")
    print(f"| ranking | {' | '.join(name for name, _ in FIGURES[:5])} |\n| --- | --- | --- | --- | --- | --- |")
    for name, ranked in days.items():
        print(f"| {name} | {' | '.join(shown(bootstrap(ranked, figure)) for _, figure in FIGURES[:5])} |")


def _latest(scores: Sequence[tuple[int, float]], moment: Day) -> float:
    return max(((at, score) for at, score in scores if moment - 14 <= at <= moment), default=(0, float("nan")))[1]


if __name__ == "__main__":
    main()
