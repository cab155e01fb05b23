"""A log's witnesses in its policy: naming them, and finding the one that runs beside the log."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from glasshouse.ledger.audit.policy import parse_policy
from glasshouse.ledger.audit.proofs import Fault
from glasshouse.ledger.audit.verify import OWN_POLICY, read_policy
from glasshouse.ledger.keys import read_signers
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


class LocalWitness(NamedTuple):
    """The witness beside a log: whether it has keys, stands in the policy, and answers at its port (0: none yet)."""

    origin: str
    exists: bool
    named: bool
    port: int
    answers: bool


def local_witness(directory: Path, state: Path) -> LocalWitness:
    """What there is of a witness with its state in ``state``; `UsageError` when the log has other witnesses."""
    policy = read_policy(directory / OWN_POLICY)
    exists = (state / "witness.key").exists()
    own = {signer.key for signer in read_signers(state / "witness.key")} if exists else set()
    named = [name for name, key in policy.witnesses.items() if key in own]
    if len(named) < len(policy.witnesses):
        what = "this log has other witnesses, so that its policy is not changed"
        raise UsageError(what, where=str(directory), hint="`glasshouse log witnesses` names all of them.")
    ports = [port for name in named if (port := urlsplit(policy.urls.get(name, "")).port)]
    port = ports[0] if ports else 0
    return LocalWitness(policy.logs[0].name, exists, bool(named), port, bool(port) and _answers(port))


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0
