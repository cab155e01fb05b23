"""Trains the misuse model and writes the weights that ship, with their digest.  Needs the extra `train`.

python train/misuse.py --data ../shared/data/misuse/misuse_dev.parquet

Beside the weights goes a record of the training (train/records), which documents are computed from.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from glasshouse.dossier.evidence import Training
from glasshouse.guard.misuse.model import Manifest, Weights
from glasshouse.words.digests import sha256_of
from train.misuse_model import Table, fit
from train.misuse_rows import DEVELOPMENT, HERE, Row, development_rows, lexicon, licence_of_rows, written_rows
from train.misuse_validation import area, calibrated, left_out_sources, recalls
from train.misuse_weights import assemble
from train.record import Clocked, add_options, by_source, clocked, files_digest, write_record

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
    parser.add_argument("--output", type=Path, default=DATA, help="folder of weights and manifest")
    add_options(parser)
    options = parser.parse_args()
    rows = development_rows(options.data) + written_rows()
    if options.record_only:
        known = record(options.data, rows, options.output)
        print(write_record(known, Clocked(remark=options.remark), options.records))
        return
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    table = Table(rows, lexicon())
    every = np.arange(len(rows))
    parts = list(left_out_sources(table, rows))
    for each in parts:
        low, high = recalls(table, each, 0.01), recalls(table, each, 0.05)
        shown = ", ".join(f"{name} {low[name]:.2f}/{high[name]:.2f}" for name in high)
        print(f"{each.name:24} AUROC {area(table, each):.3f}  recall at 1 % / 5 %: {shown}")
    weights = calibrated(assemble(table, fit(table, every), every, rows), table, rows, parts)
    write(weights, options.output)
    print(weights.thresholds)
    clock = clocked(started, time.perf_counter() - begun)
    print(write_record(record(options.data, rows, options.output), clock, options.records))


def record(data: Path, rows: list[Row], folder: Path) -> Training:
    """What is known about the weights in a folder: every row was trained on, none was kept to test."""
    raw = (folder / "weights.msgpack").read_bytes()
    weights = msgspec.msgpack.decode(raw, type=Weights)
    licences = licence_of_rows(data)
    sources = [(row.source, "CC0-1.0" if row.written else licences[row.source]) for row in rows]
    return Training(
        model="misuse-screener",
        weights_digest=sha256_of(raw),
        code_digest=files_digest((*HERE.glob("misuse*.py"), *HERE.glob("misuse*.yaml"))),
        data_digest=files_digest((data, HERE / "misuse_documents.yaml", HERE / "misuse_templates.yaml")),
        split={"training": len(rows)},
        sources=by_source(sources),
        labels=dict(Counter(row.label for row in rows)),
        parameters=len(weights.misuse) + 1 + sum(map(len, weights.category_weights)) + len(weights.category_bias),
        settings={"calibrated on": "forecasts for sources left out in turn"},
    )


if __name__ == "__main__":
    main()
