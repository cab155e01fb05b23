"""Programs that the fault tests run and break: each prints, as JSON lines, what the log has acknowledged.

python appender.py append DIRECTORY COUNT     append one after the other
python appender.py loop DIRECTORY COUNT       the same from an event loop, in whose turns the log then writes
python appender.py kill DIRECTORY ROUNDS SEED fork appenders and kill them with SIGKILL at random points
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
from pathlib import Path

from glasshouse.ledger import Ledger, NewEntry, Payload, Receipt
from glasshouse.words.errors import LedgerError

MAX_ACKNOWLEDGED = 40  # in one round, before the child ends by itself
PAYLOAD = Payload("event", "e1", b"content " * 40)


def append(directory: Path, count: int) -> None:
    """Appends calls of two entries; says what was acknowledged at once, and the error that ended it."""
    try:
        with Ledger.open(directory) as ledger:
            for _ in range(count):
                calls = [
                    NewEntry(kind="act.request", organisation="o", key="k", part="opens", payloads=(PAYLOAD,)),
                    NewEntry(kind="act.outcome", organisation="o", key="k", part="closes", about=-1),
                ]
                for receipt in ledger.append(calls).result():
                    acknowledge(receipt)
    except LedgerError as error:
        say(code=error.code, what=error.what)


async def append_in_loop(directory: Path, count: int) -> None:
    """Appends a request, then its outcome, as the gateway does; the last one shares a batch with another entry."""
    try:
        with Ledger.open(directory) as ledger:
            for number in range(count):
                request = NewEntry(kind="act.request", organisation="o", key="k", part="opens", payloads=(PAYLOAD,))
                (receipt,) = await ledger.append_async([request])
                acknowledge(receipt)
                about = receipt.index
                outcome = NewEntry(kind="act.outcome", organisation="o", key="k", part="closes", about=about)
                asked = [ledger.append_async([outcome])]
                if number == count - 1:
                    asked.append(ledger.append_async([NewEntry(kind="x", organisation="o", key="k")]))
                for (receipt,) in await asyncio.gather(*asked):
                    acknowledge(receipt)
    except LedgerError as error:
        say(code=error.code, what=error.what)


def acknowledge(receipt: Receipt) -> None:
    """Says what the log promised."""
    root = receipt.checkpoint.root.hex()
    say(index=receipt.index, leaf=receipt.leaf_hash.hex(), size=receipt.checkpoint.size, root=root)


def say(**facts: object) -> None:
    """One line, in one write, so that it arrives whole or not at all."""
    os.write(1, (json.dumps(facts) + "\n").encode())


def kill_loop(directory: Path, rounds: int, seed: int) -> None:
    """Kills a forked appender in every round: after some acknowledgements, and then some microseconds later."""
    chance = random.Random(seed)
    for _ in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os.dup2(writing, 1)
            if chance.random() < 0.5:
                append(directory, MAX_ACKNOWLEDGED)
            else:
                asyncio.run(append_in_loop(directory, MAX_ACKNOWLEDGED))
            os._exit(0)
        os.close(writing)
        wanted, received = chance.randrange(4) * 2, b""
        while received.count(b"\n") < wanted and (part := os.read(reading, 65_536)):
            received += part
        select.select([], [], [], chance.random() * chance.choice((0.0002, 0.002, 0.02)))
        os.kill(child, signal.SIGKILL)
        while part := os.read(reading, 65_536):
            received += part
        os.close(reading)
        os.waitpid(child, 0)
        os.write(1, received[: received.rfind(b"\n") + 1])


if __name__ == "__main__":
    if sys.argv[1] == "kill":
        kill_loop(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1] == "loop":
        asyncio.run(append_in_loop(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        append(Path(sys.argv[2]), int(sys.argv[3]))
