"""How fast the log appends, proves and verifies, beside the limits of the machine and peers in the same run.

python bench/ledger.py append                     entries a second for 64 and 1,000 callers, with the sync latency
python bench/ledger.py verify --entries 1000000   verifying offline: seconds and memory
python bench/ledger.py proofs --entries 10000000  proofs from tiles and from node files, start-up of a big log
python bench/ledger.py peers --pymerkle PYTHON    pymerkle, run by the interpreter of an environment that has it (GPL)

`--directory` names the disk to measure; `--server URL` appends to PostgreSQL too.  Every table goes to standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import measured

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.assemble import Assembly, Chains
from glasshouse.ledger.audit.proofs import check_consistency, check_inclusion, leaf_hash
from glasshouse.ledger.keys import read_signers
from glasshouse.ledger.opening import Places, open_reader
from glasshouse.ledger.receipt import checkpoint_body
from glasshouse.ledger.store.interface import Batch, State
from glasshouse.ledger.store.sqlite import SqliteStore
from glasshouse.ledger.tree import Frontier

BODY = b"x" * 300
BATCH = 50_000


def table(*rows: tuple[object, ...]) -> None:
    """A Markdown table; the first row is its head."""
    head, *rest = rows
    print("| " + " | ".join(map(str, head)) + " |")
    print("| " + " | ".join("---" for _ in head) + " |")
    for row in rest:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def quantile(values: list[float], share: float) -> float:
    """A value that this share of the sorted values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


@contextmanager
def scratch(above: Path | None) -> Iterator[Path]:
    """A directory on the disk that is measured."""
    with tempfile.TemporaryDirectory(prefix="glasshouse-bench-", dir=above) as name:
        yield Path(name)


# --- the limits of the machine


def sync_latency(directory: Path, rounds: int = 300) -> float:
    """Median seconds of appending 4 kB to a file and syncing it."""
    taken = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(rounds):
            file.write(bytes(4096))
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return quantile(taken, 0.5)


def sqlite_inserts(directory: Path, batch: int, seconds: float = 2.0) -> float:
    """Durable rows a second of plain SQLite, with nothing but the inserts."""
    connection = sqlite3.connect(directory / f"plain{batch}.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE entry (idx INTEGER PRIMARY KEY, body BLOB)")
    rows, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?)", ((rows + n, BODY) for n in range(batch)))
        connection.execute("COMMIT")
        rows += batch
    connection.close()
    return rows / (time.perf_counter() - start)


# --- appending


async def _callers(ledger: Ledger, callers: int, calls: int, taken: list[float]) -> None:
    async def one(number: int) -> None:
        payloads = (Payload("event", "e1", BODY),)
        for _ in range(calls):
            start = time.perf_counter()
            entry = NewEntry(kind="act.request", organisation="o1", key=f"key-{number}", payloads=payloads)
            await ledger.append_async([entry])
            taken.append(time.perf_counter() - start)

    await asyncio.gather(*(one(number) for number in range(callers)))


