"""Every executor gives all outcomes in order; the pool also survives workers that die or hang."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshouse.scan import ScanSettings, scan_tree
from glasshouse.scan.cluster import connect, knock, ray_module
from glasshouse.scan.execute import (
    MAX_CHUNK,
    Done,
    Executor,
    ExecutorLimits,
    Failed,
    InProcessExecutor,
    Outcome,
    chunks_by_weight,
    executor_for,
)
from glasshouse.scan.run import without_collecting
from glasshouse.scan.worker_pool import WorkerPool
from glasshouse.words.errors import ClusterError

CLUSTER = "GLASSHOUSE_TEST_CLUSTER"
"""Set where the extra `scale` is installed, with `-k cluster`: Ray leaves threads behind, so workers fork no more."""
MEMBERS = ["in-process", "pool-2", "pool-3", *(["cluster"] if os.environ.get(CLUSTER) else [])]


@pytest.fixture(params=MEMBERS)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    name: str = request.param
    if name == "cluster":
        request.getfixturevalue("cluster")
        yield executor_for(2, cluster="auto")
        return
    member = executor_for(1) if name == "in-process" else executor_for(int(name[-1]))
    yield member
    member.close()
    assert multiprocessing.active_children() == []


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray cluster of this machine, to which this process is connected."""
    if not os.environ.get(CLUSTER):
        pytest.skip(f"{CLUSTER} is not set")
    ray = ray_module()
    try:
        connect(ray, "local")
    except ClusterError as error:
        pytest.skip(f"Ray does not start on this machine: {error.what[:100]}")
    yield
    ray.shutdown()


def double(number: int) -> bytes:
    return b"%d" % (number * 2)


def fail_on_odd(number: int) -> bytes:
    if number % 2:
        raise ValueError(f"odd: {number}")
    return double(number)


def die_on_seven(number: int) -> bytes:
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return double(number)


def exit_on_seven(number: int) -> bytes:
    if number == 7:
        os._exit(3)
    return double(number)


def hang_on_seven(number: int) -> bytes:
    while number == 7:
        pass
    return double(number)


def large(number: int) -> bytes:
    return bytes([number]) * 1_000_000


def measure(data: bytes) -> bytes:
    return b"%d" % len(data)


