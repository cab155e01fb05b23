"""What the door costs: a no-op act, a decision, a local scan, and how soon a revocation holds everywhere.

    python bench/door.py [--acts 400] [--repeat 9]

Peers in the same run: two bare appends to the same log (what durable recording costs without a door), Cedar given the
policies as text at every decision, and the same scan's engine without the door.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from measure import machine, table

from glasshouse.access.facts import Facts, facts_of
from glasshouse.access.local import local_caller
from glasshouse.door.door import Door
from glasshouse.door.passage import Passage
from glasshouse.guard.cedar import CedarEvaluator, _entities, _request
from glasshouse.guard.decide import Guard
from glasshouse.guard.policy import Policies, PolicyFile, policy_set, shipped_policies
from glasshouse.ledger import NewEntry, Payload
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.capability import CAPABILITIES

TARGET = Target("code", "/srv/shop")
ACT = Act("code.scan", (TARGET,), "local")
EVENT_BYTES = 1_100  # about what a request's event takes
PHASES = """
import json, os, sys, time
from pathlib import Path
import glasshouse.cli.scan, glasshouse.scan.run, glasshouse.scan.render.interface
from glasshouse.scan.settings import ScanSettings
files = Path(sys.argv[1])
settings = ScanSettings(cache_dir=None, jobs=1)
spent = 0.0
before, cpu = time.perf_counter(), time.process_time()
from glasshouse.door.local import code_targets, local_passage
context = local_passage("code.scan", code_targets([files]), os.environ, describes="scan")
passage = context.__enter__()
spent, cpu_spent = time.perf_counter() - before, time.process_time() - cpu
begun = time.perf_counter()
report = glasshouse.scan.render.interface.gather(passage.watched(glasshouse.scan.run.scan_tree([files], settings)))
engine = time.perf_counter() - begun
before, cpu = time.perf_counter(), time.process_time()
from glasshouse.door.findings import vulnerability_events
passage.add_events(vulnerability_events(report.open, 0))
context.__exit__(None, None, None)
spent, cpu_spent = spent + time.perf_counter() - before, cpu_spent + time.process_time() - cpu
print(json.dumps({"door": spent, "cpu": cpu_spent, "engine": engine,
                  "heavy": [m for m in ("sqlalchemy", "alembic", "cedarpy", "webauthn") if m in sys.modules]}))
