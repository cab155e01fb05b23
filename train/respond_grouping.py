"""Fits the weights of grouping (glasshouse.respond.group.link.Weights) by hill climbing on re-timed fleets.

python train/respond_grouping.py --data DIR [--source PREFIX] [--seconds N]

Prints weights to be written into the module, and the score on fleets of other seeds, from all recordings and from each
source alone: with --source OTRF the line for sbousseaden is a score on recordings that the weights have not seen.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from respond_data import Recording, detections_of, recordings, rules_in
from respond_fleet import SEEDS, Fleet, b_cubed, by_pause, fleet

from glasshouse.respond.group.link import Weights, grouped
from glasshouse.words.incident import Detection

TRAINING_SEEDS = range(100, 108)
SOURCES = ("", "OTRF", "sbousseaden")


def usable(all_of: list[Recording], found: dict[str, list[Detection]], source: str) -> dict[str, list[Detection]]:
    """Recordings of Windows with detections that all have times."""
    chosen = [each.id for each in all_of if each.source.startswith(source)]
    return {each: found[each] for each in chosen if found[each] and all(d.time is not None for d in found[each])}


def score(weights: Weights, fleets: list[Fleet]) -> float:
    """Mean F1."""
    return sum(b_cubed(truth, grouped(found, weights).groups)[2] for found, truth in fleets) / len(fleets)


def climb(fleets: list[Fleet], seconds: float) -> Weights:
    """The best weights found in so much CPU time, starting from the present ones."""
    generator = random.Random(7)  # noqa: S311 - a search, no secret
    best = Weights()
    reached = score(best, fleets)
    names = [each for each in Weights.__struct_fields__ if each != "threshold"]
    end = time.process_time() + seconds
    while time.process_time() < end:
        change = {}
        for name in generator.sample(names, generator.choice((1, 1, 2, 3))):
            value = getattr(best, name)
            if name.endswith("_s"):
                change[name] = max(value * generator.choice((0.5, 0.7, 1.4, 2.0)), 1.0)
            else:
                moved = round(value + generator.gauss(0, 0.2 if name == "gap" else 0.5), 2)
                change[name] = moved if name in ("bias", "strange") else max(moved, 0.0)
        tried = msgspec.structs.replace(best, **change)
        result = score(tried, fleets)
        if result > reached:
            best, reached = tried, result
    return best


def main() -> None:
    """Prints weights and scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--source", default="", help="train on recordings whose source begins so")
    parser.add_argument("--seconds", type=float, default=120.0)
    options = parser.parse_args()
    all_of = [each for each in recordings(options.data) if each.attack and each.platform == "windows"]
    found = detections_of(all_of, rules_in(options.data))
    weights = climb([fleet(usable(all_of, found, options.source), seed) for seed in TRAINING_SEEDS], options.seconds)
    print(weights)
    for source in SOURCES:
        fleets = [fleet(usable(all_of, found, source), seed) for seed in SEEDS]
        plain = sum(b_cubed(truth, by_pause(each, 60.0))[2] for each, truth in fleets) / len(fleets)
        print(f"tested on {source or 'all'}: F1 {score(weights, fleets):.3f}, host and 60 s {plain:.3f}")


if __name__ == "__main__":
    main()
