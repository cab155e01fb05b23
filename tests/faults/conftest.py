"""What the fault tests share: running the appender, and the rule that every fault must leave intact."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasshouse.ledger import Ledger
from glasshouse.ledger.audit.verify import verify
from glasshouse.words.errors import LedgerError

APPENDER = Path(__file__).with_name("appender.py")
Lines = list[dict[str, Any]]


@pytest.fixture
def appender() -> Callable[..., Lines]:
    """Runs the appender, under a tracer if one is given, and returns what it said before it ended or was killed."""

    def run(*arguments: object, tracer: tuple[str, ...] = ()) -> Lines:
        command = [*tracer, sys.executable, str(APPENDER), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def holds() -> Callable[[Path, Lines], bool]:
    """The rule: the log verifies and holds all that was acknowledged under the roots it signed, or refuses to start.

    Returns whether it started.
    """

    def check(directory: Path, said: Lines) -> bool:
        acknowledged = [line for line in said if "index" in line]
        try:
            ledger = Ledger.open(directory)
        except LedgerError:
            return False
        with ledger:
            size = ledger.checkpoint().size
            for line in acknowledged:
                assert line["index"] < size, "an acknowledged entry is gone"
                assert line["size"] <= size, "the log is shorter than a checkpoint that it signed"
            for line in {line["size"]: line for line in acknowledged}.values():
                assert ledger.reader.root_at(line["size"]).hex() == line["root"], "a signed root is no longer true"
            for index in {line["index"] for line in acknowledged[-4:]}:
                ledger.reader.proof(index)
        verify(directory)
        return True

    return check
