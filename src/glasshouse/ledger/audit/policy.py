"""Which log, which witnesses, how many of them: C2SP tlog-policy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from glasshouse.ledger.audit.notes import Checkpoint, Key, parse_checkpoint, parse_note, parse_vkey, signers
from glasshouse.ledger.audit.proofs import EMPTY_ROOT, Fault


class Policy(NamedTuple):
    """The log's keys, the witnesses by name, the groups by name (how many, of whom), the quorum's name or ``none``."""

    logs: tuple[Key, ...]
    witnesses: dict[str, Key]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str
    urls: dict[str, str]

    def is_met_by(self, keys: Iterable[Key], name: str | None = None) -> bool:
        """Whether the witnesses that signed reach the quorum."""
        name, given = self.quorum if name is None else name, set(keys)
        if name == "none":
            return True
        if name in self.witnesses:
            return self.witnesses[name] in given
        need, members = self.groups[name]
        return sum(self.is_met_by(given, member) for member in members) >= need


def parse_policy(text: str, *, where: str = "policy") -> Policy:
    """A tlog-policy file; every name is defined before use, stands in one group at most, and every key occurs once."""
    logs: list[Key] = []
    witnesses: dict[str, Key] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    urls: dict[str, str] = {}
    quorum: str | None = None
    taken: set[str] = set()
    for number, line in enumerate(text.split("\n"), start=1):
        words = re.split(r"[ \t]+", line.strip(" \t\r"))
        match words:
            case [""]:
                continue
            case [comment, *_] if comment.startswith("#"):
                continue
            case ["log", vkey, *url] if len(url) <= 1:
                logs.append(parse_vkey(vkey))
            case ["witness", name, vkey, *url] if len(url) <= 1 and _is_free(name, witnesses, groups):
                witnesses[name] = parse_vkey(vkey)
                urls.update((name, each) for each in url)
            case ["group", name, need, *members] if members and _is_free(name, witnesses, groups):
                known = all((each in witnesses or each in groups) and each not in taken for each in members)
                count = {"any": 1, "all": len(members)}.get(need) or (int(need) if need.isdecimal() else 0)
                if not known or len(set(members)) < len(members) or not 1 <= count <= len(members):
                    raise Fault(
                        f"line {number}: a group needs members known and free, and a number they can reach", where=where
                    )
                taken |= set(members)
                groups[name] = (count, tuple(members))
            case ["quorum", name] if quorum is None and (name == "none" or name in witnesses or name in groups):
                quorum = name
            case _:
                raise Fault(f"line {number} is not a policy line: {line[:80]!r}", where=where)
    keys = [(key.kind, key.public) for key in (*logs, *witnesses.values())]
    if not logs or quorum is None or len(set(keys)) < len(keys):
        raise Fault("a policy names a log, exactly one quorum line, and no key twice", where=where)
    return Policy(tuple(logs), witnesses, groups, quorum, urls)


def _is_free(name: str, *places: Iterable[str]) -> bool:
    return name != "none" and not any(name in place for place in places)


def open_checkpoint(
    data: bytes, policy: Policy, *, where: str, every_log_key: bool
) -> tuple[Checkpoint, dict[Key, int]]:
    """A checkpoint signed by a log of the policy and cosigned by its quorum, and who signed."""
    try:
        note = parse_note(data)
        checkpoint = parse_checkpoint(note.body)
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise Fault("a checkpoint of size 0 must have the root of the empty tree")
        logs = [key for key in policy.logs if key.name == checkpoint.origin]
        if not logs:
            raise Fault(f"the policy knows no log with the origin {checkpoint.origin!r}")
        found = signers(note, [*logs, *policy.witnesses.values()])
    except Fault as fault:
        raise Fault(fault.what, where=where) from None
    missing = [key for key in logs if key not in found]
    if len(missing) == len(logs) or (missing and every_log_key):
        raise Fault(f"the checkpoint is not signed by {missing[0].name} ({missing[0].id.hex()})", where=where)
    if not policy.is_met_by(found):
        raise Fault(f"the checkpoint does not carry the cosignatures that quorum {policy.quorum!r} needs", where=where)
    return checkpoint, found
