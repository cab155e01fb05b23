"""The local member of ``Executor``: worker processes, one pipe each, no queues, threads or semaphores.

A worker sends each item's outcome as soon as it has it, so when it dies or hangs the guilty item is known: it is the
first one without an outcome.  A worker that was killed gets one retry of that item alone (memory may have run out
because of what came before).  Workers end when the pool closes, and by themselves when its process is gone.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from glasshouse.scan.execute import Done, ExecutorLimits, Failed, Outcome, attempt

Item = TypeVar("Item")

PREFETCH_BYTES = 16_384
"""A second chunk is handed to a busy worker only if its message surely fits into the pipe, so that nobody blocks."""

_HEADER = 12  # bytes before the value: chunk (4), item (4), "done" or "fail" (4)


class WorkerPool:
    """Starts processes when a call needs them and ends them with the call; ``close`` ends them at once."""

    def __init__(self, jobs: int, limits: ExecutorLimits) -> None:
        self.jobs = jobs
        self._limits = limits
        self._workers: list[_Worker] = []

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def map_chunks(self, function: Callable[[Item], bytes], chunks: Iterable[Sequence[Item]]) -> Iterator[Outcome]:
        """Outcomes in order.  Leaving the iterator early, also by Ctrl-C, kills the workers."""
        run = _Run(function, iter(chunks), self.jobs, self._limits, self._workers)
        try:
            yield from run.outcomes()
        finally:
            self.close()

    def close(self) -> None:
        """Kills every worker and waits until it is gone."""
        while self._workers:
            self._workers.pop().kill()


class _Chunk:
    """A chunk under way: its items, and the outcomes that have arrived."""

    __slots__ = ("alone", "items", "number", "outcomes")

    def __init__(self, number: int, items: Sequence[Any]) -> None:
        self.number = number
        self.items = items
        self.outcomes: list[Outcome] = []
        self.alone = -1  # the item whose worker died once already

    @property
    def finished(self) -> bool:
        return len(self.outcomes) == len(self.items)


class _Worker:
    """One process and our end of its pipe."""

    def __init__(self, function: Callable[[Any], bytes], limits: ExecutorLimits, others: list[_Worker]) -> None:
        context = _context()
        self.pipe, theirs = context.Pipe(duplex=True)
        inherited = [self.pipe, *(other.pipe for other in others)] if context.get_start_method() == "fork" else []
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, inherited, function, limits), daemon=True, name="glasshouse-scan"
        )
        self.process.start()
        theirs.close()
        self.chunks: deque[_Chunk] = deque()
        self.served = 0  # chunks finished
        self.waited = 0.0  # seconds that we have waited for the current item

    def send(self, message: bytes, chunk: _Chunk) -> None:
        self.chunks.append(chunk)
        with contextlib.suppress(OSError):  # it is dead; reading from it will tell, and the chunk goes elsewhere
            self.pipe.send_bytes(message)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


class _Run:
    """One ``map_chunks`` call."""

    def __init__(
        self,
        function: Callable[[Any], bytes],
        chunks: Iterator[Sequence[Any]],
        jobs: int,
        limits: ExecutorLimits,
        workers: list[_Worker],
    ) -> None:
        self._function = function
        self._source = chunks
        self._jobs = jobs
        self._limits = limits
        self._workers = workers
        self._again: deque[_Chunk] = deque()  # chunks whose worker died
        self._held: _Chunk | None = None  # a chunk too large to hand to a busy worker
        self._open: deque[_Chunk] = deque()  # not yet given to the caller, in order
        self._count = 0
        self._exhausted = False

    def outcomes(self) -> Iterator[Outcome]:
        """All outcomes in order."""
        while True:
            self._hand_out()
            while self._open and self._open[0].finished:
                yield from self._open.popleft().outcomes
                self._hand_out()
            if not self._open:
                return
            self._receive()

    def _hand_out(self) -> None:
        """Gives every worker a chunk, and then a second one so that it need not wait for us."""
        for depth in (0,) if self._limits.chunks_per_worker else (0, 1):
            if depth and self._held is not None:
                return  # known to be too large, and making its message costs time
            while True:
                idle = next((worker for worker in self._workers if len(worker.chunks) == depth), None)
                if idle is None and (depth or len(self._workers) >= self._jobs):
                    break
                chunk = self._next_chunk()
                if chunk is None:
                    return
                first = len(chunk.outcomes)
                last = first + 1 if chunk.alone == first else len(chunk.items)
                message = pickle.dumps((chunk.number, first, list(chunk.items[first:last])), pickle.HIGHEST_PROTOCOL)
                if depth and len(message) > PREFETCH_BYTES:
                    self._held = chunk
                    return
                if idle is None:
                    with _interrupts_wait():
                        idle = _Worker(self._function, self._limits, self._workers)
                        self._workers.append(idle)
                idle.send(message, chunk)

    def _next_chunk(self) -> _Chunk | None:
        if self._held is not None:
            chunk, self._held = self._held, None
            return chunk
        if self._again:
            return self._again.popleft()
        while not self._exhausted and len(self._open) < self._jobs * self._limits.chunks_in_flight:
            items = next(self._source, None)
            if items is None:
                self._exhausted = True
            elif len(items):
                chunk = _Chunk(self._count, items)
                self._count += 1
                self._open.append(chunk)
                return chunk
            else:
                self._count += 1
        return None

    def _receive(self) -> None:
        """Waits until something arrives or a worker has had its time."""
        busy = {worker.pipe: worker for worker in self._workers if worker.chunks}
        limit = self._limits.item_seconds
        patience = min(limit - worker.waited for worker in busy.values()) if limit else None
        before = time.monotonic()
        ready = wait(list(busy), None if patience is None else max(patience, 0.0))
        elapsed = time.monotonic() - before
        for pipe, worker in busy.items():
            if pipe in ready:
                self._read(worker)
            else:
                worker.waited += elapsed
                if limit and worker.waited >= limit:
                    self._give_up(worker, Failed(0, 0, "timeout", f"took more than {limit:g} seconds"))

    def _read(self, worker: _Worker) -> None:
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            worker.process.join(1.0)
            self._give_up(worker, Failed(0, 0, "crashed", _cause(worker.process.exitcode)))
            return
        worker.waited = 0.0
        chunk = worker.chunks[0]
        item = int.from_bytes(message[4:8], "big")
        assert int.from_bytes(message[:4], "big") == chunk.number
        assert item == len(chunk.outcomes)
        if message[8:12] == b"done":
            chunk.outcomes.append(Done(chunk.number, item, message[_HEADER:]))
        else:
            reason = message[_HEADER:].decode("utf-8", "replace")
            chunk.outcomes.append(Failed(chunk.number, item, "error", reason))
        if chunk.finished:
            worker.chunks.popleft()
            worker.served += 1
            if worker.served == self._limits.chunks_per_worker:
                self._workers.remove(worker)
                worker.kill()
        elif chunk.alone == item:
            worker.chunks.popleft()
            chunk.alone = -1
            self._again.append(chunk)

    def _give_up(self, worker: _Worker, failure: Failed) -> None:
        """Buries a worker; the item it was at fails or is tried once more, its other work goes back."""
        self._workers.remove(worker)
        worker.kill()
        chunk = worker.chunks[0]
        at = len(chunk.outcomes)
        if failure.code == "crashed" and chunk.alone != at:
            chunk.alone = at
        else:
            chunk.alone = -1
            chunk.outcomes.append(Failed(chunk.number, at, failure.code, failure.reason))
        self._again.extend(one for one in worker.chunks if not one.finished)


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """An interrupt comes after the block: Python would swallow it in the hooks that modules have run at a fork."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(
    pipe: Connection, inherited: Sequence[Connection], function: Callable[[Any], bytes], limits: ExecutorLimits
) -> None:
    """The life of a worker: chunks in, one message for each item out, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that owns us decides
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # we began while interrupts had to wait
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for other in inherited:
        other.close()  # else we would keep our siblings' pipes open
    gc.freeze()
    _bound_memory(limits.worker_memory_bytes)
    alarm = limits.item_seconds * 2 + 5 if limits.item_seconds and hasattr(signal, "setitimer") else 0.0
    status = 70
    try:
        while True:
            number, first, items = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from the process that started us
            for index, item in enumerate(items, first):
                if alarm:
                    signal.setitimer(signal.ITIMER_REAL, alarm)  # ends us even if nobody is left to kill us
                outcome = attempt(function, item, number, index)
                if alarm:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                pipe.send_bytes(_message(outcome))
    except (EOFError, OSError):
        status = 0  # the pool is gone
    finally:
        os._exit(status)  # without flushing: what is buffered belongs to the parent


def _message(outcome: Outcome) -> bytes:
    head = outcome.chunk.to_bytes(4, "big") + outcome.item.to_bytes(4, "big")
    if isinstance(outcome, Done):
        return head + b"done" + outcome.value
    return head + b"fail" + outcome.reason.encode("utf-8", "replace")


def _bound_memory(max_bytes: int) -> None:
    if not max_bytes:
        return
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        bounds = [value for value in (max_bytes, soft, hard) if value != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
    except (ImportError, ValueError, OSError):
        return  # not on this platform


def forks() -> bool:
    """Whether workers begin with the memory of this process: where that is safe (no thread may hold a lock)."""
    return sys.platform == "linux" and threading.active_count() == 1


def _context() -> Any:
    """Fork where it is safe; spawn elsewhere."""
    return multiprocessing.get_context("fork" if forks() else "spawn")


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        return f"the worker was killed by {name}"
    return f"the worker ended with status {exit_code}"
