"""What the gateway costs beside LiteLLM's proxy: CPU per call, added latency, memory; one worker each.

    python bench/gateway.py --litellm /path/to/venv/bin/python     both, alternately, in the same run
    python bench/gateway.py                                        the gateway alone
    python bench/gateway.py --beside /path/to/another/src          two versions of the gateway, in the same run
    python bench/gateway.py --memory 100000                        memory after so many calls

Two tables: calls one after the other over so many connections, which shows what a call costs (its latencies are the
throughput upside down), and calls that begin at a fixed rate (`--rate`), whether earlier ones are back or not, which
shows what the gateway adds to the upstream's latency; times count from when a call was due.  `--rate 50 200` measures
two rates: at few calls a second, what a call touches has left the processor's caches.  Each call through the gateway
waits for two syncs of the disk; what one takes on this disk is printed beside.

Everything is on in the gateway: key, rates and budgets, screening of request and answer, policy, two durable entries.
LiteLLM runs without a database, callbacks or retries, which is its cheapest set-up.  The upstream is a local server
that answers at once.  CPU is user and system time of the server's whole process tree.  Needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from glasshouse.access import register
from glasshouse.access.criteria import criteria
from glasshouse.door.door import Door
from glasshouse.words.engagement import Engagement, Quota, Scope, Term
from glasshouse.words.party import CriterionCheck, Organisation, Workload

CONNECTIONS = 16
SAID = (
    "Limit new connections from one address to a few each minute, and drop what exceeds that. Put the rule before the "
    "one that accepts traffic, log what it drops, and test it from a second host with a short loop of failed logins. "
    "Watch the counters while it runs, then remove the test."
)
WORDS = SAID.split(" ")
DELTAS = len(WORDS)
READY_S = 90.0
TICK = os.sysconf("SC_CLK_TCK")
PROMPT = "Our logs show many failed logins from one address. Which firewall rule limits them, and how do I test it?"


class Target(NamedTuple):
    """A server under test."""

    name: str
    port: int
    key: str
    pid: int


class Figures(NamedTuple):
    """What one round of calls cost."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


# --- the upstream: a process of its own, answers from memory


def upstream_main(port: int) -> None:
    """Serves one JSON answer and one stream for ever."""
    asyncio.run(serve_upstream(port))


async def serve_upstream(port: int) -> None:
    """Keeps connections, looks for nothing but the end of a request and whether it asks for a stream."""
    whole, stream = answers()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"POST"):
                    break
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                writer.write(stream if b'"stream":true' in body.replace(b" ", b"") else whole)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    await server.serve_forever()


