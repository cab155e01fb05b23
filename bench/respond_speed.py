"""CPU, memory and matches of the engine beside Zircolite, whole processes, in one run; see bench/respond.py.

Every event carries its number, so that the matches are compared event by event.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec
import zstandard
from respond_data import recordings, rules_in, unpacked_rules

from glasshouse.respond.engine.run import Engine, Match
from glasshouse.respond.read.classify import Classifier
from glasshouse.respond.read.inputs import read_logs
from glasshouse.respond.read.interface import Chunk
from glasshouse.respond.sigma.ir import Expression, Leaf, Not, RuleSet
from glasshouse.respond.sigma.load import read_compiled
from glasshouse.respond.sigma.sources import SYSMON

NUMBER = "BenchNumber"
AUDITED = "what Sysmon tells, told by the audit policy"
Pairs = dict[str, set[int]]
"""Numbers of the matching events by rule."""


def bench_file(data: Path, folder: Path, most: int) -> Path:
    """Attack recordings of Windows, numbered, at most ``most`` events: all small ones and every second large one."""
    chosen = [each for each in recordings(data) if each.attack and each.platform == "windows"]
    small = [each for each in chosen if each.source.startswith("sbousseaden")]
    left = most - sum(each.events for each in small)
    large = []
    for each in sorted((e for e in chosen if e.source.startswith("OTRF")), key=lambda e: e.id)[::2]:
        if each.events <= left:
            large.append(each)
            left -= each.events
    place = folder / "events" / "events.json"
    place.parent.mkdir()
    number = 0
    with place.open("wb") as out:
        for each in large + small:
            with each.file.open("rb") as stream:
                reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
                for line in io.BufferedReader(reader):
                    out.write(b'{"%s":"%d",' % (NUMBER.encode(), number) + line.strip()[1:] + b"\n")
                    number += 1
    return place


def ours_once(events: Path, compiled: Path, pairs: Path) -> None:
    """One run of the engine in a process of its own; writes the matches as the peer writes its result."""
    rules = read_compiled(compiled)
    assert rules is not None
    engine = Engine(rules, Classifier().tag)
    found: list[tuple[str, str, str, str]] = []

    def keep(matches: Iterable[Match]) -> None:
        for match in matches:
            if rules.rules[match.rule].ref.kind == "sign":
                continue
            names = [match.names.get(each, each) for each in _fields(rules.rules[match.rule].expression, rules)]
            odd = any(isinstance(match.event.get(each), bool) for each in names)
            channel = str(match.event.get("Channel"))
            sysmon = any(SYSMON in route.channels for route in rules.rules[match.rule].routes)
            audited = channel.lower() == "security" and sysmon
            why = "true or false" if odd else "Provider_Name" if "Provider_Name" in names else AUDITED * audited
            found.append((rules.rules[match.rule].ref.id, match.event[NUMBER], channel, why))

    for chunk in read_logs([events], io.BytesIO()):
        assert isinstance(chunk, Chunk)
        keep(engine.feed(chunk.source, chunk.first, chunk.events, chunk.size, chunk.tag))
    keep(engine.flush())
    pairs.write_bytes(msgspec.json.encode(found))
    alarms = sum(rule.ref.kind != "sign" for rule in rules.rules)
    print(json.dumps({"events": engine.events, "rules": alarms, "signs": len(rules.rules) - alarms}))


def _fields(node: Expression, rules: RuleSet) -> list[str]:
    """The fields that an expression names."""
    if isinstance(node, Leaf):
        return [rules.predicates[node.at].field]
    if isinstance(node, Not):
        return _fields(node.arg, rules)
    return [name for each in node.args for name in _fields(each, rules)]


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


def speed(data: Path, zircolite: Path, python: Path, most: int) -> None:
    """Ours, the peer, ours again, on the same events and rules; rules compiled before on both sides."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        events = bench_file(data, folder, most)
        compiled, pairs, result = folder / "compiled.msgpack", folder / "pairs.json", folder / "peer.json"
        rules = rules_in(data, folders=("rules/windows", "rules-emerging-threats"))
        compiled.write_bytes(msgspec.msgpack.encode(rules))  # as an import leaves them
        rulesets = _peer_rules(zircolite, python, unpacked_rules(data), folder)
        script = str(Path(__file__).with_name("respond.py"))
        own = [sys.executable, script, "once", "--events", str(events), "--compiled", str(compiled)]
        own += ["--pairs", str(pairs)]
        before = measured(own)
        command = [str(python), "zircolite.py", "-e", str(events.parent), "-f", "json", "-fp", "events.json"]
        command += ["--jsonl", "-P", "--no-auto-mode", "-r", *map(str, rulesets), "-o", str(result)]
        peer = measured([*command, "-l", str(folder / "peer.log")], zircolite)
        after = measured(own)
        body = json.loads(before[2])
        found = msgspec.json.decode(pairs.read_bytes())
        theirs: Pairs = defaultdict(set)
        for rule in json.loads(result.read_text()):
            theirs[rule["id"]].update(int(row[NUMBER]) for row in rule["matches"])
    cpu, peak = (before[0], after[0]), max(before[1], after[1])
    print("| | Glasshouse | Zircolite 3.7.0 | ratio |\n| --- | --- | --- | --- |")
    ratio = f"{peer[0] / max(cpu):.0f}x to {peer[0] / min(cpu):.0f}x"
    print(f"| CPU seconds, {body['events']:,} events | {cpu[0]:.2f}, then {cpu[1]:.2f} | {peer[0]:.1f} | {ratio} |")
    print(f"| peak resident memory, MB | {peak:.0f} | {peer[1]:.0f} | |")
    print(f"| rules in use, and signs of techniques | {body['rules']:,}, {body['signs']} | - | |")
    _compare(found, theirs)


