"""How long an audit pack takes over a log of many entries, in how much memory; and what rests on what.

    python bench/assure.py [--entries 100000] [--folder KEPT]

The log is made through the real ledger: requests, denials and outcomes as the door writes them, and one record of
each kind of assurance.  ``--folder`` keeps it, so that a second run measures alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 1_000
MODEL = "misuse-screener"
RECORD = Path(__file__).resolve().parents[1] / "train" / "records" / f"{MODEL}.json"


def fill(home: Path, entries: int) -> None:
    """A home with that many entries of use, and one assessed model."""
    glasshouse(home, "assess", "commit")
    (home / "model.yaml").write_text(glasshouse(home, "assess", "own", MODEL))
    glasshouse(home, "assess", "training", str(RECORD))
    glasshouse(home, "assess", "run", str(home / "model.yaml"))
    glasshouse(home, "assess", "gate", str(home / "model.yaml"), "--tier", "public")
    from glasshouse.door.home import log_folder
    from glasshouse.ledger import Ledger, NewEntry, Payload

    asked = {"characters": 640, "language": "en", "code": 20}
    event = {"policy": {"uid": "core.misuse", "version": "ab" * 32}, "unmapped": {"misuse": 12, "input": asked}}
    denied = event | {"unmapped": {"misuse": 97, "misuse_categories": ["malware"], "input": asked}}
    kinds = [("act.request", "permit", event), ("act.outcome", "done", event), ("act.denied", "deny", denied)]
    with Ledger.open(log_folder(home), join=True) as ledger:
        for first in range(0, entries, BATCH):
            batch = []
            for number in range(first, min(first + BATCH, entries)):
                kind, decision, body = kinds[number % 3]
                payload = Payload("event", "eng-1", json.dumps(body).encode())
                batch.append(
                    NewEntry(
                        kind=kind, organisation="org-1", key=f"k{number % 7}", decision=decision, payloads=(payload,)
                    )
                )
            ledger.append(batch).result()


def glasshouse(home: Path, *arguments: str) -> str:
    """Runs a command in the home; a refused gate (1) is no failure here."""
    environment = {**os.environ, "GLASSHOUSE_HOME": str(home)}
    command = [sys.executable, "-m", "glasshouse", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def measure(home: Path, *arguments: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, and peak memory in MB of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    glasshouse(home, *arguments)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="glasshouse-bench-") as temporary:
        home = options.folder or Path(temporary)
        if not (home / "ledger").exists():
            home.mkdir(parents=True, exist_ok=True)
            fill(home, options.entries)
        print("| command | entries | wall s | CPU s | peak MB |\n| --- | --- | --- | --- | --- |")
        for name, arguments in (
            ("dossier model-report", ("dossier", "model-report", "--model", MODEL, "-o", str(home / "report.md"))),
            ("dossier audit-pack", ("dossier", "audit-pack", "--model", MODEL, "-o", str(home / "pack.zip"))),
        ):
            wall, cpu, memory = measure(home, *arguments)
            print(f"| {name} | {options.entries:,} | {wall:.1f} | {cpu:.1f} | {memory:.0f} |")
        print(f"\n{glasshouse(home, 'dossier', 'coverage', '--model', MODEL)}")


if __name__ == "__main__":
    main()