def answers() -> tuple[bytes, bytes]:
    """The two answers with their heads."""
    usage = {"prompt_tokens": 30, "completion_tokens": DELTAS, "total_tokens": 30 + DELTAS}
    message = {"role": "assistant", "content": SAID}
    base = {"id": "chatcmpl-1", "created": 1, "model": "bench"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        return b"data: %s\n\n" % json.dumps({**base, "object": "chat.completion.chunk", "choices": choices}).encode()

    events = b"".join(chunk({"content": f"{word} "}) for word in WORDS) + chunk({}, "stop") + b"data: [DONE]\n\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return whole, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(events), events)


# --- servers under test


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], url: str, environ: dict[str, str], log: Path, key: str) -> Iterator[int]:
    """A server's process, from when it answers at ``url`` until the end of the block."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file, start_new_session=True)
    try:
        wait_for(url, process, log, key)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, key: str) -> None:
    """Returns when the server answers."""
    ends_at = time.monotonic() + READY_S
    while time.monotonic() < ends_at:
        if process.poll() is not None:
            raise SystemExit(f"a server ended: {log.read_text()[-2000:]}")
        try:
            request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
            with urllib.request.urlopen(request, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"a server did not answer: {log.read_text()[-2000:]}")


def prepare_home(home: Path, environ: dict[str, str]) -> str:
    """A home with one organisation, one engagement with quotas, and a key, which it returns."""
    now = int(time.time())
    quota = Quota(requests_per_minute=10**8, tokens_per_day=10**12, money_micros_per_day=10**12)
    engagement = Engagement(
        id="bench", organisation="acme", purpose="measure", scope=Scope(models=("*",)), capabilities=("model.call",),
        tier=2, term=Term(now - 10, now + 86_400), quota=quota, misuse_denies_at=101,
    )  # fmt: skip
    with Door.open({**environ, "GLASSHOUSE_HOME": str(home)}) as door:
        tables = door.tables
        register.apply(tables, Organisation("acme", "Acme"))
        for each in criteria():
            register.record_check(tables, "acme", CriterionCheck(each.id, True, "bench", now, "0" * 64))
        register.move_organisation(tables, "acme", "vet")
        register.add_workload(tables, Workload("robot", "acme", "Robot"))
        register.draft(tables, engagement)
        for step in ("request", "activate"):
            register.move_engagement(tables, "bench", step)
        key, _ = register.issue_key(tables, door.home.pepper(), "robot", "bench", now - 5, 86_400)
    return key.text


@contextlib.contextmanager
def glasshouse(folder: Path, upstream: int, source: str = "") -> Iterator[Target]:
    """`glasshouse serve` with one worker; of another version, if its source folder is given."""
    environ, port = dict(os.environ), free_port()
    if source:
        environ["PYTHONPATH"] = source
    folder.mkdir(exist_ok=True)
    environ["GLASSHOUSE_HOME"] = str(folder / "home")
    environ["GLASSHOUSE_LOG"] = "WARNING"
    key = prepare_home(folder / "home", environ)
    config = folder / "glasshouse.toml"
    config.write_text(
        f"[gateway]\nport = {port}\n"
        f'[gateway.upstreams.local]\nfamily = "openai"\nurl = "http://127.0.0.1:{upstream}/v1"\n'
        '[gateway.models.bench]\nupstreams = ["local"]\nprice = { input = 1.0, output = 2.0 }\n'
    )
    command = [sys.executable, "-m", "glasshouse", "serve", "--config", str(config)]
    url = f"http://127.0.0.1:{port}/readyz"
    with running(command, url, environ, folder / "glasshouse.log", key) as pid:
        yield Target("the other version" if source else "Glasshouse", port, key, pid)


@contextlib.contextmanager
def litellm(folder: Path, upstream: int, python: str) -> Iterator[Target]:
    """LiteLLM's proxy in its cheapest set-up."""
    port, key = free_port(), "sk-bench"
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: bench\n    litellm_params:\n      model: openai/bench\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n      api_key: none\n"
        "litellm_settings:\n  num_retries: 0\n  telemetry: false\n"
        f"general_settings:\n  master_key: {key}\n"
    )
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_DOCS": "True"}
    program = Path(python).with_name("litellm")
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1", "--num_workers", "1"]
    url = f"http://127.0.0.1:{port}/health/liveliness"
    with running(command, url, environ, folder / "litellm.log", key) as pid:
        yield Target("LiteLLM", port, key, pid)


# --- calls

_CASES = itertools.count(step=1_000_000)


def request_bytes(target: Target, number: int, *, stream: bool) -> bytes:
    """One request as it goes over the wire; each has a text of its own, so that no score is remembered."""
    user = f"{PROMPT} This is case {number} of this week."
    messages = [{"role": "system", "content": "You help defenders."}, {"role": "user", "content": user}]
    body = json.dumps({"model": "bench", "messages": messages, "stream": stream, "max_tokens": 100}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{target.port}\r\nauthorization: Bearer {target.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Reads one answer to its end; its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"a call failed: {head!r} {await reader.read(1000)!r}")
    if b"content-length:" in head:
        return await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts)


