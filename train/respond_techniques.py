"""Trains the ranker of techniques (src/glasshouse/respond/data/techniques.json) and cross-validates it.

python train/respond_techniques.py --data DIR [--rules DIR]

DIR is a folder of labelled recordings as bench/respond_data.py describes it.  Only those under permissive licences are
trained on.  Folds keep recordings with like labels together, so that a technique never seen in training is what the
score is about.  Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import math
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from respond_data import Recording, Sighted, detections_of, recordings, rules_in

from glasshouse.dossier.evidence import Training
from glasshouse.respond.group.attack import attack, of_this_version, parent
from glasshouse.respond.group.near import Nearby
from glasshouse.respond.group.techniques import MODEL, UNTRAINED, Ranker, candidates, states
from glasshouse.words.digests import sha256_of
from glasshouse.words.incident import Detection, RuleRef
from train.record import Clocked, add_options, by_source, clocked, files_digest, write_record
from train.respond_trees import boosted

Found = dict[str, list[Detection]]
Near = dict[str, Counter[RuleRef]]
FOLDS, ALIKE = 5, 0.5
TACTIC_IDS = {
    "reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001", "execution": "TA0002",
    "persistence": "TA0003", "privilege-escalation": "TA0004", "defense-evasion": "TA0005",
    "credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008", "collection": "TA0009",
    "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}  # fmt: skip
LICENCES = frozenset({"MIT", "MIT OR Apache-2.0"})
"""Only recordings under these are trained on and counted; what ships rests on permissive data alone."""
TREES, RATE, LEAF = 100, 0.1, 5


def truth(recording: Recording) -> set[str]:
    """The labels, folded to parents."""
    return {parent(of_this_version(each)) for each in recording.techniques}


def common(found: Found, near: Near) -> Ranker:
    """How often rules and signs speak, over attacks and benign logs; labels are not looked at."""
    total = sum(1 for group in found.values() if group)
    spoken = Counter(each for name, group in found.items() for each in candidates(group, near[name]))
    seen = Counter(sign.id for name in found for sign in near[name])
    return Ranker(UNTRAINED.trees, _shares(spoken, total), _shares(seen, total))


def _shares(counts: Counter[str], total: int) -> dict[str, float]:
    return {each: round(math.log(count / total), 4) for each, count in sorted(counts.items())}


def fitted(labelled: list[Recording], found: Found, near: Near, shares: Ranker) -> Ranker:
    """A ranker from the candidates of some recordings."""
    rows, hits = [], []
    for each in labelled:
        for technique, row in candidates(found[each.id], near[each.id], shares).items():
            rows.append(row)
            hits.append(technique in truth(each))
    return replace(shares, trees=boosted(rows, hits, trees=TREES, rate=RATE, leaf=LEAF))


def folds(labelled: list[Recording], alike: float = ALIKE) -> list[list[Recording]]:
    """Recordings share a fold when their labels are alike (so much of both sets in common), directly or by others."""
    home = {each.id: each.id for each in labelled}

    def top(name: str) -> str:
        while home[name] != name:
            name = home[name]
        return name

    for one, other in itertools.combinations(labelled, 2):
        mine, theirs = truth(one), truth(other)
        if len(mine & theirs) >= alike * len(mine | theirs):
            home[top(one.id)] = top(other.id)
    same: defaultdict[str, list[Recording]] = defaultdict(list)
    for each in labelled:
        same[top(each.id)].append(each)
    made: list[list[Recording]] = [[] for _ in range(FOLDS)]
    for group in sorted(same.values(), key=lambda group: (-len(group), group[0].id)):
        min(made, key=len).extend(group)
    return made


def by_weight(detections: list[Detection], top: int) -> set[str]:
    """The plain baseline: the techniques of rules with the largest sum of level weights."""
    rows = candidates(detections, {})
    return set(sorted(rows, key=lambda each: (-rows[each][0], each))[:top])


def micro(labelled: list[Recording], named: dict[str, set[str]]) -> tuple[float, float, float]:
    """Micro precision, recall, F1."""
    hits = sum(len(named[each.id] & truth(each)) for each in labelled)
    precision = hits / max(sum(len(named[each.id]) for each in labelled), 1)
    recall = hits / sum(len(truth(each)) for each in labelled)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def told(score: tuple[float, float, float]) -> str:
    """A score in words."""
    return f"P {score[0]:.3f} R {score[1]:.3f} F1 {score[2]:.3f}"


def chosen(ranker: Ranker, each: Recording, found: Found, near: Near) -> set[str]:
    """What a ranker names."""
    return {name for name, _ in ranker.names(found[each.id], near[each.id])}


def cross_validated(
    labelled: list[Recording], found: Found, near: Near, shares: Ranker, alike: float = ALIKE
) -> tuple[float, float, float]:
    """The score on recordings whose labels the ranker has not seen."""
    named: dict[str, set[str]] = {}
    for fold in folds(labelled, alike):
        outside = {each.id for each in fold}
        ranker = fitted([each for each in labelled if each.id not in outside], found, near, shares)
        named.update({each.id: chosen(ranker, each, found, near) for each in fold})
    return micro(labelled, named)


def worth_of_statements(labelled: list[Recording], found: Found) -> tuple[int, int]:
    """Of the rules with one technique in each recording: how many name one of its labels, and how many there are."""
    right = [
        technique in truth(each)
        for each in labelled
        for rule in {detection.rule for detection in found[each.id]}
        for technique in {parent(of_this_version(t)) for t in rule.techniques}
        if states(rule, technique)
    ]
    return sum(right), len(right)


def by_tactic(ranker: Ranker, others: list[Recording], found: Found, near: Near) -> tuple[float, int]:
    """Of recordings whose tactic alone is known: the share whose first name belongs to it."""
    hits = total = 0
    for each in others:
        first = ranker.names(found[each.id], near[each.id])[:1]
        if first:
            total += 1
            hits += bool({TACTIC_IDS.get(tactic) for tactic in attack().tactics(first[0][0])} & set(each.tactics))
    return hits / max(total, 1), total


def main() -> None:
    """Prints the scores and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--rules", type=Path, help="folder of Sigma rules; default: the archive in DATA")
    add_options(parser)
    options = parser.parse_args()
    all_of = recordings(options.data)
    labelled = [each for each in all_of if each.techniques and each.attack and each.licence in LICENCES]
    if options.record_only:
        print(write_record(record(options.data, labelled), Clocked(remark=options.remark), options.records))
        return
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    sighted: Sighted = {}
    found = detections_of(all_of, rules_in(options.data, options.rules), sighted)
    near = {name: Nearby(sighted[name]).to(group) for name, group in found.items()}
    ours = {each.id for each in all_of if each.licence in LICENCES}
    counted = {name: group for name, group in found.items() if name in ours}
    ranker = fitted(labelled, found, near, common(counted, near))
    report(labelled, counted, near, ranker)
    others = [each for each in all_of if each.attack and each.tactics and each.licence not in LICENCES]
    print("tactic of the first name, in {1} recordings of other licences, never trained on: {0:.3f}".format(
        *by_tactic(ranker, others, found, near)))  # fmt: skip
    MODEL.write_bytes(msgspec.json.encode(ranker) + b"\n")
    print(f"wrote {MODEL}")
    clock = clocked(started, time.perf_counter() - begun)
    print(write_record(record(options.data, labelled), clock, options.records))


