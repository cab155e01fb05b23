"""One committer for each log, and everybody else appends through it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.verify import verify
from glasshouse.words.errors import EntryError, LedgerBusyError

ENTRY = NewEntry(kind="act.request", organisation="o1", key="k1")


def test_a_second_committer_refuses_to_start(tmp_path: Path) -> None:
    with Ledger.open(tmp_path), pytest.raises(LedgerBusyError, match="another committer"):
        Ledger.open(tmp_path)


def test_a_joined_ledger_appends_through_the_committer_and_reads_the_same_log(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / ("deep" * 30)) as first, Ledger.open(tmp_path / ("deep" * 30), join=True) as second:
        (here,) = first.append([ENTRY]).result()
        (there,) = second.append([NewEntry(kind="x", organisation="o", key="k1", about=0)]).result()
        assert (here.index, there.index) == (0, 1)
        assert second.checkpoint().size == 2
        assert second.reader.entry(1).previous == here.leaf_hash.hex()
    assert verify(tmp_path / ("deep" * 30)).size == 2


def test_errors_of_the_committer_reach_a_joined_caller_as_themselves(tmp_path: Path) -> None:
    with Ledger.open(tmp_path), Ledger.open(tmp_path, join=True) as second:
        late = second.append([NewEntry(kind="x", organisation="o", key="k", part="closes", about=0)])
        with pytest.raises(EntryError, match="does not exist yet"):
            late.result()


def test_a_joined_ledger_takes_over_when_the_committer_ends(tmp_path: Path) -> None:
    first, second = Ledger.open(tmp_path), Ledger.open(tmp_path, join=True)
    reader = second.reader
    futures = [second.append([ENTRY]) for _ in range(50)]
    first.close()
    futures += [second.append([ENTRY]) for _ in range(50)]
    assert sorted(future.result()[0].index for future in futures) == list(range(100))
    assert reader.entry(99).kind == ENTRY.kind, "a reader handed out before the takeover reads on"
    second.close()
    assert verify(tmp_path).size == 100


def test_another_process_joins_and_takes_over(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from glasshouse.ledger import Ledger, NewEntry
with Ledger.open(Path(sys.argv[1]), join=True) as ledger:
    print(ledger.append([NewEntry(kind="x", organisation="o", key="child")]).result()[0].index, flush=True)
    sys.stdin.readline()
    print(ledger.append([NewEntry(kind="x", organisation="o", key="child")]).result()[0].index, flush=True)
"""
    ledger = Ledger.open(tmp_path)
    ledger.append([ENTRY]).result()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        ledger.close()
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "2\n"
    assert child.returncode == 0
    assert verify(tmp_path).size == 3


def test_many_threads_and_coroutines_get_each_index_once(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger, Ledger.open(tmp_path, join=True) as joined:

        async def coroutines() -> list[int]:
            calls = [each.append_async([ENTRY, ENTRY]) for each in (ledger, joined) for _ in range(100)]
            return [receipt.index for receipts in await asyncio.gather(*calls) for receipt in receipts]

        with ThreadPoolExecutor(8) as pool:
            threads = [pool.submit(lambda: ledger.append([ENTRY]).result()[0].index) for _ in range(200)]
            indexes = asyncio.run(coroutines()) + [each.result() for each in threads]
    assert sorted(indexes) == list(range(600))
    assert verify(tmp_path).size == 600


def test_the_entries_of_a_call_follow_each_other(tmp_path: Path) -> None:
    pair = [
        NewEntry(kind="a", organisation="o", key="k", part="opens", payloads=(Payload("event", "e1", b"secret"),)),
        NewEntry(kind="b", organisation="o", key="k", part="closes", about=-1),
    ]
    with Ledger.open(tmp_path) as ledger:
        for first, second in [future.result() for future in [ledger.append(pair) for _ in range(40)]]:
            assert second.index == first.index + 1
            assert ledger.reader.entry(second.index).about == first.index
        assert ledger.reader.unanswered() == []
        assert ledger.reader.payload(78, "event") == b"secret"


def test_what_was_appended_before_closing_is_written(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path)
    futures = [ledger.append([ENTRY]) for _ in range(500)]
    ledger.close()
    assert [future.result()[0].index for future in futures] == list(range(500))
    with pytest.raises(LedgerBusyError, match="was closed"):
        ledger.append([ENTRY])


def test_a_forked_child_cannot_write_behind_the_committers_back(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from glasshouse.ledger import Ledger, NewEntry
from glasshouse.words.errors import LedgerBusyError
entry = NewEntry(kind="x", organisation="o", key="k")
alone, joined = Ledger.open(Path(sys.argv[1], "a")), Ledger.open(Path(sys.argv[1], "b"), join=True)
alone.append([entry]).result()
joined.append([entry]).result()
child = os.fork()
if child == 0:
    try:
        alone.append([entry])
        os._exit(1)
    except LedgerBusyError:
        pass
    os._exit(0 if joined.append([entry]).result()[0].index == 1 else 2)
assert os.waitpid(child, 0)[1] == 0
print(alone.append([entry]).result()[0].index, joined.append([entry]).result()[0].index)
alone.close()
joined.close()
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "1 2\n", done.stderr
    assert (verify(tmp_path / "a").size, verify(tmp_path / "b").size) == (2, 3)


def test_of_many_processes_that_start_at_once_one_commits_and_all_append(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from glasshouse.ledger import Ledger, NewEntry
with Ledger.open(Path(sys.argv[1]), join=True) as ledger:
    futures = [ledger.append([NewEntry(kind="x", organisation="o", key=sys.argv[2])]) for _ in range(50)]
    print(*[future.result()[0].index for future in futures])
"""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, str(tmp_path)]
    children = [subprocess.Popen([*command, f"k{n}"], stdout=pipe, stderr=pipe, text=True) for n in range(4)]
    outputs = [child.communicate(timeout=60) for child in children]
    indexes = [int(word) for text, _ in outputs for word in text.split()]
    assert sorted(indexes) == list(range(200)), [error for _, error in outputs]
    report = verify(tmp_path)
    assert (report.size, report.keys) == (200, 4)


def test_a_call_that_its_caller_gave_up_in_time_is_not_written(tmp_path: Path) -> None:
    held = threading.Event()
    with Ledger.open(tmp_path) as ledger:
        first = ledger.append([ENTRY])
        first.add_done_callback(lambda _: held.wait(10))  # runs in the committer's thread
        first.result()
        second, third = ledger.append([ENTRY]), ledger.append([ENTRY])
        assert second.cancel()
        held.set()
        assert third.result()[0].index == 1
    assert verify(tmp_path).size == 2
