"""Trains the misuse model and writes the weights that ship, with their digest.  Needs the extra `train`.

python train/misuse.py --data ../shared/data/misuse/misuse_dev.parquet
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import msgspec
import numpy as np
from misuse_model import Table, fit
from misuse_rows import DEVELOPMENT, development_rows, lexicon, written_rows
from misuse_validation import area, calibrated, left_out_sources, recalls
from misuse_weights import assemble

from glasshouse.guard.misuse.model import Manifest, Weights

DATA = Path(__file__).resolve().parents[1] / "src" / "glasshouse" / "guard" / "misuse" / "data"
LICENCE = "Apache-2.0"


def write(weights: Weights, folder: Path = DATA) -> None:
    """The weights file and its manifest."""
    raw = msgspec.msgpack.encode(weights)
    (folder / "weights.msgpack").write_bytes(raw)
    manifest = Manifest(file="weights.msgpack", sha256=hashlib.sha256(raw).hexdigest(), licence=LICENCE)
    (folder / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def main() -> None:
    """Trains on every row; calibrates on the folds of left-out sources and prints what they showed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DEVELOPMENT, help="labelled rows, see the data sheet")
    rows = development_rows(parser.parse_args().data) + written_rows()
    table = Table(rows, lexicon())
    every = np.arange(len(rows))
    parts = list(left_out_sources(table, rows))
    for each in parts:
        low, high = recalls(table, each, 0.01), recalls(table, each, 0.05)
        shown = ", ".join(f"{name} {low[name]:.2f}/{high[name]:.2f}" for name in high)
        print(f"{each.name:24} AUROC {area(table, each):.3f}  recall at 1 % / 5 %: {shown}")
    weights = calibrated(assemble(table, fit(table, every), every, rows), table, rows, parts)
    write(weights)
    print(weights.thresholds)


if __name__ == "__main__":
    main()
