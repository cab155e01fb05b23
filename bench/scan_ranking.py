"""Whether the ranker of `glasshouse scan` puts what is really weak first: on sources that it never saw.

    python bench/scan_ranking.py --truth DIR --root SOURCES [--languages python,javascript,java,c,go]

DIR and SOURCES are those of bench/scan_quality.py.  Each source is left out once, a ranker is trained on the others,
and orders what the scan found at the labelled places of that source.  The peer in the same folds is the order that
reports had before there was a ranker: severity, then confidence; where it leaves the order open, the figure is what to
expect of a random one.  Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from train import ranker_fit as fitting
from train import ranker_rows as data
from train import ranker_validation as validation

LANGUAGES = "python,javascript,java,c,go"
BINS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.01)


def main() -> int:
    """Scan, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--languages", default=LANGUAGES)
    options = parser.parse_args()
    made = fitting.table_of(data.rows_of(options.truth, options.root, options.languages.split(",")))
    parts = validation.left_out(made)
    print(f"{machine()}\n")
    print(order(made, parts))
    print(f"\n{reliability(made, parts)}")
    print(f"\nBrier score {validation.brier(made, parts):.3f}; 0.25 is always saying one half.")
    return 0


def order(made: Any, parts: list[Any]) -> str:
    """Precision among the first and AUROC, per left-out source, for both orders."""
    rows = []
    odds, every = validation.pooled(made, parts)
    plain = validation.baseline(made)
    for name, chosen, scores in [*((part.name, part.chosen, part.odds) for part in parts), ("all", every, odds)]:
        weak = made.weak[chosen]
        for order_name, values in (("ranker", scores[chosen]), ("severity, confidence", plain[chosen])):
            first = [f"{validation.precision(values, weak, count):.3f}" for count in validation.FIRST]
            last = f"{1 - validation.precision(-values, weak, 20):.2f}"
            area = f"{validation.area(values, weak):.3f}"
            rows.append([name, order_name, str(len(weak)), str(int((~weak).sum())), *first, last, area])
        rows += within(made, name, chosen, scores, plain)
    return table(["left out", "order", "findings", "safe", "P@20", "P@50", "P@100", "safe in last 20", "AUROC"], rows)


def within(made: Any, name: str, chosen: np.ndarray, scores: np.ndarray, plain: np.ndarray) -> Iterator[list[str]]:
    """The same inside one language, where a source has several and enough safe places."""
    languages = np.array([row.language for row in made.rows])
    found = np.unique(languages[chosen])
    if name == "all" or len(found) == 1:
        return
    for language in found:
        own = chosen & (languages == language)
        weak = made.weak[own]
        if (~weak).sum() < 20:
            continue
        for order_name, values in (("ranker", scores[own]), ("severity, confidence", plain[own])):
            first = [f"{validation.precision(values, weak, count):.3f}" for count in validation.FIRST]
            last = f"{1 - validation.precision(-values, weak, 20):.2f}"
            area = f"{validation.area(values, weak):.3f}"
            yield [f"{name}, {language} only", order_name, str(len(weak)), str(int((~weak).sum())), *first, last, area]


def reliability(made: Any, parts: list[Any]) -> str:
    """What the ranker says beside what was right."""
    rows = [
        [f"{low:.1f} to {min(high, 1.0):.1f}", str(count), f"{said:.2f}", f"{right:.2f}"]
        for low, high, count, said, right in validation.reliability(made, parts, BINS)
    ]
    return table(["probability", "findings", "mean said", "share weak, at equal numbers"], rows)


if __name__ == "__main__":
    sys.exit(main())
