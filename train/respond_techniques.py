"""Trains the ranker of techniques (src/glasshouse/respond/data/techniques.json) and cross-validates it.

python train/respond_techniques.py --data DIR [--rules DIR]

DIR is a folder of labelled recordings as bench/respond.py describes it.  Folds keep recordings with the same set of
labels together, so that a technique never seen in training is what the score is about.  Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from respond_data import Recording, detections_of, recordings, rules_in

from glasshouse.dossier.evidence import Training
from glasshouse.respond.group.attack import of_this_version, parent
from glasshouse.respond.group.techniques import MODEL, Ranker, candidates
from glasshouse.words.digests import sha256_of
from glasshouse.words.incident import Detection
from train.record import Clocked, add_options, by_source, clocked, files_digest, write_record
from train.respond_trees import boosted

Found = dict[str, list[Detection]]
FOLDS = 5


def truth(recording: Recording) -> set[str]:
    """The labels, folded to parents."""
    return {parent(of_this_version(each)) for each in recording.techniques}


def common(found: Found) -> dict[str, float]:
    """How often rules speak of a technique, over recordings of any kind; labels are not looked at."""
    counts = Counter(each for group in found.values() for each in candidates(group, {}))
    total = sum(1 for group in found.values() if group)
    return {each: round(math.log(count / total), 4) for each, count in sorted(counts.items())}


def fitted(labelled: list[Recording], found: Found, shares: dict[str, float]) -> Ranker:
    """A ranker from the candidates of some recordings."""
    rows, hits = [], []
    for each in labelled:
        for technique, row in candidates(found[each.id], shares).items():
            rows.append(row)
            hits.append(technique in truth(each))
    return Ranker(boosted(rows, hits, trees=100, rate=0.1, leaf=5), shares)


def folds(labelled: list[Recording]) -> list[list[Recording]]:
    """Recordings with the same labels share a fold."""
    same: defaultdict[frozenset[str], list[Recording]] = defaultdict(list)
    for each in labelled:
        same[frozenset(truth(each))].append(each)
    made: list[list[Recording]] = [[] for _ in range(FOLDS)]
    for group in sorted(same.values(), key=lambda group: (-len(group), group[0].id)):
        min(made, key=len).extend(group)
    return made


def by_weight(detections: list[Detection], top: int) -> set[str]:
    """The plain baseline: the techniques with the largest sum of level weights."""
    rows = candidates(detections, {})
    return set(sorted(rows, key=lambda each: (-rows[each][0], each))[:top])


def micro(labelled: list[Recording], named: dict[str, set[str]]) -> tuple[float, float, float]:
    """Micro precision, recall, F1."""
    hits = sum(len(named[each.id] & truth(each)) for each in labelled)
    precision = hits / max(sum(len(named[each.id]) for each in labelled), 1)
    recall = hits / sum(len(truth(each)) for each in labelled)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def cross_validated(labelled: list[Recording], found: Found, shares: dict[str, float]) -> tuple[float, float, float]:
    """The score on recordings whose labels the ranker has not seen."""
    named: dict[str, set[str]] = {}
    for fold in folds(labelled):
        outside = {each.id for each in fold}
        ranker = fitted([each for each in labelled if each.id not in outside], found, shares)
        named.update({each.id: {name for name, _ in ranker.names(found[each.id])} for each in fold})
    return micro(labelled, named)


def main() -> None:
    """Prints the scores and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--rules", type=Path, help="folder of Sigma rules; default: the archive in DATA")
    add_options(parser)
    options = parser.parse_args()
    all_of = recordings(options.data)
    labelled = [each for each in all_of if each.techniques and each.attack]
    if options.record_only:
        print(write_record(record(options.data, labelled), Clocked(remark=options.remark), options.records))
        return
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    found = detections_of(all_of, rules_in(options.data, options.rules))
    shares = common(found)
    print(f"{len(labelled)} labelled recordings")
    for top in (1, 2, 3):
        plain = micro(labelled, {each.id: by_weight(found[each.id], top) for each in labelled})
        print(f"largest weight, top {top}: P {plain[0]:.3f} R {plain[1]:.3f} F1 {plain[2]:.3f}")
    best = micro(labelled, {each.id: set(candidates(found[each.id], {})) & truth(each) for each in labelled})
    print(f"bound, every candidate that is right: R {best[1]:.3f} F1 {best[2]:.3f}")
    score = cross_validated(labelled, found, shares)
    print(f"ranker, {FOLDS} folds by set of labels: P {score[0]:.3f} R {score[1]:.3f} F1 {score[2]:.3f}")
    ranker = fitted(labelled, found, shares)
    seen = micro(labelled, {each.id: {name for name, _ in ranker.names(found[each.id])} for each in labelled})
    print(f"ranker, seen in training: F1 {seen[2]:.3f}")
    MODEL.write_bytes(msgspec.json.encode(ranker) + b"\n")
    print(f"wrote {MODEL}")
    clock = clocked(started, time.perf_counter() - begun)
    print(write_record(record(options.data, labelled), clock, options.records))


def record(data: Path, labelled: list[Recording]) -> Training:
    """What is known about the ranker that lies in the package: recordings by source, labels by technique."""
    rows = msgspec.json.decode((data / "labels.json").read_bytes())
    licences = {row["id"]: row["licence"] for row in rows}
    return Training(
        model="technique-ranker",
        weights_digest=sha256_of(MODEL.read_bytes()),
        code_digest=files_digest([Path(__file__)]),
        data_digest=files_digest([data / "labels.json", *(each.file for each in labelled)]),
        split={"training": len(labelled)},
        sources=by_source((each.source, licences[each.id]) for each in labelled),
        labels=dict(sorted(Counter(name for each in labelled for name in truth(each)).items())),
        settings={"unit": "recordings of attacks"},
    )


if __name__ == "__main__":
    main()