def die_once(path: str) -> bytes:
    """Dies the first time, as after memory ran out because of others."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return b"survived"
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def allocate(size: int) -> bytes:
    return b"%d" % len(bytearray(size))


class Knot:
    """Refers to itself, and holds many others."""

    alive = 0

    def __init__(self) -> None:
        Knot.alive += 1
        self.held: list[object] = [[] for _ in range(1000)]
        self.held.append(self)

    def __del__(self) -> None:
        Knot.alive -= 1


def leave_knots(number: int) -> bytes:
    for _ in range(number):
        Knot()
    return b"%d" % Knot.alive


def chunked(numbers: list[int], size: int) -> list[list[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


def values(outcomes: list[Outcome]) -> list[bytes | str]:
    return [outcome.value if isinstance(outcome, Done) else outcome.code for outcome in outcomes]


def test_outcomes_come_in_the_order_of_the_items(executor: Executor) -> None:
    outcomes = list(executor.map_chunks(double, chunked(list(range(50)), 7)))
    assert values(outcomes) == [b"%d" % (number * 2) for number in range(50)]
    assert [(each.chunk, each.item) for each in outcomes] == [divmod(number, 7) for number in range(50)]


def test_an_error_fails_its_item_and_no_other(executor: Executor) -> None:
    outcomes = list(executor.map_chunks(fail_on_odd, [[0, 1, 2], [3, 4]]))
    assert values(outcomes) == [b"0", "error", b"4", "error", b"8"]
    assert isinstance(outcomes[1], Failed)
    assert outcomes[1].reason == "ValueError: odd: 1"


def test_no_chunks_or_empty_ones_give_nothing(executor: Executor) -> None:
    assert list(executor.map_chunks(double, [])) == []
    assert values(list(executor.map_chunks(double, [[], [1], []]))) == [b"2"]


def test_results_and_items_larger_than_a_pipe_pass(executor: Executor) -> None:
    outcomes = values(list(executor.map_chunks(large, [[1, 2], [3], [4], [5]])))
    assert [len(value) for value in outcomes] == [1_000_000] * 5
    assert values(list(executor.map_chunks(measure, [[b"x" * 3_000_000]] * 5))) == [b"3000000"] * 5


def test_what_items_leave_behind_in_cycles_does_not_add_up(executor: Executor) -> None:
    with without_collecting():  # as a scan does
        outcomes = list(executor.map_chunks(leave_knots, chunked([20] * 60, 3)))
    alive = [int(item.value) for item in outcomes if isinstance(item, Done)]
    assert len(alive) == 60
    assert max(alive) <= 150, "each of three processes would come to 400"


@settings(max_examples=8)
@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 6))
def test_pool_and_this_process_agree(numbers: list[int], size: int) -> None:
    chunks = chunked(numbers, size)
    with WorkerPool(2, ExecutorLimits()) as pool:
        assert list(pool.map_chunks(fail_on_odd, chunks)) == list(InProcessExecutor().map_chunks(fail_on_odd, chunks))


@pytest.mark.parametrize("function", [die_on_seven, exit_on_seven])
@pytest.mark.parametrize("size", [1, 4, 20])
def test_only_the_item_that_kills_its_worker_fails(function, size: int) -> None:  # type: ignore[no-untyped-def]
    with WorkerPool(2, ExecutorLimits()) as pool:
        outcomes = values(list(pool.map_chunks(function, chunked(list(range(20)), size))))
    assert outcomes == ["crashed" if number == 7 else b"%d" % (number * 2) for number in range(20)]


@pytest.mark.usefixtures("cluster")
def test_on_a_cluster_only_the_item_that_kills_its_worker_or_hangs_fails() -> None:
    chunks = chunked(list(range(12)), 4)
    crashed = values(list(executor_for(2, cluster="auto").map_chunks(die_on_seven, chunks)))
    assert crashed == ["crashed" if number == 7 else b"%d" % (number * 2) for number in range(12)]
    timed = executor_for(2, ExecutorLimits(item_seconds=0.5), cluster="auto")
    hanging = values(list(timed.map_chunks(hang_on_seven, chunks)))
    assert hanging == ["timeout" if number == 7 else b"%d" % (number * 2) for number in range(12)]


@pytest.mark.usefixtures("cluster")
def test_a_machine_of_a_cluster_with_another_version_ends_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glasshouse.scan.cluster.IDENTITY", "Glasshouse 99")
    with pytest.raises(ClusterError, match="the scan needs Glasshouse 99"):
        list(executor_for(2, cluster="auto").map_chunks(double, [[1]]))


@pytest.mark.usefixtures("cluster")
def test_a_scan_on_a_cluster_finds_what_a_scan_here_finds() -> None:
    shop = [Path(__file__).parents[2] / "examples" / "shop"]
    assert list(scan_tree(shop, ScanSettings(cluster="auto"))) == list(scan_tree(shop, ScanSettings()))


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere", "127.0.0.1:99999", "ray://127.0.0.1:9"])
def test_a_cluster_that_is_not_there_is_told_at_once(address: str) -> None:
    with pytest.raises(ClusterError) as told:
        knock(address)
    assert told.value.where == address


def test_a_crash_tells_its_signal() -> None:
    with WorkerPool(2, ExecutorLimits()) as pool:
        (outcome,) = pool.map_chunks(die_on_seven, [[7]])
    assert isinstance(outcome, Failed)
    assert "SIGKILL" in outcome.reason


def test_a_worker_that_died_for_lack_of_memory_gets_a_second_try(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with WorkerPool(2, ExecutorLimits()) as pool:
        assert (
            values(list(pool.map_chunks(die_once, [[str(tmp_path / "a"), str(tmp_path / "b")]]))) == [b"survived"] * 2
        )


def test_only_the_item_that_hangs_times_out() -> None:
    with WorkerPool(2, ExecutorLimits(item_seconds=0.2)) as pool:
        outcomes = values(list(pool.map_chunks(hang_on_seven, chunked(list(range(20)), 5))))
    assert outcomes == ["timeout" if number == 7 else b"%d" % (number * 2) for number in range(20)]


def test_a_slow_caller_is_no_timeout() -> None:
    with WorkerPool(2, ExecutorLimits(item_seconds=0.05)) as pool:
        results = []
        for outcome in pool.map_chunks(large, [[1, 2, 3], [4, 5, 6]]):
            results.append(outcome)
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pass
    assert all(isinstance(outcome, Done) for outcome in results)


def test_memory_of_a_worker_is_bounded() -> None:
    with WorkerPool(2, ExecutorLimits(worker_memory_bytes=1 << 30)) as pool:
        outcomes = list(pool.map_chunks(allocate, [[1000, 4 << 30]]))
    assert values(outcomes) == [b"1000", "error"]


def test_chunks_are_taken_only_as_results_are(tmp_path) -> None:  # type: ignore[no-untyped-def]
    taken = 0

    def endless() -> Iterator[list[int]]:
        nonlocal taken
        while True:
            taken += 1
            yield [taken]

    with WorkerPool(2, ExecutorLimits(chunks_in_flight=3)) as pool:
        results = pool.map_chunks(double, endless())
        for _ in range(10):
            next(results)
        assert taken <= 10 + 2 * 3
        results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_leaving_early_ends_all_workers() -> None:
    pool = WorkerPool(2, ExecutorLimits())
    for _ in pool.map_chunks(hang_on_seven, [[1], [7], [7]]):
        break
    pool.close()
    assert multiprocessing.active_children() == []


INTERRUPTED = """
import os, sys, time
from glasshouse.scan.execute import ExecutorLimits
from glasshouse.scan.worker_pool import WorkerPool
def hang(number):
    os.write(1, b"%d\\n" % os.getpid())
    while True: pass
