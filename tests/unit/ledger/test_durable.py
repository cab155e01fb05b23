"""A task that is cancelled while it waits for the log learns so once its entries are durable."""

from __future__ import annotations

import asyncio

import pytest

from glasshouse.ledger.durable import Durable


def test_a_cancelled_waiter_goes_when_the_write_has_ended_and_the_receipts_are_kept() -> None:
    async def main() -> None:
        written: Durable[int] = Durable()

        async def wait() -> int:
            return await written

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
        written.set_result(7)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert written.result() == 7

    asyncio.run(main())
