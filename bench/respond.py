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
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec
import zstandard
from respond_data import Recording, detections_of, recordings, rules_in, unpacked_rules
from respond_fleet import SEEDS, b_cubed, by_pause, fleet

from glasshouse.respond.engine.run import Engine
from glasshouse.respond.group.incidents import incidents_of
from glasshouse.respond.group.link import grouped
from glasshouse.respond.plan.cacao import check, decode, encode
from glasshouse.respond.plan.planner import plan_for
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.inputs import read_logs
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.read.shapes import flat
from glasshouse.respond.sigma.load import read_compiled
from glasshouse.words.incident import LEVEL_RANK, Detection, Entity, Incident

NOW = 1_750_000_000
SPEED_EVENTS = 158_500
ALL_FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")


def quality(data: Path) -> None:
    """Recall, grouping, false incidents, plans, regression samples."""
    all_of = recordings(data)
    found = detections_of(all_of, rules_in(data))
    print("| figure | Glasshouse | baseline | goal |\n| --- | --- | --- | --- |")
    _grouping(all_of, found)
    _recall(all_of, found)
    _benign(all_of, found)
    _plans(all_of, found)
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


def _incidents(detections: list[Detection]) -> tuple[Incident, ...]:
    return incidents_of(detections).incidents


def _plans(all_of: list[Recording], found: dict[str, list[Detection]]) -> None:
    plans = valid = inside = approved = 0
    seconds = 0.0
    for each in all_of:
        for incident in _incidents(found[each.id]):
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


def bench_file(data: Path, folder: Path) -> Path:
    """Attack recordings of Windows concatenated, about 158,000 events: all small ones and every second large one."""
    chosen = [each for each in recordings(data) if each.attack and each.platform == "windows"]
    small = [each for each in chosen if each.source.startswith("sbousseaden")]
    left = SPEED_EVENTS - sum(each.events for each in small)
    large = []
    for each in sorted((e for e in chosen if e.source.startswith("OTRF")), key=lambda e: e.id)[::2]:
        if each.events <= left:
            large.append(each)
            left -= each.events
    place = folder / "events" / "events.json"
    place.parent.mkdir()
    with place.open("wb") as out:
        for each in large + small:
            with each.file.open("rb") as stream:
                reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
                while block := reader.read(1 << 20):
                    out.write(block)
    return place


def ours_once(events: Path, compiled: Path) -> None:
    """One run of the engine in a process of its own; prints rule counts as JSON."""
    rules = read_compiled(compiled)
    assert rules is not None
    engine = Engine(rules, Classifier().tag)
    counts: Counter[str] = Counter()
    for chunk in read_logs([events], io.BytesIO()):
        assert isinstance(chunk, Chunk)
        matches = engine.feed(chunk.source, chunk.first, chunk.events, chunk.size, chunk.tag)
        counts.update(rules.rules[match.rule].ref.id for match in matches)
    counts.update(rules.rules[match.rule].ref.id for match in engine.flush())
    print(json.dumps({"events": engine.events, "rules": len(rules.rules), "counts": counts}))


def measured(command: list[str], cwd: Path | None = None) -> tuple[float, float, str]:
    """CPU seconds, peak resident megabytes and standard output of a command."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]} failed with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def speed(data: Path, zircolite: Path, python: Path) -> None:
    """CPU and memory beside Zircolite on the same events and rules, whole processes, compiled rules on both sides."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        events = bench_file(data, folder)
        compiled = folder / "compiled.msgpack"  # as an import leaves them; the peer's are converted before, too
        compiled.write_bytes(
            msgspec.msgpack.encode(rules_in(data, folders=("rules/windows", "rules-emerging-threats")))
        )
        rulesets = _peer_rules(zircolite, python, unpacked_rules(data), folder)
        own = [sys.executable, __file__, "once", "--events", str(events), "--compiled", str(compiled)]
        cpu, peak, out = measured(own)
        body = json.loads(out)
        result = folder / "peer.json"
        peer = [
            *(
                str(python),
                "zircolite.py",
                "-e",
                str(events.parent),
                "-f",
                "json",
                "-fp",
                "events.json",
                "--jsonl",
                "-P",
            ),
            *("--no-auto-mode", "-r", *map(str, rulesets), "-o", str(result), "-l", str(folder / "peer.log")),
        ]
        peer_cpu, peer_peak, _ = measured(peer, zircolite)
        theirs: Counter[str] = Counter()
        for rule in json.loads(result.read_text()):
            theirs[rule["id"]] += len(rule["matches"])
        again, _, _ = measured(own)
    counts = Counter(body["counts"])
    missing = {rule: number - counts[rule] for rule, number in theirs.items() if number > counts[rule]}
    same = sum(counts[rule] == number for rule, number in theirs.items())
    print("| | Glasshouse | Zircolite 3.7.0 | ratio |\n| --- | --- | --- | --- |")
    print(
        f"| CPU seconds, {body['events']:,} events | {cpu:.2f} and {again:.2f} | {peer_cpu:.1f} "
        f"| {peer_cpu / max(cpu, again):.0f}x |"
    )
    print(f"| peak resident memory, MB | {peak:.0f} | {peer_peak:.0f} | |")
    print(f"| rules in use | {body['rules']:,} | - | |")
    print(f"| rules that match | {len(counts)} | {len(theirs)} | |")
    print(f"| pairs of rule and event | {counts.total():,} | {theirs.total():,} | |")
    print(
        f"\nRules with the same number of matches: {same} of {len(theirs)}. "
        f"Matches that only Zircolite has: {missing or 'none'}."
    )


def _peer_rules(zircolite: Path, python: Path, rules: Path, folder: Path) -> list[Path]:
    before = set(zircolite.glob("ruleset-*.json"))
    nothing = folder / "nothing"
    nothing.mkdir()
    (nothing / "empty.json").write_text("{}\n")
    command = [str(python), "zircolite.py", "-e", str(nothing), "-f", "json", "--jsonl", "-p", "sysmon", "-p",
               "windows-logsources", "-sr", "-r", str(rules / "rules" / "windows"),
            str(rules / "rules-emerging-threats"),
               "-o", str(folder / "none.json"), "-l", str(folder / "none.log")]  # fmt: skip
    subprocess.run(command, cwd=zircolite, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = sorted(set(zircolite.glob("ruleset-*.json")) - before)
    return [file.rename(folder / f"ruleset-{number}.json") for number, file in enumerate(made)]


def main() -> None:
    """Parses, runs one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["quality", "speed", "once"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/respond"))
    parser.add_argument("--zircolite", type=Path, help="folder of the peer")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter with its requirements")
    parser.add_argument("--events", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--compiled", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    match options.part:
        case "quality":
            quality(options.data)
        case "speed":
            if options.zircolite is None:
                parser.error("speed needs --zircolite")
            speed(options.data.resolve(), options.zircolite.resolve(), options.python.absolute())
        case _:
            ours_once(options.events, options.compiled)


if __name__ == "__main__":
    main()