async def calls(target: Target, count: int, connections: int, *, stream: bool) -> tuple[float, list[float]]:
    """Makes ``count`` calls over so many connections; seconds in all, and of each."""
    first = next(_CASES)
    left, times = iter(range(count)), list[float]()

    async def talk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=1 << 22)
        for number in left:
            request = request_bytes(target, first + number, stream=stream)
            started = time.perf_counter()
            writer.write(request)
            body = await read_answer(reader)
            times.append(time.perf_counter() - started)
            if body.count(b"counters") != 1:
                raise SystemExit(f"an answer is not complete: {body[:500]!r}")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(talk() for _ in range(connections)))
    return time.perf_counter() - started, times


def measure(target: Target, count: int, connections: int, *, stream: bool) -> Figures:
    """One round."""
    before = cpu_seconds(target.pid)
    seconds, times = asyncio.run(calls(target, count, connections, stream=stream))
    used = cpu_seconds(target.pid) - before
    return Figures(count / seconds, *ranked(times), 1e6 * used / count)


async def paced_calls(target: Target, count: int, rate: float, *, stream: bool) -> list[float]:
    """Makes calls at a fixed rate over `CONNECTIONS` connections; seconds of each from when it was due."""
    first = next(_CASES)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", target.port, limit=1 << 22))
    times = list[float]()

    async def one(number: int, due: float) -> None:
        reader, writer = await free.get()
        writer.write(request_bytes(target, first + number, stream=stream))
        body = await read_answer(reader)
        times.append(time.perf_counter() - due)
        free.put_nowait((reader, writer))
        if body.count(b"counters") != 1:
            raise SystemExit(f"an answer is not complete: {body[:500]!r}")

    began = time.perf_counter()
    running = []
    for number in range(count):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.ensure_future(one(number, due)))
    await asyncio.gather(*running)
    while not free.empty():
        free.get_nowait()[1].close()
    return times


def sync_ms(folder: Path, count: int) -> list[float]:
    """Milliseconds that a write of 32 KiB and a sync of the disk take, sorted."""
    found = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(os.urandom(32_768))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            found.append(1000 * (time.perf_counter() - began))
    return sorted(found)


def tree(pid: int) -> list[int]:
    """A process and everything it started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += tree(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process tree."""
    total = 0
    for each in tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident_mb(pid: int) -> float:
    """Resident memory of the largest process of a tree: the worker."""
    sizes = []
    for each in tree(pid):
        lines = Path(f"/proc/{each}/status").read_text().splitlines()
        sizes += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]
    return max(sizes)


# --- what is printed


def compare(targets: list[Target], rounds: int) -> None:
    """The table: the targets take turns within each round."""
    print("| calls | server | calls/s | p50 ms | p99 ms | CPU us a call | LiteLLM / Glasshouse |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for label, connections, stream in (
        ("JSON, 1 connection", 1, False),
        (f"JSON, {CONNECTIONS} connections", CONNECTIONS, False),
        (f"stream of {DELTAS} deltas, {CONNECTIONS} connections", CONNECTIONS, True),
    ):
        found: dict[str, list[Figures]] = {target.name: [] for target in targets}
        for _ in range(rounds):
            for target in targets:
                size = 100 if target.name == "LiteLLM" else 2000
                count = size // 2 if connections == 1 or stream else size
                found[target.name].append(measure(target, count, connections, stream=stream))
        middle = {name: Figures(*map(statistics.median, zip(*each, strict=True))) for name, each in found.items()}
        for name, each in middle.items():
            ratio = (
                f"{middle['LiteLLM'].cpu_us / each.cpu_us:.0f}" if "LiteLLM" in middle and name == "Glasshouse" else ""
            )
            cpu = f"{each.cpu_us:,.0f}" if name != "direct" else ""
            print(
                f"| {label} | {name} | {each.per_s:,.0f} | {each.p50_ms:.2f} | {each.p99_ms:.1f} | {cpu} | {ratio} |",
                flush=True,
            )


