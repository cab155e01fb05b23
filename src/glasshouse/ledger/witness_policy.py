"""Naming a log's witnesses in its policy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from glasshouse.ledger.audit.policy import parse_policy
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import OWN_POLICY, read_policy
from glasshouse.words.errors import UsageError


def set_witnesses(directory: Path, lines: Sequence[str], need: int) -> None:
    """Writes ``log.policy`` anew: the log's own keys, these witnesses, and a quorum of ``need`` of them."""
    file = directory / OWN_POLICY
    try:
        logs = [f"log {key.vkey}" for key in read_policy(file).logs]
        names = [line.split()[1] for line in lines if len(line.split()) > 1]
        text = "\n".join([*logs, *lines, f"group witnesses {need} {' '.join(names)}", "quorum witnesses", ""])
        parse_policy(text)
    except Fault as fault:
        raise UsageError(f"not a policy: {fault.what}", where=fault.where) from None
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, file)
