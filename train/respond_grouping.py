"""Trains the model of grouping (src/glasshouse/respond/data/grouping.json) on re-timed fleets and cross-validates it.

python train/respond_grouping.py --data DIR [--check] [--seeds N]

The model judges every merge by its effect on the score (macro B-cubed precision, recall).  The pairs to learn from
come from its own merging, three times over, on recordings that are varied (respond_variation.py).  Only recordings
under permissive licences are trained on.  Printed: the score on fleets of other seeds from all recordings
(some seen in training), from the source never seen, and from recordings never seen (three folds, drawn --splits times;
recordings whose names begin alike stay together), and, with --sources, what the two sources are worth to each other.

With --check nothing is written.  Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from respond_data import Recording, detections_of, recordings, rules_in
from respond_fleet import SEEDS, Fleet, fleet

from glasshouse.dossier.evidence import Training
from glasshouse.respond.group.agreement import b_cubed, by_pause
from glasshouse.respond.group.cluster import Cluster
from glasshouse.respond.group.likeness import FEATURES, MODEL
from glasshouse.respond.group.link import Groups, Judge, grouped
from glasshouse.respond.group.trees import Scorer, Trees
from glasshouse.words.digests import sha256_of
from train.record import Clocked, add_options, by_source, clocked, files_digest, write_record
from train.respond_trees import boosted
from train.respond_variation import Recordings, varied, with_shared_desks

FIRST_SEED, ROUNDS, MOST_ROWS, FOLDS = 100, 3, 150_000, 3
FIRST_SPLIT = 3
"""The split that settings were chosen on; the others were looked at once, for the table."""
BIAS = 0.5
"""Added to the log-odds: balances precision and recall; 0, 0.25 and 0.5 are as good in the first split."""
TREES, DEPTH, RATE, LEAF = 160, 4, 0.1, 100
PLAIN = 3
"""Every so many fleets show the recordings as they are; the rest are varied."""
_DIRECTIONS = {
    **dict.fromkeys(("gap", "between", "gap_to_rate", "rival_a", "rival_b", "gap_to_pace"), -1),
    **dict.fromkeys(("other_family", "other_session", "other_user"), -1),
    **dict.fromkeys(("process", "parent", "sibling", "family", "target", "number", "session", "user"), 1),
    **dict.fromkeys(("other", "kinds", "image", "rule", "rules", "technique", "tactic", "word", "words"), 1),
    **dict.fromkeys(("titles", "sharing", "rare_technique", "rare_title"), 1),
}
"""Sharing more never speaks against, standing further apart never for a merge."""
LICENCES = frozenset({"MIT", "MIT OR Apache-2.0"})
Row = tuple[list[float], float]
_START = {"gap": -0.5, "process": 0.8, "parent": 0.6, "sibling": 0.4, "family": 0.5, "other_family": -0.5,
          "session": 0.3, "rule": 0.6}  # fmt: skip


def first_judge(row: list[float]) -> float:
    """A plain judge to begin with."""
    return 2.2 + sum(weight * row[FEATURES.index(name)] for name, weight in _START.items())


def usable(
    all_of: list[Recording], found: Recordings, source: str = "", licences: frozenset[str] = frozenset()
) -> Recordings:
    """Recordings of Windows attacks with detections that all have times, of a source, under some licences (or any)."""
    known = [e for e in all_of if e.source.startswith(source) and (not licences or e.licence in licences)]
    chosen = [e.id for e in known if e.attack and e.platform == "windows"]
    return {each: found[each] for each in chosen if found[each] and all(d.time for d in found[each])}


def gain(a: Cluster, b: Cluster, truth: list[int], sizes: Counter[int]) -> float:
    """What the merge adds to the sums of precision and recall over recordings."""
    mine, theirs = Counter(truth[at] for at in a.members), Counter(truth[at] for at in b.members)
    m, t = len(a.members), len(b.members)
    total = 0.0
    for each in mine | theirs:
        x, y = mine[each], theirs[each]
        total += ((x + y) ** 2 / (m + t) - x * x / m - y * y / t) / sizes[each] + 2 * x * y / sizes[each] ** 2
    return total


def pairs(one: Fleet, judge: Judge, noise: random.Random) -> list[Row]:
    """The pairs that merging with this judge meets, and what each merge would gain."""
    detections, truth = one
    sizes = Counter(truth)
    rows: list[Row] = []

    def seen(a: Cluster, b: Cluster, row: list[float], _odds: float) -> None:
        rows.append((row, gain(a, b, truth, sizes)))

    def wavering(row: list[float]) -> float:
        return judge(row) + (noise.gauss(0, 2) if noise.random() < 0.1 else 0.0)

    Groups(detections, seen).merge(wavering)
    return rows


def fitted(found: Recordings, seeds: int) -> Trees:
    """The model from fleets of these recordings."""
    shown = [found if n % PLAIN == PLAIN - 1 else varied(found, FIRST_SEED + n) for n in range(seeds)]
    fleets = [fleet(each, FIRST_SEED + n) for n, each in enumerate(shown)]
    fleets = [with_shared_desks(each) if n % 2 else each for n, each in enumerate(fleets)]
    noise = random.Random(5)  # noqa: S311 - exploration, no secret
    judge: Judge = first_judge
    rows: list[Row] = []
    trees = Trees(0.0, ())
    for _ in range(ROUNDS):
        for each in fleets:
            rows += [row for row in pairs(each, judge, noise) if abs(row[1]) > 1e-9]
        chosen = noise.sample(rows, min(MOST_ROWS, len(rows)))
        weights = [min(abs(value), 2.0) for _, value in chosen]
        mean = sum(weights) / len(weights)
        trees = boosted(
            [row for row, _ in chosen],
            [value > 0 for _, value in chosen],
            [each / mean for each in weights],
            trees=TREES,
            depth=DEPTH,
            rate=RATE,
            leaf=LEAF,
            directions=[_DIRECTIONS.get(each, 0) for each in FEATURES],
        )
        judge = Scorer(trees).log_odds
    return replace(trees, start=round(trees.start + BIAS, 6))


def score(trees: Trees, found: Recordings) -> tuple[tuple[float, float, float], str]:
    """Means of F1 over the seeds (of the model, of the plain baseline, of the model on shared desks), and in words."""
    fleets = [fleet(found, seed) for seed in SEEDS]
    plain = [b_cubed(truth, by_pause(each, 60.0))[2] for each, truth in fleets]
    mean = sum(plain) / len(plain)
    ours, shared = _means(trees, fleets), _means(trees, [with_shared_desks(each) for each in fleets])
    words = f"F1 {_told(ours)}, host and 60 s {mean:.3f}, {len(found)} recordings"
    return (ours[2], mean, shared[2]), f"{words}; one shell and session a host {_told(shared)}"


def _means(trees: Trees, fleets: list[Fleet]) -> list[float]:
    judge = Scorer(trees).log_odds
    rows = [b_cubed(truth, grouped(each, judge).groups) for each, truth in fleets]
    return [sum(row[n] for row in rows) / len(rows) for n in range(3)]


def _told(means: list[float]) -> str:
    return f"{means[2]:.3f} (P {means[0]:.3f}, R {means[1]:.3f})"


def cross_validated(whole: Recordings, ours: Recordings, seeds: int, splits: int) -> None:
    """Prints the score of every fold of every split, and the mean and the spread of the means of the splits."""
    means = []
    for split in range(splits):
        rows = []
        for number, fold in enumerate(families(whole, FIRST_SPLIT + split)):
            trees = fitted({k: v for k, v in ours.items() if k not in set(fold)}, seeds)
            figures, words = score(trees, {k: whole[k] for k in sorted(fold)})
            rows.append(figures)
            print(f"split {split + 1}, fold {number + 1}, never seen: {words}", flush=True)
        means.append([sum(row[n] for row in rows) / FOLDS for n in range(3)])
    for n, name in enumerate(("F1", "host and 60 s", "F1 with one shell and session a host")):
        column = [row[n] for row in means]
        spread = statistics.stdev(column) if splits > 1 else 0.0
        print(
            f"{name}, mean of {splits} splits {statistics.mean(column):.3f}, spread (s.d.) of their means {spread:.3f}"
        )


def families(found: Recordings, seed: int = FIRST_SPLIT) -> list[list[str]]:
    """Folds; recordings whose names begin alike (one tool, one technique) share a fold."""
    alike: dict[str, list[str]] = {}
    for each in sorted(found):
        alike.setdefault(each[:24], []).append(each)
    groups = list(alike.values())
    random.Random(seed).shuffle(groups)  # noqa: S311
    made: list[list[str]] = [[] for _ in range(FOLDS)]
    for group in sorted(groups, key=len, reverse=True):
        min(made, key=len).extend(group)
    return made


def main() -> None:
    """Trains, prints scores, writes the model and its record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--seeds", type=int, default=18, help="fleets to train on")
    parser.add_argument("--splits", type=int, default=1, help="how many times folds are drawn")
    parser.add_argument("--check", action="store_true", help="only cross-validate")
    parser.add_argument("--sources", action="store_true", help="also train on each source and test on the other")
    add_options(parser)
    options = parser.parse_args()
    all_of = [each for each in recordings(options.data) if each.attack and each.platform == "windows"]
    started, begun = dt.datetime.now(dt.UTC), time.perf_counter()
    found = detections_of(all_of, rules_in(options.data))
    whole, ours = usable(all_of, found), usable(all_of, found, licences=LICENCES)
    used = [each for each in all_of if each.id in ours]
    if options.record_only:
        made = record(options.data, used, options.seeds)
        print(write_record(made, Clocked(remark=options.remark), options.records))
        return
    if not options.check:
        trees = fitted(ours, options.seeds)
        MODEL.write_bytes(msgspec.json.encode(trees) + b"\n")
        clock = clocked(started, time.perf_counter() - begun)
        print(write_record(record(options.data, used, options.seeds), clock, options.records))
        print(f"all, some seen in training: {score(trees, whole)[1]}; wrote {MODEL.name}", flush=True)
        others = {name: group for name, group in whole.items() if name not in ours}
        print(f"the source never seen: {score(trees, others)[1]}", flush=True)
    if options.splits:
        cross_validated(whole, ours, options.seeds, options.splits)
    for source, other in (("OTRF", "sbousseaden"), ("sbousseaden", "OTRF")) if options.sources else ():
        trees = fitted(usable(all_of, found, source), options.seeds)
        print(f"trained on {source}, tested on {other}: {score(trees, usable(all_of, found, other))[1]}", flush=True)


def record(data: Path, used: list[Recording], seeds: int) -> Training:
    """What is known about the model that lies in the package: recordings by source, labels by technique."""
    trees = msgspec.json.decode(MODEL.read_bytes(), type=Trees)
    here = Path(__file__).resolve().parent
    mine = ("respond_grouping.py", "respond_trees.py", "respond_variation.py")
    code = [*(here / name for name in mine), here.parent / "bench" / "respond_fleet.py"]
    return Training(
        model="incident-grouping",
        weights_digest=sha256_of(MODEL.read_bytes()),
        code_digest=files_digest(code),
        data_digest=files_digest([data / "labels.json", *(each.file for each in used)]),
        split={"training": len(used)},
        sources=by_source((each.source, each.licence) for each in used),
        parameters=sum(len(tree) for tree in trees.trees),
        seed=FIRST_SEED,
        settings={
            "unit": "recordings of attacks, in fleets of 60; what is learned is which recording a detection comes from",
            "fleets": f"{seeds}, three times over; of three, two varied (respond_variation.py); half with shared desks",
            "trees": f"{TREES} of depth {DEPTH}, rate {RATE}, {LEAF} rows in a leaf at least, bias {BIAS}",
        },
    )


if __name__ == "__main__":
    main()