def compare_paced(targets: list[Target], rounds: int, rate: float, folder: Path) -> None:
    """The table of calls at a fixed rate: the targets take turns within each round, and all rounds count together."""
    print(f"\n{rate:g} calls a second over {CONNECTIONS} connections:\n")
    print("| calls | server | p50 ms | p99 ms | added p50 ms | added p99 ms | CPU us a call |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    syncs = list[float]()
    for label, stream in (("JSON", False), (f"stream of {DELTAS} deltas", True)):
        times: dict[str, list[float]] = {target.name: [] for target in targets}
        used: dict[str, float] = dict.fromkeys(times, 0.0)
        for _ in range(rounds):
            for target in targets:
                before = cpu_seconds(target.pid)
                times[target.name] += asyncio.run(paced_calls(target, int(4 * rate), rate, stream=stream))
                used[target.name] += cpu_seconds(target.pid) - before
            syncs += sync_ms(folder, 50)
        direct = ranked(times["direct"])
        for name, each in times.items():
            middle, late = ranked(each)
            added = f"{middle - direct[0]:.2f} | {late - direct[1]:.1f}" if name != "direct" else " | "
            cpu = f"{1e6 * used[name] / len(each):,.0f}" if name != "direct" else ""
            print(f"| {label} | {name} | {middle:.2f} | {late:.1f} | {added} | {cpu} |", flush=True)
    syncs.sort()
    print(f"\nOne sync of the disk: {statistics.median(syncs):.2f} ms p50, {syncs[int(0.99 * len(syncs))]:.1f} ms p99.")


def ranked(times: list[float]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    each = sorted(times)
    return 1000 * statistics.median(each), 1000 * each[min(len(each) - 1, int(0.99 * len(each)))]


def memory(target: Target, count: int) -> None:
    """Memory of the worker as calls go by."""
    print("| calls | resident MB |")
    print("| ---: | ---: |")
    print(f"| 0 | {resident_mb(target.pid):.0f} |")
    for step in range(1, 11):
        asyncio.run(calls(target, count // 10, CONNECTIONS, stream=step % 2 == 0))
        print(f"| {step * (count // 10):,} | {resident_mb(target.pid):.0f} |", flush=True)


def source_folder(text: str) -> str:
    """A folder that holds the package: with any other, a version would be measured beside itself."""
    if not (Path(text) / "glasshouse" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(f"{text} holds no `glasshouse`: name the `src` of a checkout")
    return text


def main() -> None:
    """Parses, starts the servers, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", metavar="PYTHON", help="Python of an environment with litellm[proxy].")
    parser.add_argument(
        "--beside", metavar="SOURCE", type=source_folder, help="Source folder (src) of another version of Glasshouse."
    )
    parser.add_argument("--rounds", type=int, default=3, help="Rounds; the median is printed.")
    parser.add_argument(
        "--rate", type=float, nargs="*", default=[50.0], metavar="RATE", help="Calls a second, a table for each rate."
    )
    parser.add_argument("--memory", type=int, default=0, metavar="CALLS", help="Measure memory over so many calls.")
    parser.add_argument("--upstream", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        upstream_main(options.upstream)
        return
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = free_port()
        server = subprocess.Popen([sys.executable, __file__, "--upstream", str(upstream)])
        stack.callback(server.kill)
        gateway = stack.enter_context(glasshouse(folder, upstream))
        if options.memory:
            memory(gateway, options.memory)
            return
        targets = [Target("direct", upstream, "", server.pid), gateway]
        if options.beside:
            targets.append(stack.enter_context(glasshouse(folder / "other", upstream, options.beside)))
        if options.litellm:
            targets.append(stack.enter_context(litellm(folder, upstream, options.litellm)))
        for target in targets:  # warm
            asyncio.run(calls(target, 40, 4, stream=False))
            asyncio.run(calls(target, 40, 4, stream=True))
        print(f"Load of the machine before: {os.getloadavg()[0]:.1f}\n")
        compare(targets, options.rounds)
        for rate in filter(None, options.rate):
            compare_paced(targets, options.rounds, rate, folder)


if __name__ == "__main__":
    main()
