"""What the log knows about an incident: the acts that people linked to it, who approved them, and the near misses.

People say which entries an incident is about; everything else here is read from those entries, from the outcomes and
votes that belong to them, and from what the same keys were denied shortly before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from glasshouse.dossier.events import HELD_UP, VOTE, read_event

NEAR_DAYS = 30
OF_NOTHING = hashlib.sha256(b"").hexdigest()  # what the door notes of an act that gave nothing back
MAX_SHOWN = 200


class Seen(msgspec.Struct, frozen=True):
    """One entry, and what its event said; ``erased`` when it had one that is no longer there."""

    entry: int
    at: dt.datetime
    kind: str
    decision: str
    operation: str = ""
    models: tuple[str, ...] = ()
    policy: str = ""
    rules: tuple[str, ...] = ()
    input_digest: str = ""
    result_digest: str = ""
    approval: str = ""
    misuse: int | None = None
    categories: tuple[str, ...] = ()
    approver: str = ""
    erased: bool = False


class Involvement(msgspec.Struct, frozen=True):
    """Of one incident: linked acts with their outcomes, the votes that let them pass, and near misses before them."""

    acts: tuple[Seen, ...] = ()
    votes: tuple[Seen, ...] = ()
    near: tuple[Seen, ...] = ()


class Looked(msgspec.Struct, frozen=True):
    """An entry as it is looked at for incidents; a record of ours has no ``event``, and neither has an erased act."""

    index: int
    at: dt.datetime
    kind: str
    decision: str
    key: str
    about: int | None = None
    event: bytes | None = None
    erased: bool = False


def involvements(linked: Mapping[str, frozenset[int]], entries: Iterable[Looked]) -> dict[str, Involvement]:
    """The involvement of each case, from one pass; ``linked`` are the entries that people named for it."""
    acts: list[tuple[Seen, Looked]] = []
    votes: list[Seen] = []
    near: list[tuple[Seen, str]] = []
    for entry in entries:
        seen = _seen(entry)
        if entry.kind == VOTE:
            votes.append(seen)
        elif any(entry.index in mine or entry.about in mine for mine in linked.values()):
            acts.append((seen, entry))
        elif entry.kind in HELD_UP:
            near.append((seen, entry.key))
    return {case: _of_case(mine, acts, votes, near) for case, mine in linked.items()}


def _of_case(
    mine: frozenset[int], acts: list[tuple[Seen, Looked]], votes: list[Seen], near: list[tuple[Seen, str]]
) -> Involvement:
    own = [(seen, entry) for seen, entry in acts if entry.index in mine or entry.about in mine]
    if not own:
        return Involvement()
    keys = {entry.key for _, entry in own}
    used = {seen.approval for seen, _ in own if seen.approval}
    first, last = own[0][0].at, own[-1][0].at
    since = first - dt.timedelta(days=NEAR_DAYS)
    before = [seen for seen, key in near if key in keys and since <= seen.at <= last and seen.entry not in mine]
    return Involvement(
        tuple(seen for seen, _ in own)[:MAX_SHOWN],
        tuple(each for each in votes if each.approval in used),
        tuple(before),
    )


def _seen(entry: Looked) -> Seen:
    if entry.event is None:
        return Seen(entry.index, entry.at, entry.kind, entry.decision, erased=entry.erased)
    event = read_event(entry.event, entry.index)
    said = event.unmapped
    return Seen(
        entry=entry.index,
        at=entry.at,
        kind=entry.kind,
        decision=entry.decision,
        operation=event.api.operation,
        models=tuple(each.name for each in event.resources if each.type == "model"),
        policy=event.policy.version,
        rules=event.rules,
        input_digest=said.input_digest,
        result_digest="" if said.result_digest == OF_NOTHING else said.result_digest,
        approval=said.terms.id if entry.kind == VOTE else said.approval,
        misuse=said.misuse,
        categories=said.misuse_categories,
        approver=said.vote.approver,
    )