def _compare(found: list[tuple[str, str, str, str]], theirs: Pairs) -> None:
    """The table's rows on matches and what only one side has."""
    ours: Pairs = defaultdict(set)
    extra: Counter[str] = Counter()
    for rule, number, channel, why in found:
        if int(number) in ours[rule]:
            continue
        ours[rule].add(int(number))
        if int(number) not in theirs.get(rule, set()):
            extra[why or f"other, {channel}, {rule}"] += 1
    total, peer_total = sum(map(len, ours.values())), sum(map(len, theirs.values()))
    shared = sum(len(ours[rule] & numbers) for rule, numbers in theirs.items())
    print(f"| rules that match | {len(ours)} | {len(theirs)} | |")
    print(f"| pairs of rule and event | {total:,} | {peer_total:,} | {shared:,} in common |")
    missing = {rule: sorted(numbers - ours[rule])[:3] for rule, numbers in theirs.items() if numbers - ours[rule]}
    print(f"\nPairs that only Zircolite has: {missing or 'none'}.")
    print("Pairs that only Glasshouse has:", ", ".join(f"{why}: {n}" for why, n in extra.most_common()) or "none")


def _peer_rules(zircolite: Path, python: Path, rules: Path, folder: Path) -> list[Path]:
    """The peer's own conversion of the rules, once, before anything is measured."""
    before = set(zircolite.glob("ruleset-*.json"))
    nothing = folder / "nothing"
    nothing.mkdir()
    (nothing / "empty.json").write_text("{}\n")
    command = [str(python), "zircolite.py", "-e", str(nothing), "-f", "json", "--jsonl", "-p", "sysmon"]
    command += ["-p", "windows-logsources", "-sr", "-r", str(rules / "rules" / "windows")]
    command += [str(rules / "rules-emerging-threats"), "-o", str(folder / "none.json"), "-l", str(folder / "none.log")]
    subprocess.run(command, cwd=zircolite, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = sorted(set(zircolite.glob("ruleset-*.json")) - before)
    return [file.rename(folder / f"ruleset-{number}.json") for number, file in enumerate(made)]
