"""Fits the forecast model and writes the weights that ship with the package.

    python -m train.forecast [--monthly] [--keep FILE] [--data FOLDER] [--output FILE]

About ten minutes of one core, a quarter of an hour with ``--monthly``.  Beside the weights goes a record of the
training (train/records), which documents are computed from.  Needs the extra `train`.  The same data give the same
file, but for rounding.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from glasshouse.dossier.evidence import Training
from glasshouse.forecast.facts import Day, iso
from glasshouse.forecast.model import (
    FORMAT,
    HORIZONS,
    INPUTS,
    SHIPPED,
    Calibration,
    Reliability,
    StepModel,
    StepWeights,
    VariantWeights,
    Weights,
    mixed,
    together,
)
from glasshouse.forecast.priority import RATES, WeaknessRates
from glasshouse.forecast.trees import TreeModel, TreeWeights
from glasshouse.words.digests import sha256_of
from train.forecast_chain import (
    MONTHLY,
    QUARTERLY,
    VARIANTS,
    Chained,
    blank,
    chain,
    levels,
    note,
    prepare,
    spread,
    write,
)
from train.forecast_data import CUT, DEFAULT, INDEX, KEV, RECORD, Dataset, load
from train.forecast_fit import (
    NEVER,
    Array,
    Landmark,
    Scores,
    Texts,
    chances,
    examples,
    fit_slope,
    fit_steps,
    fit_trees,
    landmark,
    level,
    levelled,
    usable,
)
from train.record import Clocked, add_options, clocked, files_digest, write_record

SOURCES = {
    INDEX: ("trickest/cve", "MIT; descriptions under the CVE terms of use"),
    RECORD: ("CISA Vulnrichment", "CC0-1.0; CVE terms of use"),
    "module-list": ("RogoLabs/patchthisapp", "Apache-2.0"),
    KEV: ("CISA KEV", "CC0-1.0"),
}
"""Source of a fact -> its name and licence."""
FEWEST = 20
"""CVEs of a weakness class below which no rate is given."""
BINS = (0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)
ATTRIBUTION = (
    "Derived from: trickest/cve (MIT), CISA vulnrichment and KEV (CC0-1.0), RogoLabs/patchthisapp (Apache-2.0); "
    "descriptions are from CVE records, (c) The MITRE Corporation, CVE terms of use."
)


def main() -> None:
    """Fits, calibrates on forward-chained forecasts, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT, help="folder of the development data set")
    parser.add_argument("--output", type=Path, default=SHIPPED)
    parser.add_argument("--keep", type=Path, help="also write the forecasts of the past here, for bench/forecast.py")
    parser.add_argument("--monthly", action="store_true", help="and keep those of every month")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes; the result is the same")
    add_options(parser)
    options = parser.parse_args()
    if options.record_only:
        known = record(options.data, load(options.data), options.output)
        note(str(write_record(known, Clocked(remark=options.remark), options.records)))
        return
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    landmarks = MONTHLY if options.monthly else QUARTERLY
    data, texts, learn, full = prepare(options.data, landmarks=landmarks, workers=options.workers)
    chained = chain(learn, full, workers=options.workers)
    if options.keep is not None:
        write(options.keep, chained, levels(texts, chained))
    chained = [each for each in chained if each.day in QUARTERLY]
    past, now = usable(learn, CUT, 90), landmark(data, texts, CUT, 1.0)
    fitted = dict(zip(VARIANTS, spread(lambda each: fit_variant(past, each), VARIANTS, options.workers), strict=True))
    scores = scores_now(fitted, now)
    variants = {
        variant: variant_weights(fitted[variant], chained, texts, now, scores[variant], variant) for variant in VARIANTS
    }
    weights = Weights(
        format=FORMAT,
        version=f"kev-3 ({iso(CUT)})",
        trained_until=iso(CUT),
        inputs=INPUTS,
        text=texts.weights(CUT),
        variants=variants,
        listings=tuple((each.day, each.vendor, each.product, each.cwes) for each in data.listings(CUT)),
        attribution=ATTRIBUTION,
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(msgspec.msgpack.encode(weights))
    note(f"{options.output}: {options.output.stat().st_size:,} bytes")
    RATES.write_bytes(msgspec.json.format(msgspec.json.encode(weakness_rates(data, texts)), indent=1) + b"\n")
    clock = clocked(started, time.perf_counter() - begun)
    note(str(write_record(record(options.data, data, options.output), clock, options.records)))


def record(folder: Path, data: Dataset, weights: Path) -> Training:
    """What is known about a weights file: rows are CVEs of the mention index, labels are listings until the cut."""
    of_source = Counter(source for facts in data.facts.values() for source in {fact.source for fact in facts})
    known = [name for name in data.facts if name in data.indexed and data.indexed[name] <= CUT]
    listed = sum(name in data.listed and data.listed[name] <= CUT for name in known)
    return Training(
        model="forecaster",
        weights_digest=sha256_of(weights.read_bytes()),
        code_digest=files_digest(Path(__file__).parent.glob("forecast*.py")),
        data_digest=files_digest(folder / name for name in ("cves.parquet", "mentions.parquet")),
        split={"training": len(known)},
        sources=tuple((name, licence, of_source[source]) for source, (name, licence) in SOURCES.items()),
        labels={"listed": listed, "not listed": len(known) - listed},
        settings={"listings until": iso(CUT)},
    )


Fitted = tuple[TreeWeights, StepWeights]


def fit_variant(past: Sequence[Landmark], variant: str) -> Fitted:
    """Trees and steps of all landmarks."""
    told = examples(past, 90, variant)
    return fit_trees(told), fit_steps(told)


def scores_now(fitted: dict[str, Fitted], now: Landmark) -> dict[str, Scores]:
    """What the fitted variants say of the CVEs that are open on the last day."""
    raw = {
        variant: together(TreeModel(trees).score(seen), StepModel(steps).score(seen))
        for variant, (trees, steps) in fitted.items()
        for seen in [blank(now.rows, variant)]
    }
    raw["full"] = mixed(raw["full"], raw["record"])
    return {variant: Scores(each, now.rows[:, -1]) for variant, each in raw.items()}


def variant_weights(
    fitted: Fitted, chained: Sequence[Chained], texts: Texts, now: Landmark, scores: Scores, variant: str
) -> VariantWeights:
    """With calibration and reliability from forecasts made without seeing the outcome."""
    calibration, reliability = calibrate(chained, texts, variant, scores)
    typical = blank(np.nanmedian(now.rows[now.until >= NEVER // 2], axis=0)[None], variant)[0]
    return VariantWeights(*fitted, calibration, reliability, tuple(float(value) for value in typical))


def calibrate(
    chained: Sequence[Chained], texts: Texts, variant: str, now: Scores
) -> tuple[dict[str, Calibration], dict[str, tuple[Reliability, ...]]]:
    """For each horizon: the calibration for what is open now, and how past forecasts of the same level came out."""
    calibration, reliability = {}, {}
    for horizon in HORIZONS:
        closed = [each for each in chained if each.day + horizon <= CUT]
        past = [Scores(each.raw[variant], each.text) for each in closed]
        labels = [each.until <= horizon for each in closed]
        slope, share = fit_slope(past, labels), level(texts, CUT, horizon)
        calibration[str(horizon)] = levelled(slope, now, share)
        before = [chances(levelled(slope, each, share), each) for each in past]
        reliability[str(horizon)] = reliability_rows(np.concatenate(before), np.concatenate(labels))
    return calibration, reliability


def reliability_rows(probability: Array, label: Array) -> tuple[Reliability, ...]:
    """Forecasts in groups from the lowest half to the highest ten-thousandth."""
    edges = [*np.quantile(probability, BINS[:-1]), 1.0]
    rows, below = [], -1.0
    for edge in edges:
        inside = (probability > below) & (probability <= edge)
        if inside.any():
            mean = float(probability[inside].mean())
            rows.append(Reliability(float(edge), int(inside.sum()), mean, int(label[inside].sum())))
        below = edge
    return tuple(rows)


def weakness_rates(data: Dataset, texts: Texts) -> WeaknessRates:
    """Per CWE: CVEs known, of these ever listed, listed in the last two years."""
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    recent = Day(CUT - 730)
    total = [0, 0, 0]
    for name in texts.names:
        listed = data.listed.get(name, NEVER)
        numbers = {number for fact in data.facts[name] for number in getattr(fact.claim, "cwes", ())}
        for row in (*(counts[number] for number in numbers), *([total] if numbers else [])):
            row[0] += 1
            row[1] += listed <= CUT
            row[2] += recent < listed <= CUT
    return WeaknessRates(
        origin="CVEs of the mention index of trickest/cve with a CWE number, against CISA's KEV catalogue",
        licence="MIT (trickest/cve), CC0-1.0 (KEV)",
        as_of=iso(CUT),
        total=(total[0], total[1], total[2]),
        weaknesses={str(number): (a, b, c) for number, (a, b, c) in sorted(counts.items()) if a >= FEWEST},
    )


if __name__ == "__main__":
    main()
