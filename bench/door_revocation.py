"""How soon a halt, and its lifting, are seen by processes that decide all the time.

    python bench/door_revocation.py [--processes 4] [--rounds 25]

Each process asks the door every 2 ms under a key of its own; the time from the commit to its next answer counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import machine, table

from glasshouse.access import register
from glasshouse.access.secrets import read_or_make
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.engagement import CodeScope, Engagement, Scope, Term
from glasshouse.words.party import Organisation, Person

EMPLOYER = "Leaky Ltd"
WORKER = """
import os, sys, time
from glasshouse.door.door import Door
from glasshouse.words.act import Act, Target
from glasshouse.words.decision import Permit
from glasshouse.words.errors import GlasshouseError

act = Act("code.scan", (Target("code", "/srv/shop"),), "audit")
with Door.open(os.environ) as door:
    permitted = False
    while True:
        try:
            now = isinstance(door.decide(door.resolve(sys.argv[1]), act), Permit)
        except GlasshouseError:
            now = False
        if now is not permitted:
            permitted = now
            print(int(permitted), time.monotonic(), flush=True)
        time.sleep(0.002)
"""


def organisation(home: Path, people: int) -> tuple[Tables, list[str]]:
    """A register with one engagement, and a key for each person."""
    tables = Tables(open_database(StorePlace(file=home / "store.db")))
    pepper, now = read_or_make(home / "keys" / "pepper"), int(time.time())
    tables.organisations.add(Organisation("acme", "Acme", "FR", "vetted"))
    scope = Scope(code=(CodeScope("/srv/shop"),))
    register.draft(tables, Engagement("audit", "acme", "look", scope, ("code.scan",), 0, Term(now - 10, now + 9_000)))
    for event in ("request", "activate"):
        register.move_engagement(tables, "audit", event)
    keys = []
    for number in range(people):
        tables.people.add(Person(f"p{number}", "acme", "P", ("operator",), "FR", EMPLOYER))
        keys.append(register.issue_key(tables, pepper, f"p{number}", "audit", now - 10, 9_000)[0].text)
    return tables, keys


@contextmanager
def deciding(home: Path, keys: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """One process for each key, all of them permitted."""
    environ = {**os.environ, "GLASSHOUSE_HOME": str(home)}
    command = [sys.executable, "-c", WORKER]
    workers = [subprocess.Popen([*command, key], env=environ, stdout=subprocess.PIPE, text=True) for key in keys]
    try:
        for worker in workers:
            seen_at(worker, permitted=True)
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def seen_at(worker: subprocess.Popen[str], *, permitted: bool) -> float:
    """When the process saw the change."""
    assert worker.stdout is not None
    state, at = worker.stdout.readline().split()
    assert state == str(int(permitted))
    return float(at)


def main(arguments: list[str]) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args(arguments)
    delays: dict[str, list[float]] = {"halt ordered": [], "halt lifted": []}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        tables, keys = organisation(home, options.processes)
        with deciding(home, keys) as workers:
            for _ in range(options.rounds):
                halt = register.order_halt(
                    tables, "employer", EMPLOYER, "credentials leaked", "bench", int(time.time())
                )
                ordered = time.monotonic()
                delays["halt ordered"] += [seen_at(worker, permitted=False) - ordered for worker in workers]
                register.lift_halt(tables, halt.id, int(time.time()))
                lifted = time.monotonic()
                delays["halt lifted"] += [seen_at(worker, permitted=True) - lifted for worker in workers]
    rows = [
        [name, f"{sorted(found)[len(found) // 2] * 1e3:.0f}", f"{max(found) * 1e3:.0f}"]
        for name, found in delays.items()
    ]
    print(f"{machine()}; {options.processes} processes, {options.rounds} rounds\n")
    print(table(["seen by every process", "p50 ms", "longest ms"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
