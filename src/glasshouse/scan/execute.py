"""Runs a function over many items, in this process or in worker processes.

Results come in the order of the items.  An item on which the worker dies, hangs or raises gives a typed ``Failed``, and
all others are not affected.  Members: this process, its workers (``worker_pool``), a cluster (``cluster``).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec

FailureCode = Literal["crashed", "timeout", "error"]
Item = TypeVar("Item")


class Done(msgspec.Struct, frozen=True):
    """What the function returned for item ``item`` of chunk ``chunk``."""

    chunk: int
    item: int
    value: bytes


class Failed(msgspec.Struct, frozen=True):
    """Why there is no value: the worker ``crashed`` (killed, out of memory), ran into the ``timeout``, or ``error``."""

    chunk: int
    item: int
    code: FailureCode
    reason: str


Outcome = Done | Failed
MAX_GARBAGE = 100_000  # objects that items may leave behind before cycles among them are searched
MAX_CHUNK = 4_000_000  # weight of a chunk: results come in order, so what lies behind an unfinished one is not safe yet
OLDER = 5  # searches after which the next also looks at what the last ones left


class ExecutorLimits(msgspec.Struct, frozen=True):
    """Bounds of the local pool.

    ``item_seconds`` is wall time for one item, after which its worker is killed (0: no limit).  ``chunks_in_flight``
    counts, per worker, chunks handed out or finished but not yet taken.  ``worker_memory_bytes`` bounds the address
    space of a worker (0: no limit).  A worker ends after ``chunks_per_worker`` chunks (0: no limit).
    """

    item_seconds: float = 60.0
    chunks_in_flight: int = 4
    worker_memory_bytes: int = 8 << 30
    chunks_per_worker: int = 0


class Executor(Protocol):
    """``function`` and the items must be picklable and ``function`` importable by name; closing stops all work."""

    jobs: int
    """How many items are worked on at a time."""

    def map_chunks(self, function: Callable[[Item], bytes], chunks: Iterable[Sequence[Item]]) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


class InProcessExecutor:
    """Runs items one after the other here.  It cannot outlive a crash of the interpreter or stop a hanging item."""

    jobs = 1

    def map_chunks(self, function: Callable[[Item], bytes], chunks: Iterable[Sequence[Item]]) -> Iterator[Outcome]:
        for number, chunk in enumerate(chunks):
            for index, item in enumerate(chunk):
                yield attempt(function, item, number, index)

    def close(self) -> None:
        """Nothing to stop."""


def executor_for(jobs: int, limits: ExecutorLimits | None = None, cluster: str = "") -> Executor:
    """The executor for this many jobs (0: one per core), here or on the Ray cluster at an address."""
    if cluster:
        from glasshouse.scan.cluster import RayExecutor

        return RayExecutor(cluster, jobs, limits or ExecutorLimits())
    jobs = jobs or available_cores()
    if jobs <= 1:
        return InProcessExecutor()
    from glasshouse.scan.worker_pool import WorkerPool  # multiprocessing costs start-up time

    return WorkerPool(jobs, limits or ExecutorLimits())


def available_cores() -> int:
    """Cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def chunks_by_weight(items: Sequence[Item], weights: Sequence[int], jobs: int, per_job: int = 8) -> list[list[Item]]:
    """Cuts ``items``, in order, into chunks of about equal total weight, about ``per_job`` for each job or more."""
    target = max(1, min(MAX_CHUNK, sum(weights) // max(1, jobs * per_job)))
    chunks: list[list[Item]] = []
    weight = target
    for item, own in zip(items, weights, strict=True):
        if weight >= target:
            chunks.append([])
            weight = 0
        chunks[-1].append(item)
        weight += own
    return chunks


def attempt(function: Callable[[Any], bytes], item: object, chunk: int, index: int) -> Outcome:
    """Runs one item.  Any error of the function is a result: the file is reported as not analysed because of it."""
    try:
        return Done(chunk, index, function(item))
    except Exception as error:  # noqa: BLE001 - recorded, never hidden: one bad file must not end the scan
        return Failed(chunk, index, "error", f"{type(error).__name__}: {str(error)[:500]}")
    finally:
        if not gc.isenabled():  # a scan turns collection off: the items would leave their cycles behind
            drop_garbage()


def drop_garbage() -> None:
    """Frees cycles, in between items and seldom; mostly looks only at what came since the last time."""
    young, middle, old = gc.get_count()
    if young > MAX_GARBAGE:
        gc.collect(2 if old >= OLDER else 1 if middle >= OLDER else 0)