try:
    list(WorkerPool(2, ExecutorLimits()).map_chunks(hang, [[1], [2]]))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_an_interrupt_leaves_no_worker_behind(sent: signal.Signals, status: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    workers = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(sent)
    assert process.wait(timeout=20) == status
    if sent == signal.SIGINT:
        assert not any(alive(worker) for worker in workers)
    assert b"leaked" not in process.stderr.read() if sent == signal.SIGINT else True
    for worker in workers:
        if alive(worker):
            os.kill(worker, signal.SIGKILL)
    process.stdout.close()
    process.stderr.close()


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


AT_FORK = """
import os, signal
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
signal.signal(signal.SIGINT, signal.default_int_handler)
from glasshouse.scan.execute import ExecutorLimits
from glasshouse.scan.worker_pool import WorkerPool
try:
    with WorkerPool(2, ExecutorLimits()) as pool:
        print(*pool.map_chunks(bytes, [[1], [2]]))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_an_interrupt_while_a_worker_begins_is_not_lost() -> None:
    done = subprocess.run([sys.executable, "-c", AT_FORK], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 8))
def test_chunks_keep_all_items_in_order_and_are_of_like_weight(weights: list[int], jobs: int) -> None:
    items = list(range(len(weights)))
    chunks = chunks_by_weight(items, weights, jobs)
    assert [item for chunk in chunks for item in chunk] == items
    assert all(chunks)
    target = max(1, sum(weights) // (jobs * 8))
    assert all(sum(weights[item] for item in chunk[:-1]) < target for chunk in chunks)


@given(st.lists(st.integers(MAX_CHUNK // 10, MAX_CHUNK), min_size=40, max_size=80))
def test_chunks_of_much_work_are_many(weights: list[int]) -> None:
    chunks = chunks_by_weight(weights, weights, 1, per_job=1)
    assert all(sum(chunk[:-1]) < MAX_CHUNK for chunk in chunks), "what waits for an unfinished chunk would be lost"


def own_process(_: int) -> bytes:
    return b"%d" % os.getpid()


def test_a_worker_ends_after_its_share_of_chunks() -> None:
    with WorkerPool(2, ExecutorLimits(chunks_per_worker=1)) as pool:
        outcomes = list(pool.map_chunks(own_process, [[1, 2], [3], [4], [5]]))
    values = [outcome.value for outcome in outcomes if isinstance(outcome, Done)]
    assert len(values) == 5
    assert values[0] == values[1]
    assert len(set(values)) == 4


def test_a_share_of_one_chunk_keeps_order_when_a_worker_dies() -> None:
    with WorkerPool(2, ExecutorLimits(chunks_per_worker=1)) as pool:
        outcomes = list(pool.map_chunks(die_on_seven, [[6], [7], [8]]))
    assert [(type(outcome), outcome.chunk) for outcome in outcomes] == [(Done, 0), (Failed, 1), (Done, 2)]
