"""Appending from an event loop: what one turn of it asks for reaches the log together, and none of it is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from glasshouse.ledger import Ledger, NewEntry
from glasshouse.words.errors import LedgerError


def entry(number: int) -> NewEntry:
    return NewEntry(kind="act.denied", organisation="o1", key=f"k{number}")


def test_entries_of_one_turn_get_places_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    async def main() -> list[int]:
        with Ledger.open(tmp_path / "log") as ledger:
            asked = [ledger.append_async([entry(number)]) for number in range(20)]
            return [receipt.index for (receipt,) in await asyncio.gather(*asked)]

    found = asyncio.run(main())
    assert found == list(range(found[0], found[0] + 20))


def test_what_was_asked_for_in_the_turn_that_closes_the_log_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        ledger = Ledger.open(tmp_path / "log")
        asked = [ledger.append_async([entry(number)]) for number in range(3)]
        ledger.close()
        assert len(await asyncio.gather(*asked)) == 3
        with pytest.raises(LedgerError):
            ledger.append_async([entry(4)])

    asyncio.run(main())
    reader = Ledger.read(tmp_path / "log")
    assert [each.key for _, each in reader.entries() if each.kind == "act.denied"] == ["k0", "k1", "k2"]
    reader.close()