"""


def percentiles(samples: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds."""
    ordered = sorted(samples)
    return statistics.median(ordered) * 1e3, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Seconds of each call; the first tenth warms up and does not count."""
    samples = []
    for number in range(times + times // 10):
        before = time.perf_counter()
        work()
        if number >= times // 10:
            samples.append(time.perf_counter() - before)
    return samples


def no_op_acts(acts: int) -> list[list[str]]:
    """A no-op act through the door beside two bare appends, alternating."""
    with tempfile.TemporaryDirectory() as folder, Door.open({"GLASSHOUSE_HOME": folder}) as door:
        caller = local_caller("bench", [TARGET])
        payload = (Payload("event", "local", b"x" * EVENT_BYTES),)

        def bare() -> None:
            for _ in range(2):
                entry = NewEntry(kind="bench.entry", organisation="bench", key="bench", payloads=payload)
                door.log.append([entry]).result()

        def through() -> None:
            passage: Passage[bytes] = door.passage(caller, ACT)
            passage.conclude()

        sides: dict[str, list[float]] = {"two bare appends": [], "a no-op act through the door": []}
        cpu: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(8):
            for name, work in zip(sides, (bare, through), strict=True):
                started = time.process_time()
                sides[name] += timed(work, acts // 8)
                cpu[name].append((time.process_time() - started) / (acts // 8 + acts // 80) * 1e3)
    cpu_bare, cpu_through = (statistics.median(each) for each in cpu.values())
    rows = [[name, *(f"{each:.2f}" for each in percentiles(samples))] for name, samples in sides.items()]
    rows[0].append(f"{cpu_bare:.2f}")
    rows[1].append(f"{cpu_through:.2f}")
    difference = float(rows[1][1]) - float(rows[0][1])
    return [*rows, ["difference: the door itself", f"{difference:.2f}", "", f"{cpu_through - cpu_bare:.2f}"]]


def hundred_policies(actions: Sequence[str]) -> Policies:
    """The shipped set and as many policies of an organisation about these actions, in turn, as make 100."""
    more = "\n".join(
        f'@id("own.{number}") permit(principal, action == Glasshouse::Action::"{actions[number % len(actions)]}", '
        f'resource) when {{ principal.country == "C{number}" && context.misuse < {number} }};'
        for number in range(100 - 14)
    )
    return policy_set([*shipped_policies().files, PolicyFile("own.cedar", more)])


def decisions(times: int) -> list[list[str]]:
    """A decision under 100 policies: remembered, evaluated anew, and by Cedar with the policies as text."""
    import cedarpy

    policies, one_sided = hundred_policies(sorted(CAPABILITIES)), hundred_policies([ACT.capability])
    evaluator, guard, heavy = CedarEvaluator(policies), Guard(policies), CedarEvaluator(one_sided)
    local = facts_of(local_caller("bench", [TARGET]), ACT, Circumstances(misuse=1), (), int(time.time()))
    base: Facts = msgspec.structs.replace(local, caller_kind="person", key_live=True)
    varied = [msgspec.structs.replace(base, misuse=number) for number in range(60)]
    fresh = [msgspec.structs.replace(base, caller=f"person{number}") for number in range(times * 2)]
    text = policies.text()
    state = {"varied": 0, "fresh": 0}

    def next_of(name: str, among: list[Facts]) -> Facts:
        state[name] += 1
        return among[state[name] % len(among)]

    def as_text() -> None:
        facts = next_of("varied", varied)
        cedarpy.is_authorized(_request(facts), text, _entities(facts))

    def row(name: str, samples: list[float]) -> list[str]:
        return [name, *(f"{each * 1e3:.1f}" for each in percentiles(samples))]

    return [
        row("the same facts again (remembered)", timed(lambda: guard.decide(base), times)),
        row("another score of a known caller", timed(lambda: evaluator.evaluate(next_of("varied", varied)), times)),
        row("the same, all 100 about this action", timed(lambda: heavy.evaluate(next_of("varied", varied)), times)),
        row("a caller never seen", timed(lambda: evaluator.evaluate(next_of("fresh", fresh)), times)),
        row("peer: Cedar with the policies as text", timed(as_text, max(20, times // 10))),
    ]


def local_scan(repeat: int) -> list[list[str]]:
    """Ten files through the door: what access, policy and log take, imports included, beside the engine's own time."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        for number in range(10):
            (tree / f"m{number}.py").write_text("import os\n\n\ndef run(name):\n    os.system('ls ' + name)\n")
        runs: list[dict[str, Any]] = []
        for _ in range(repeat + 1):
            environ = {**os.environ, "GLASSHOUSE_HOME": str(Path(folder) / "home"), "PYTHONPYCACHEPREFIX": folder}
            environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its compiled modules
            command = [sys.executable, "-c", PHASES, str(tree)]
            runs.append(json.loads(subprocess.run(command, env=environ, capture_output=True, check=True).stdout))
    heavy = sorted({name for run in runs for name in run["heavy"]})
    rows = [
        [name, *(f"{each:.0f}" for each in percentiles([run[key] for run in runs[1:]]))]
        for name, key in (
            ("access, policy, log: wall", "door"),
            ("access, policy, log: CPU", "cpu"),
            ("engine", "engine"),
        )
    ]
    return [*rows, ["heavy modules loaded", ", ".join(heavy) or "none", ""]]


def main(arguments: list[str]) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acts", type=int, default=400, help="no-op acts")
    parser.add_argument("--repeat", type=int, default=9, help="local scans")
    options = parser.parse_args(arguments)
    print(f"{machine()}\n")
    print(table(["act", "p50 ms", "p99 ms", "CPU ms"], no_op_acts(options.acts)), end="\n\n")
    print(table(["decision under 100 policies", "p50 us", "p99 us"], decisions(options.acts)), end="\n\n")
    print(table(["scan of 10 files", "p50 ms", "p99 ms"], local_scan(options.repeat)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
