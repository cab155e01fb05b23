"""How well the forecast ranks at publication: 1, 7 and 30 days after, from the record as it stood; listed within 90
days.

    python bench/forecast_publication.py [--data FOLDER] [--workers N]

Only the record is read (the variant without counts of mentions).  Each row is scored by models that knew only label
windows closed at the landmark before it.  CVEs listed by then are left out.  Needs the extra `train`; about ten
minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from forecast import FIGURES, shown
from train.forecast_chain import fit, note, to_learn
from train.forecast_data import CUT, DEFAULT, Dataset, load
from train.forecast_fit import NEVER, TEXT_SHARE, Array, Landmark, Texts, usable

from glasshouse.forecast.background import Background
from glasshouse.forecast.evaluate import Ranked, bootstrap, figures, paired
from glasshouse.forecast.facts import Affected, AnyClaim, Day, Fact, Severity, Text, Weaknesses, day, known_on
from glasshouse.forecast.features import NAMES, name_text, vector
from glasshouse.forecast.model import TextModel
from glasshouse.forecast.text import words

HORIZON = 90
LANDMARKS = tuple(day(text) for text in ("2024-04-01", "2024-07-01", "2024-10-01"))
SSVC = {"none": 0.0, "poc": 1.0, "active": 2.0}


def main() -> None:
    """Prints a Markdown table for each delay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes")
    options = parser.parse_args()
    data = load(options.data)
    texts = Texts(data)
    learn = to_learn(data, texts, Day(max(LANDMARKS) - HORIZON), workers=options.workers)
    run(data, texts, learn, parquet.read_table(options.data / "published_asof.parquet").to_pylist())


def run(data: Dataset, texts: Texts, learn: Sequence[Landmark], rows: Sequence[dict[str, Any]]) -> None:
    """Scores every row by the models of the landmark before it."""
    found: dict[int, dict[str, dict[int, list[float]]]] = {}
    labels: dict[int, dict[int, list[bool]]] = {}
    for number, moment in enumerate(LANDMARKS):
        end = LANDMARKS[number + 1] if number + 1 < len(LANDMARKS) else Day(CUT - HORIZON + 1)
        text = TextModel(texts.weights(moment))
        model = fit(usable(learn, moment, HORIZON), "record", HORIZON)
        note("models fitted")
        chosen = [row for row in rows if moment <= day(row["published"]) + row["D"] < end]
        for delay, row, scores in scored(data, chosen, text, model):
            labels.setdefault(delay, {}).setdefault(number, []).append(
                data.listed.get(row["cve"], NEVER) <= day(row["published"]) + delay + HORIZON
            )
            for name, score in scores.items():
                found.setdefault(delay, {}).setdefault(name, {}).setdefault(number, []).append(score)
    for delay in sorted(found):
        days = {
            name: [Ranked(np.array(parts[number]), np.array(labels[delay][number])) for number in sorted(parts)]
            for name, parts in found[delay].items()
        }
        report(delay, days)


def scored(data: Dataset, rows: Sequence[dict[str, Any]], text: TextModel, model: Callable[[Array], Array]) -> Any:
    """Delay, row and scores of the rows whose CVE was not listed by then."""
    backgrounds: dict[Day, Background] = {}
    kept, table = [], []
    for row in rows:
        moment = Day(day(row["published"]) + row["D"])
        if data.listed.get(row["cve"], NEVER) <= moment:
            continue
        month = Day(moment - moment % 30)
        if month not in backgrounds:
            backgrounds[month] = Background(month, data.listings(month))
        claims = record(row)
        known = known_on(row["cve"], [Fact(row["cve"], month, "record", claim) for claim in claims], month)
        if known is None:
            continue
        tokens = words(name_text(known))
        table.append([*vector(known, backgrounds[month], tokens), text.score(tokens)])
        kept.append(row)
    values = np.array(table)
    values[:, NAMES.index("age_seen")] = np.log1p([row["D"] for row in kept])
    combined = model(values) + TEXT_SHARE * values[:, -1]
    for row, inputs, score in zip(kept, values, combined, strict=True):
        yield (
            row["D"],
            row,
            {
                "CVSS base score": inputs[NAMES.index("cvss")],
                "SSVC: exploitation": SSVC.get(row["ssvc_exploitation"] or "", float("nan")),
                "rule: exploit word in the references": float(bool(row["ref_has_exploit_word"])),
                "text score alone": inputs[-1],
                "**glasshouse, record only**": float(score),
            },
        )


def record(row: dict[str, Any]) -> list[AnyClaim]:
    """The claims of a record as it stood."""
    claims: list[AnyClaim] = [Text(row["desc"] or "")]
    numbers = tuple(int(part[4:]) for part in (row["cwes"] or "").replace(";", " ").split() if part[4:].isdigit())
    if numbers:
        claims.append(Weaknesses(numbers))
    pairs = [part.split("|", 1) for part in (row["vendor_product"] or "").split("; ") if "|" in part]
    if pairs:
        claims.append(Affected(tuple((vendor.strip(), product.strip()) for vendor, product in pairs)))
    for version, column in (("3.1", "cvss_v31"), ("3.0", "cvss_v30"), ("4.0", "cvss_v4"), ("2.0", "cvss_v2")):
        if row[column] is not None:
            claims.append(Severity(version, row[f"{column}_vec"] or "", row[column]))
    return claims


def report(delay: int, days: dict[str, list[Ranked]]) -> None:
    """A table of one delay."""
    ours = days["**glasshouse, record only**"]
    total = figures(ours).positives
    print(f"\n#### {delay} days after publication: {sum(len(each.label) for each in ours):,} CVEs, {total} listed\n")
    print(f"| ranking | {' | '.join(name for name, _ in FIGURES[:5])} |\n| --- | --- | --- | --- | --- | --- |")
    for name, ranked in days.items():
        print(f"| {name} | {' | '.join(shown(bootstrap(ranked, figure)) for _, figure in FIGURES[:5])} |")
    for peer in ("CVSS base score", "text score alone"):
        gains = [shown(paired(ours, days[peer], figure), sign=True) for _, figure in FIGURES[:5]]
        print(f"| gain over {peer} | {' | '.join(gains)} |")


if __name__ == "__main__":
    main()
