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
from glasshouse.respond.group.techniques import MODEL, THRESHOLD, TOP, Trees, candidates
from glasshouse.words.digests import sha256_of
from glasshouse.words.incident import Detection
from train.record import Clocked, add_options, by_source, clocked, files_digest, write_record

Found = dict[str, list[Detection]]
FOLDS = 5


def truth(recording: Recording) -> set[str]:
    """The labels, folded to parents."""
    return {parent(of_this_version(each)) for each in recording.techniques}


def fitted(labelled: list[Recording], found: Found) -> Trees:
    """Trees from the candidates of some recordings."""
    from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]

    rows, hits = [], []
    for each in labelled:
        for technique, row in candidates(found[each.id]).items():
            rows.append(row)
            hits.append(technique in truth(each))
    model = GradientBoostingClassifier(n_estimators=60, max_depth=2, subsample=0.8, random_state=0).fit(rows, hits)
    start = float(model.init_.class_prior_[1])
    return Trees(round(math.log(start / (1 - start)), 6), tuple(_tree(each[0], model) for each in model.estimators_))


def _tree(estimator: object, model: object) -> tuple[tuple[int, float, int, int, float], ...]:
    tree = estimator.tree_  # type: ignore[attr-defined]
    rate = model.learning_rate  # type: ignore[attr-defined]
    return tuple(
        (
            int(tree.feature[n]) if tree.children_left[n] >= 0 else -1,
            round(float(tree.threshold[n]), 6),
            int(tree.children_left[n]),
            int(tree.children_right[n]),
            round(float(tree.value[n][0][0]) * rate, 6),
        )
        for n in range(tree.node_count)
    )


def folds(labelled: list[Recording]) -> list[list[Recording]]:
    """Recordings with the same labels share a fold."""
    same: defaultdict[frozenset[str], list[Recording]] = defaultdict(list)
    for each in labelled:
        same[frozenset(truth(each))].append(each)
    made: list[list[Recording]] = [[] for _ in range(FOLDS)]
    for group in sorted(same.values(), key=lambda group: (-len(group), group[0].id)):
        min(made, key=len).extend(group)
    return made


def chosen(detections: list[Detection], trees: Trees) -> set[str]:
    """What the ranker names."""
    scores = {each: trees.probability(row) for each, row in candidates(detections).items()}
    ranked = sorted(scores, key=lambda each: (-scores[each], each))[:TOP]
    return {each for n, each in enumerate(ranked) if n == 0 or scores[each] >= THRESHOLD}


def by_weight(detections: list[Detection], top: int) -> set[str]:
    """The plain baseline: the techniques with the largest sum of level weights."""
    rows = candidates(detections)
    return set(sorted(rows, key=lambda each: (-rows[each][0], each))[:top])


def micro(labelled: list[Recording], named: dict[str, set[str]]) -> tuple[float, float, float]:
    """Micro precision, recall, F1."""
    hits = sum(len(named[each.id] & truth(each)) for each in labelled)
    precision = hits / max(sum(len(named[each.id]) for each in labelled), 1)
    recall = hits / sum(len(truth(each)) for each in labelled)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def cross_validated(labelled: list[Recording], found: Found) -> tuple[float, float, float]:
    """The score on recordings whose labels the ranker has not seen."""
    named: dict[str, set[str]] = {}
    for fold in folds(labelled):
        outside = {each.id for each in fold}
        trees = fitted([each for each in labelled if each.id not in outside], found)
        named.update({each.id: chosen(found[each.id], trees) for each in fold})
    return micro(labelled, named)


def main() -> None:
    """Prints the scores and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--rules", type=Path, help="folder of Sigma rules; default: the archive in DATA")
    add_options(parser)
    options = parser.parse_args()
    labelled = [each for each in recordings(options.data) if each.techniques and each.attack]
    if options.record_only:
        print(write_record(record(options.data, labelled), Clocked(remark=options.remark), options.records))
        return
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    found = detections_of(labelled, rules_in(options.data, options.rules))
    print(f"{len(labelled)} labelled recordings")
    for top in (1, 2, 3):
        plain = micro(labelled, {each.id: by_weight(found[each.id], top) for each in labelled})
        print(f"largest weight, top {top}: P {plain[0]:.3f} R {plain[1]:.3f} F1 {plain[2]:.3f}")
    score = cross_validated(labelled, found)
    print(f"ranker, {FOLDS} folds by set of labels: P {score[0]:.3f} R {score[1]:.3f} F1 {score[2]:.3f}")
    MODEL.write_bytes(msgspec.json.encode(fitted(labelled, found)) + b"\n")
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
