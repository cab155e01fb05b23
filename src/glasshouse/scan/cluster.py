"""The member of ``Executor`` for many machines: chunks run as tasks of a Ray cluster (extra ``scale``).

Every machine has the same version of Glasshouse and of Python, and sees the scanned tree under the same path.  Ray
sends Python objects as they are, so a cluster is as trusted as this machine.  A chunk whose worker or node was lost is
run again, item by item; an item that loses its worker once more fails.
"""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from glasshouse import __version__
from glasshouse.scan.execute import Done, ExecutorLimits, Failed, FailureCode, Outcome, attempt
from glasshouse.scan.ir import IR_VERSION
from glasshouse.words.errors import ClusterError

Item = TypeVar("Item")
Told = tuple[FailureCode | None, bytes]  # why an item failed, if it did; the value or the reason
IDENTITY = f"Glasshouse {__version__} (IR {IR_VERSION}) on Python {'.'.join(platform.python_version_tuple()[:2])}"
CONNECT_S = 10.0
MAX_PORT = 65_535
LOCAL = "local"
HINT = "Start one with `ray start --head` and name it with --cluster HOST:PORT; --cluster local starts one here."


class Sent(NamedTuple):
    """A chunk under way, or one item of it alone."""

    number: int
    first: int
    items: Sequence[Any]
    ref: Any


class RayExecutor:
    """Tasks on the cluster at ``address`` (``HOST:PORT``, ``auto`` for one on this machine, or ``local`` to start one).

    A cluster that this process is connected to already is used as it is.  ``jobs``: chunks at a time, 0: as many as
    the cluster has cores.  Raises `ClusterError` where none can be reached or a machine runs something else.
    """

    def __init__(self, address: str, jobs: int, limits: ExecutorLimits) -> None:
        self._ray = ray_module()
        self._own = not self._ray.is_initialized()
        if self._own:
            connect(self._ray, address)
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        self.jobs = jobs or max(1, cores)
        self._most = self.jobs * limits.chunks_in_flight
        self._seconds = limits.item_seconds
        self._chunk = self._ray.remote(num_cpus=1, max_retries=0)(run_chunk)

    def map_chunks(self, function: Callable[[Item], bytes], chunks: Iterable[Sequence[Item]]) -> Iterator[Outcome]:
        """Outcomes in order.  Leaving the iterator early cancels what is under way."""
        source = enumerate(chunks)
        under_way: deque[Sent] = deque()
        handle = self._ray.put(function)
        try:
            while True:
                while len(under_way) < self._most and (chunk := next(source, None)) is not None:
                    if len(chunk[1]):
                        under_way.append(self._send(handle, chunk[0], 0, chunk[1]))
                if not under_way:
                    return
                yield from self._outcomes(handle, under_way[0])
                under_way.popleft()
        finally:
            for sent in under_way:
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(sent.ref, force=True)

    def close(self) -> None:
        """Ends the connection, and with it what still runs for it."""
        if self._own:
            self._ray.shutdown()
            self._own = False

    def _send(self, function: Any, number: int, first: int, items: Sequence[Any]) -> Sent:
        ref = self._chunk.remote(function, items, number, first, self._seconds, IDENTITY)
        return Sent(number, first, items, ref)

    def _outcomes(self, function: Any, sent: Sent) -> Iterator[Outcome]:
        lost = self._lost_errors()
        try:
            told: list[Told] = self._ray.get(sent.ref)
        except lost:
            for index, item in enumerate(sent.items):
                yield self._alone(function, sent.number, index, item)
            return
        except self._ray.exceptions.RayTaskError as error:
            raise as_cluster_error(error) from error
        for index, (code, value) in enumerate(told):
            yield outcome(sent.number, index, code, value)

    def _alone(self, function: Any, number: int, index: int, item: Any) -> Outcome:
        sent = self._send(function, number, index, [item])
        try:
            told: list[Told] = self._ray.get(sent.ref)
        except self._lost_errors() as error:
            return Failed(number, index, "crashed", f"the worker was lost twice ({type(error).__name__})")
        except self._ray.exceptions.RayTaskError as error:
            raise as_cluster_error(error) from error
        return outcome(number, index, *told[0])

    def _lost_errors(self) -> tuple[type[Exception], ...]:
        known = self._ray.exceptions
        return known.WorkerCrashedError, known.NodeDiedError, known.OutOfMemoryError, known.ObjectLostError


def outcome(number: int, index: int, code: FailureCode | None, value: bytes) -> Outcome:
    """An outcome from what a worker told."""
    if code is None:
        return Done(number, index, value)
    return Failed(number, index, code, value.decode("utf-8", "replace"))


def run_chunk(
    function: Callable[[Any], bytes], items: Sequence[Any], number: int, first: int, seconds: float, identity: str
) -> list[Told]:
    """In a worker: one chunk, each item within its time."""
    if identity != IDENTITY:
        raise RuntimeError(f"{platform.node()} runs {IDENTITY}, the scan needs {identity}")
    return [told(function, item, number, first + index, seconds) for index, item in enumerate(items)]


class _Late(BaseException):
    """An item has had its time.  Not an ``Exception``, so that no handler on the way takes it."""


def told(function: Callable[[Any], bytes], item: Any, number: int, index: int, seconds: float) -> Told:
    """One item; what does not return to the interpreter at all ends the worker after twice its time."""

    def late(*_: object) -> None:
        raise _Late

    timed = bool(seconds) and threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    before = signal.signal(signal.SIGALRM, late) if timed else None
    try:
        if timed:
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds + 5)
        found = attempt(function, item, number, index)
    except _Late:
        return "timeout", f"took more than {seconds:g} seconds".encode()
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGALRM, before)
    return (None, found.value) if isinstance(found, Done) else (found.code, found.reason.encode())


def ray_module() -> Any:
    """Ray, told to send nothing to anyone."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ClusterError("a cluster needs Ray", hint="pip install 'glasshouse[scale]'") from error
    return ray


def connect(ray: Any, address: str) -> None:
    """Joins a cluster, or starts one."""
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    if address == LOCAL:
        options["include_dashboard"] = False
    elif address != "auto":
        knock(address)
    try:
        ray.init(address=address, **options)
    except (Exception, SystemExit) as error:  # Ray ends the process when a cluster does not answer
        raise ClusterError(str(error)[:300] or type(error).__name__, where=address, hint=HINT) from error


def knock(address: str) -> None:
    """Ray waits two minutes for a cluster that is not there."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > MAX_PORT:
        raise ClusterError("not an address of the form HOST:PORT", where=address, hint=HINT)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, UnicodeError) as error:
        raise ClusterError(f"no cluster answers ({error})", where=address, hint=HINT) from error


def as_cluster_error(error: Exception) -> ClusterError:
    """What a machine of the cluster could not do at all."""
    cause = getattr(error, "cause", None) or error
    hint = "Install the same Glasshouse, with the same Python, on every machine of the cluster."
    return ClusterError(str(cause)[:300], hint=hint)
