"""Speed and quality of `respond` on labelled recordings, each figure beside its peer or baseline in the same run.

python bench/respond.py quality --data DIR
python bench/respond.py speed --data DIR --zircolite DIR --python PYTHON

DIR is described in bench/respond_data.py.  The peer is Zircolite 3.7.0 (github.com/wagga40/Zircolite, LGPL): clone it,
install its requirements into an environment of its own and name both.  Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import zstandard
from respond_data import Recording, Sighted, detections_of, recordings, rules_in
from respond_fleet import SEEDS, fleet
from respond_speed import ours_once, speed

from glasshouse.respond.engine.run import Engine
from glasshouse.respond.group.agreement import b_cubed, by_pause
from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.group.link import grouped
from glasshouse.respond.plan.cacao import check, decode, encode
from glasshouse.respond.plan.planner import plan_for
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.shapes import flat
from glasshouse.words.incident import LEVEL_RANK, Detection, Entity, Incident, Sighting

NOW = 1_750_000_000
ALL_FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")


def quality(data: Path) -> None:
    """Recall, grouping, false incidents, plans, regression samples."""
    all_of = recordings(data)
    sighted: Sighted = {}
    found = detections_of(all_of, rules_in(data), sighted)
    print("| figure | Glasshouse | baseline | goal |\n| --- | --- | --- | --- |")
    _grouping(all_of, found)
    _recall(all_of, found)
    _benign(all_of, found)
    _plans(all_of, found, sighted)
    hit, total = regression(data)
    print(f"| SigmaHQ regression samples that fire | {hit}/{total} | - | 202/202 |")


def _grouping(all_of: list[Recording], found: dict[str, list[Detection]]) -> None:
    usable = {
        each.id: found[each.id]
        for each in all_of
        if each.attack and each.platform == "windows" and found[each.id] and all(d.time for d in found[each.id])
    }
    ours, plain = [], []
    for seed in SEEDS:
        detections, truth = fleet(usable, seed)
        ours.append(b_cubed(truth, grouped(detections).groups))
        plain.append(b_cubed(truth, by_pause(detections, 60.0)))
    means = [[sum(row[n] for row in rows) / len(rows) for n in range(3)] for rows in (ours, plain)]
    told = [f"{f1:.3f} (P {p:.3f}, R {r:.3f})" for p, r, f1 in means]
    print(f"| grouping, dense and slow fleet, macro B-cubed F1, 5 seeds | {told[0]} | {told[1]} host and 60 s | 0.93 |")


def _recall(all_of: list[Recording], found: dict[str, list[Detection]]) -> None:
    attacks = [found[each.id] for each in all_of if each.attack]
    any_rule = sum(bool(each) for each in attacks)
    grave = sum(any(LEVEL_RANK[i.severity] >= LEVEL_RANK["medium"] for i in _incidents(each)) for each in attacks)
    print(f"| recordings with a detection (low and above) | {any_rule}/{len(attacks)} | - | - |")
    print(f"| recordings with an incident of medium or above | {grave}/{len(attacks)} | - | - |")


def _benign(all_of: list[Recording], found: dict[str, list[Detection]]) -> None:
    calm = [each for each in all_of if not each.attack]
    events = sum(each.events for each in calm)
    pooled = sorted((d for each in calm for d in found[each.id]), key=lambda d: d.time or 0.0)
    false = sum(LEVEL_RANK[i.severity] >= LEVEL_RANK["medium"] for i in _incidents(pooled))
    graver = [d for d in pooled if LEVEL_RANK[d.rule.level] >= LEVEL_RANK["medium"]]
    plain = len(by_pause(graver, 1800.0))
    rate, base = 10_000 * false / events, 10_000 * plain / events
    print(
        f"| false incidents, medium or above, per 10,000 benign events | {rate:.1f} | {base:.1f} host and 30 min | 3 |"
    )


def _incidents(detections: list[Detection], sightings: Sequence[Sighting] = ()) -> tuple[Incident, ...]:
    return incidents_of(detections, sightings).incidents


def _plans(all_of: list[Recording], found: dict[str, list[Detection]], sighted: Sighted) -> None:
    plans = valid = inside = approved = 0
    seconds = 0.0
    for each in all_of:
        for incident in _incidents(found[each.id], sighted[each.id]):
            began = time.process_time()
            plan = plan_for(incident, NOW)
            seconds += time.process_time() - began
            if not plan.steps:
                continue
            plans += 1
            evidence = {Entity(e.kind, e.name, e.scope) for d in incident.detections for e in d.entities}
            valid += decode(encode(plan)) == plan
            inside += all(step.target in evidence for step in plan.steps)
            for step in plan.steps:
                check(step)
            approved += all(step.reversible or step.approvals >= 2 for step in plan.steps)
    print(f"| plans that survive the way to CACAO and back | {valid}/{plans} | - | all |")
    print(f"| plans whose targets are all in the evidence | {inside}/{plans} | - | all |")
    print(f"| plans without an irreversible step with fewer than two approvals | {approved}/{plans} | - | all |")
    print(f"| CPU milliseconds per plan | {1000 * seconds / max(plans, 1):.2f} | - | - |")


def regression(data: Path) -> tuple[int, int]:
    """How many of SigmaHQ's own samples make their rule fire."""
    rules = rules_in(data, folders=ALL_FOLDERS)
    engine = Engine(rules, Classifier().tag)
    hit = total = 0
    with (data / "sigma_regression" / "tests.ndjson.zst").open("rb") as stream:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(stream), encoding="utf-8"):
            test = json.loads(line)
            total += 1
            events = [flat(event) for event in test["events"]]
            matches = [*engine.feed("test", 0, events, 0, None), *engine.flush()]
            hit += any(rules.rules[match.rule].ref.id == test["rule"] for match in matches)
    return hit, total


def main() -> None:
    """Parses, runs one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["quality", "speed", "once"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--zircolite", type=Path, help="folder of the peer")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter with its requirements")
    parser.add_argument("--most", type=int, default=100_000, help="events of the speed part")
    for hidden in ("--events", "--compiled", "--pairs"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    match options.part:
        case "quality":
            quality(options.data)
        case "speed":
            if options.zircolite is None:
                parser.error("speed needs --zircolite")
            speed(options.data.resolve(), options.zircolite.resolve(), options.python.absolute(), options.most)
        case _:
            ours_once(options.events, options.compiled, options.pairs)


if __name__ == "__main__":
    main()
