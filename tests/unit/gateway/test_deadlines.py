"""Deadlines end waits as timeouts do, and leave other cancellations alone."""

from __future__ import annotations

import asyncio

import pytest

from glasshouse.gateway.deadlines import LOOK_EVERY_S, Deadlines


def test_a_wait_that_takes_too_long_ends_and_the_task_goes_on() -> None:
    async def main() -> None:
        deadlines = Deadlines()
        for _ in range(2):
            with pytest.raises(TimeoutError), deadlines.within(0):
                await asyncio.Event().wait()
        with deadlines.within(60):
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(main(), 20 * LOOK_EVERY_S))


def test_a_cancelled_wait_is_cancelled_and_did_not_time_out() -> None:
    async def main() -> None:
        deadlines, waiting = Deadlines(), asyncio.Event()

        async def wait() -> None:
            with deadlines.within(0):
                waiting.set()
                await asyncio.Event().wait()

        task = asyncio.ensure_future(wait())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_of_two_waits_the_one_whose_time_is_up_ends() -> None:
    async def main() -> None:
        deadlines = Deadlines()
        with deadlines.within(60):
            with pytest.raises(TimeoutError), deadlines.within(0):
                await asyncio.Event().wait()
            await asyncio.sleep(0)

    asyncio.run(main())
