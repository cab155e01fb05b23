"""Running acts: admitted by the door, worked on in a process of their own, results kept as they come."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from glasshouse.gateway.acts.child import Failure
from glasshouse.gateway.acts.journal import MAX_RESULTS, ActRecord, Journal, Running, State, new_id
from glasshouse.gateway.acts.work import Work
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.canonical import digest
from glasshouse.words.errors import EngineError, GlasshouseError, OverloadedError, StoppedError
from glasshouse.words.party import Caller

if TYPE_CHECKING:
    from glasshouse.door.door import Door
    from glasshouse.door.passage import AsyncPassage

MAX_RUNNING = 4
MAX_LINE_BYTES = 16_777_216
MAX_SECONDS = 3_600.0


class Acts:
    """The acts of one worker."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.journal = Journal(door.home.folder / "acts")
        self.journal.forget(time.time())
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, caller: Caller, work: Work, given: msgspec.Struct, circumstances: Circumstances) -> ActRecord:
        """An act under way.  Raises what the door raises, and `OverloadedError` when too many run already."""
        if len(self._tasks) >= MAX_RUNNING:
            raise OverloadedError(f"{MAX_RUNNING} acts run already")
        act = Act(work.capability, work.targets(given), caller.engagement.id, digest(given), work.title)
        passage: AsyncPassage[bytes] = await self._door.async_passage(caller, act, circumstances)
        request = passage.admission.request.index
        now = int(time.time())
        record = ActRecord(
            new_id(), work.capability, caller.engagement.id, "running", 0, request, None, "", "", now, None
        )
        running = self.journal.begin(record)
        task = asyncio.ensure_future(self._run(passage, running, work, given))
        self._tasks[record.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(record.id, None))
        return record

    async def wait(self, name: str, seconds: float) -> None:
        """Waits until an act of this worker is over, at most so long."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait({task}, timeout=seconds)

    async def close(self) -> None:
        """Ends what still runs; each act gets its outcome."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    async def _run(self, passage: AsyncPassage[bytes], running: Running, work: Work, given: msgspec.Struct) -> None:
        state: State = "failed"
        code = message = ""
        try:
            async with asyncio.timeout(MAX_SECONDS):
                async for line in passage.through(self._lines(work, given)):
                    running.add(line)
            state = "done"
        except StoppedError as error:
            state, code, message = "stopped", error.where, error.what
        except GlasshouseError as error:
            code, message = error.code, f"{error.what}. {error.hint}"
        except TimeoutError:
            code, message = "act.time", f"the act took longer than {MAX_SECONDS:g} seconds"
        except asyncio.CancelledError:
            state, code = "interrupted", "shutdown"
        finally:
            outcome = passage.receipt.index if passage.receipt is not None else None
            running.end(state, outcome, code, message)

    async def _lines(self, work: Work, given: msgspec.Struct) -> AsyncIterator[bytes]:
        """The results of an engine, from a process of its own that ends with this generator."""
        command = (sys.executable, "-m", "glasshouse.gateway.acts.child", work.capability, str(self._door.home.folder))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=MAX_LINE_BYTES,
            start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(given))
            process.stdin.close()
            count = 0
            async for line in process.stdout:
                if line.startswith(b'{"kind":"failure"'):
                    raise _failed(msgspec.json.decode(line, type=Failure))
                count += 1
                if count > MAX_RESULTS:
                    raise EngineError(f"more than {MAX_RESULTS} results")
                yield line.rstrip(b"\n")
            if await process.wait() != 0:
                raise EngineError(f"the engine's process ended with status {process.returncode}")
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def _failed(failure: Failure) -> EngineError:
    return EngineError(f"{failure.what} [{failure.code}]", where=failure.where, hint=failure.hint)