def report(labelled: list[Recording], found: Found, near: Near, ranker: Ranker) -> None:
    """Prints baselines, bound, and the scores on recordings seen and not seen."""
    print(f"{len(labelled)} labelled recordings, {sum(len(truth(each)) for each in labelled)} labels")
    for top in (1, 2, 3):
        plain = micro(labelled, {each.id: by_weight(found[each.id], top) for each in labelled})
        print(f"tags of rules, largest weight, top {top}: {told(plain)}")
    for name, signs in (("tags of rules", False), ("tags and signs", True)):
        rows = {each.id: candidates(found[each.id], near[each.id] if signs else {}) for each in labelled}
        best = micro(labelled, {each.id: set(rows[each.id]) & truth(each) for each in labelled})
        print(f"bound, every right one among {name}: R {best[1]:.3f} F1 {best[2]:.3f}")
    print("rules of one technique that is among the labels: {} of {}".format(*worth_of_statements(labelled, found)))
    shares = replace(ranker, trees=UNTRAINED.trees)
    alone = {name: Counter[RuleRef]() for name in near}
    silent = replace(common(found, alone), signs={})
    print(f"ranker of tags alone, {FOLDS} folds: {told(cross_validated(labelled, found, alone, silent))}")
    print(f"ranker, {FOLDS} folds by likeness of labels: {told(cross_validated(labelled, found, near, shares))}")
    print(f"ranker, {FOLDS} folds by equal labels: {told(cross_validated(labelled, found, near, shares, 1.0))}")
    print(
        f"ranker, seen in training: {told(micro(labelled, {e.id: chosen(ranker, e, found, near) for e in labelled}))}"
    )


def record(data: Path, labelled: list[Recording]) -> Training:
    """What is known about the ranker that lies in the package: recordings by source, labels by technique."""
    trees = msgspec.json.decode(MODEL.read_bytes(), type=Ranker).trees
    return Training(
        model="technique-ranker",
        weights_digest=sha256_of(MODEL.read_bytes()),
        code_digest=files_digest([Path(__file__), Path(__file__).with_name("respond_trees.py")]),
        data_digest=files_digest([data / "labels.json", *(each.file for each in labelled)]),
        split={"training": len(labelled)},
        sources=by_source((each.source, each.licence) for each in labelled),
        labels=dict(sorted(Counter(name for each in labelled for name in truth(each)).items())),
        parameters=sum(len(tree) for tree in trees.trees),
        settings={
            "unit": "recordings of attacks",
            "trees": f"{TREES} of depth 2, rate {RATE}, {LEAF} rows in a leaf at least",
            "counted without labels": "how often rules and signs speak, in all recordings under these licences",
        },
    )


if __name__ == "__main__":
    main()