def append_run(directory: Path, callers: int, total: int, server: str | None) -> tuple[object, ...]:
    """One row: every caller awaits its own receipt before it appends again."""
    taken: list[float] = []
    with Ledger.open(directory, server=server) as ledger:
        asyncio.run(_callers(ledger, callers, 2, []))  # keys, connections, caches
        gc.collect()
        cpu, start = time.process_time(), time.perf_counter()
        asyncio.run(_callers(ledger, callers, total // callers, taken))
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    store = "PostgreSQL" if server else "SQLite"
    count = len(taken)
    p50, p99 = quantile(taken, 0.5) * 1e3, quantile(taken, 0.99) * 1e3
    return (store, f"{callers:,}", f"{count / wall:,.0f}", f"{count / cpu:,.0f}", f"{p50:.1f} / {p99:.1f}")


def append(given: argparse.Namespace) -> None:
    """Appending, with the machine's limits in the same run."""
    with scratch(given.directory) as place:
        latency = sync_latency(place)
        rows = [append_run(place / f"log{n}", n, given.entries or 40_000, None) for n in (1000, 64, 1)[: given.runs]]
        if given.server:
            rows.append(append_run(place / "pg", 1000, given.entries or 40_000, given.server))
        single, many = sqlite_inserts(place, 1), sqlite_inserts(place, 1000)
        after = sync_latency(place)
        print(f"sync latency (4 kB, median): {latency * 1e3:.3f} ms before, {after * 1e3:.3f} ms after\n")
    table(
        ("store", "callers", "entries/s", "entries per CPU second", "p50 / p99 ms"),
        *rows,
        ("plain SQLite, 1 row a commit", "1", f"{single:,.0f}", "", ""),
        ("plain SQLite, 1,000 rows a commit", "1", f"{many:,.0f}", "", ""),
    )


# --- making big logs quickly: the same store and the same bytes, without a caller for each entry


def build(directory: Path, count: int, make: Callable[[int, int, Chains, int], Assembly]) -> None:
    """A log of ``count`` entries, signed once at the end."""
    Ledger.open(directory, origin="log.example.com/bench").close()
    keys = read_signers(Places(directory).keys)
    store = SqliteStore(Places(directory).database, writable=True)
    state, frontier, chains = store.load(), Frontier(), Chains(store)
    assert state is not None
    while state.size < count:
        made = make(state.size, min(BATCH, count - state.size), chains, state.time + 1)
        tiles = frontier.append(made.leaves)
        root = frontier.root()
        body = checkpoint_body(keys[0].key.name, frontier.size, root)
        note = body.decode() + "\n" + "".join(key.line(body, 0) for key in keys)
        new = State(frontier.size, root, made.time, note, None)
        store.commit(Batch(state.size, state.root, new, made.bodies, [], tiles, chains.changed, [], [], {}, {}, []))
        chains.keep()
        state = new
    store.scrub()
    store.close()


def realistic(first: int, count: int, chains: Chains, now: int) -> Assembly:
    """Entries as the door writes them, of 1,000 keys."""
    made = Assembly(first, now, chains, set())
    policy = "ab" * 32
    for number in range(first, first + count):
        new = NewEntry(
            kind="act.request", organisation="o1", key=f"key-{number % 1000}", decision="permit", policy=policy
        )
        made.add(new, None, [])
    return made


def counting(first: int, count: int, chains: Chains, now: int) -> Assembly:
    """Entry i is the decimal of i: small, so that ten million fit on a laptop."""
    made = Assembly(first, now, chains, set())
    made.bodies = [b"%d" % number for number in range(first, first + count)]
    made.leaves = [leaf_hash(body) for body in made.bodies]
    return made


# --- verifying and proving


def verify(given: argparse.Namespace) -> None:
    """The self-contained verifier in a process of its own."""
    count = given.entries or 1_000_000
    script = Path(__file__).resolve().parent.parent / "deploy" / "verifier" / "verify_glasshouse.py"
    with scratch(given.directory) as place:
        build(place / "log", count, realistic)
        size = open_reader(place / "log").body(0)
        rows = []
        with Ledger.open(place / "log") as ledger:
            from glasshouse.ledger.export import export

            export(ledger.reader, place / "published", ledger.dated_checkpoint())
        for what in ("published", "log"):
            run = measured([sys.executable, str(script), str(place / what)], memory=True)
            assert run.status == 0
            rows.append((what, f"{count:,}", f"{run.wall_s:.2f}", f"{run.cpu_s:.2f}", f"{run.peak_mb:.0f}"))
    print(f"entries of {len(size)} bytes, 1,000 keys\n")
    table(("what", "entries", "wall s", "CPU s", "peak MB"), *rows)


def proofs(given: argparse.Namespace) -> None:
    """Start-up, and proofs from tiles alone and from node files, each checked."""
    count = given.entries or 10_000_000
    with scratch(given.directory) as place:
        build(place, count, counting)
        start = time.perf_counter()
        with Ledger.open(place):
            started = time.perf_counter() - start
        rows = [_proof_row("tiles", place, count, given.rounds)]
        start = time.perf_counter()
        reader = open_reader(place)
        reader.index()
        reader.close()
        indexed = time.perf_counter() - start
        rows.append(_proof_row("node files", place, count, given.rounds))
    print(f"{count:,} entries: start-up {started:.2f} s; writing the node files {indexed:.0f} s\n")
    table(("proofs from", "inclusion p50 / p99 ms", "consistency p50 / p99 ms"), *rows)


def _proof_row(name: str, place: Path, count: int, rounds: int) -> tuple[object, ...]:
    chance, reader = random.Random(3), open_reader(place)
    newest = reader.checkpoint()
    inclusion, consistency = [], []
    for _ in range(rounds):
        index, old = chance.randrange(count), chance.randrange(1, count)
        start = time.perf_counter()
        hashes = reader.inclusion(index, count)
        inclusion.append(time.perf_counter() - start)
        check_inclusion(index, count, leaf_hash(b"%d" % index), hashes, newest.root)
        start = time.perf_counter()
        hashes = reader.consistency(old, count)
        consistency.append(time.perf_counter() - start)
        if len(consistency) <= 20:
            check_consistency(old, count, hashes, reader.root_at(old), newest.root)
    reader.close()
    cells = [f"{quantile(each, 0.5) * 1e3:.3f} / {quantile(each, 0.99) * 1e3:.2f}" for each in (inclusion, consistency)]
    return (name, *cells)


# --- peers

PYMERKLE = """
import sys, time, tempfile, os
from pymerkle import InmemoryTree, SqliteTree, verify_inclusion
n = 20000
tree = InmemoryTree(algorithm="sha256")
start = time.process_time()
for number in range(n):
    tree.append_entry(b"%d" % number)
print("in memory, not durable", round(n / (time.process_time() - start)))
start = time.perf_counter()
for number in range(1, 301):
    tree.prove_inclusion(number * 60, n)
print("inclusion proof ms at 20,000", round((time.perf_counter() - start) / 300 * 1e3, 3))
with tempfile.TemporaryDirectory() as place:
    tree = SqliteTree(os.path.join(place, "tree.db"), algorithm="sha256")
    start = time.perf_counter()
    for number in range(1000):
        tree.append_entry(b"%d" % number)
    print("SqliteTree, one entry a commit", round(1000 / (time.perf_counter() - start)))
"""


def peers(given: argparse.Namespace) -> None:
    """pymerkle in its own environment; and ours with one caller, which is the like of it."""
    done = subprocess.run([given.pymerkle, "-c", PYMERKLE], capture_output=True, text=True, check=True)
    rows: list[tuple[object, ...]] = [tuple(f"pymerkle, {line}".rsplit(" ", 1)) for line in done.stdout.splitlines()]
    with scratch(given.directory) as place:
        _, _, rate, _, _ = append_run(place, 1, 1000, None)
    frontier, leaves = Frontier(), [leaf_hash(b"%d" % number) for number in range(200_000)]
    start = time.process_time()
    frontier.append(leaves)
    rows.append(
        ("glasshouse, tree alone in memory, not durable", f"{len(leaves) / (time.process_time() - start):,.0f}")
    )
    rows.append(("glasshouse, one caller, sealed, signed, durable", rate))
    table(("what", "entries/s (or ms)"), *rows)


def main() -> None:
    """The part that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("append", "verify", "proofs", "peers"))
    parser.add_argument("--directory", type=Path, help="measure the disk of this directory")
    parser.add_argument("--entries", type=int, help="how many entries")
    parser.add_argument("--runs", type=int, default=3, help="append: how many of 1,000, 64 and 1 callers")
    parser.add_argument("--rounds", type=int, default=2000, help="proofs of each kind")
    parser.add_argument("--server", help="append: also into this PostgreSQL database, emptied before")
    parser.add_argument("--pymerkle", help="peers: an interpreter that has pymerkle")
    given = parser.parse_args()
    {"append": append, "verify": verify, "proofs": proofs, "peers": peers}[given.part](given)


if __name__ == "__main__":
    main()
