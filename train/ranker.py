"""Trains the ranker of `glasshouse scan` and writes the weights that ship, with their digest.

    python train/ranker.py [--truth ../shared/data/scan] --root SOURCES

Needs numpy (extra `train`) and the labelled set of bench/scan_quality.py: `--truth` has the labels and the scorer,
`--root` the source files.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from glasshouse.scan.judge.model import Manifest, Weights
from train.ranker_fit import assembled, calibration, fit, table_of
from train.ranker_rows import rows_of
from train.ranker_validation import area, baseline, left_out, pooled

DATA = Path(__file__).resolve().parents[1] / "src" / "glasshouse" / "scan" / "judge" / "data"
LICENCE = "Apache-2.0"
LANGUAGES = ("python", "javascript", "java", "c", "go")


def write(weights: Weights, folder: Path = DATA) -> None:
    """The weights file and its manifest."""
    folder.mkdir(exist_ok=True)
    raw = msgspec.json.format(msgspec.json.encode(weights), indent=1) + b"\n"
    (folder / "weights.json").write_bytes(raw)
    manifest = Manifest(file="weights.json", sha256=hashlib.sha256(raw).hexdigest(), licence=LICENCE)
    (folder / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def main() -> None:
    """Trains on every row; calibrates on the folds of left-out sources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, default=Path("../shared/data/scan"))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    options = parser.parse_args()
    table = table_of(rows_of(options.truth, options.root, options.languages.split(",")))
    parts = left_out(table)
    plain = baseline(table)
    for part in parts:
        weak = table.weak[part.chosen]
        ours, theirs = area(part.odds[part.chosen], weak), area(plain[part.chosen], weak)
        print(f"{part.name:10} {len(weak):5} rows, {(~weak).sum():4} safe: AUROC {ours:.3f}, baseline {theirs:.3f}")
    odds, chosen = pooled(table, parts)
    slope, offset = calibration(odds, table, chosen)
    weights = assembled(table, fit(table, np.ones(len(table.weak), dtype=bool)), slope, offset)
    write(weights)
    print(msgspec.json.format(msgspec.json.encode(weights), indent=1).decode())


if __name__ == "__main__":
    main()
