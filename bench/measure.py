"""Running a command and measuring it: wall time, CPU time, and the memory of all of its processes together."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
SAMPLE_S = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Run:
    """One measured run.  ``peak_mb`` is the largest sum over the process tree in one sample (0 when not sampled)."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    status: int
    stdout: bytes


def measured(command: Sequence[str], *, cwd: Path | None = None, memory: bool = False, timeout_s: float = 3600) -> Run:
    """Run the command to its end.  ``memory`` samples /proc every 50 ms, which costs a little time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
        late = threading.Timer(timeout_s, process.kill)  # waiting with a timeout looks only every 50 ms
        late.start()
        peak = _sample(process, timeout_s) if memory else 0.0
        status = process.wait()
        wall = time.perf_counter() - start
        late.cancel()
        output.seek(0)
        stdout = output.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, peak, status, stdout)


def median(runs: Sequence[Run]) -> Run:
    """The run with the median wall time."""
    middle = statistics.median_low(run.wall_s for run in runs)
    return next(run for run in runs if run.wall_s == middle)


def _sample(process: subprocess.Popen[bytes], timeout_s: float) -> float:
    """Peak of the summed memory of the process tree, in MB, until the process ends."""
    peak = 0.0
    end = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < end:
        peak = max(peak, sum(_memory_bytes(pid) for pid in _tree(process.pid)) / 1e6)
        time.sleep(SAMPLE_S)
    return peak


def _tree(root: int) -> set[int]:
    """The process and all its descendants, by the parent that each process names."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # ended between two reads
        children.setdefault(parent, []).append(int(entry.name))
    found, waiting = {root}, [root]
    while waiting:
        more = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(more)
        waiting += more
    return found


def _memory_bytes(pid: int) -> int:
    """Proportional set size (shared pages counted once in sum); resident size where the kernel does not tell."""
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def machine() -> str:
    """The machine and interpreter in words, for the head of a table."""
    model = ""
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_gb = os.sysconf("SC_PHYS_PAGES") * PAGE_BYTES / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({model}), {memory_gb:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
