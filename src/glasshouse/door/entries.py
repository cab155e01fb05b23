"""What the door writes into the log: entries with their events, under pseudonyms of the home."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from glasshouse.door import events
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.party import Caller
from glasshouse.words.passage import Outcome
from glasshouse.words.randomness import fresh_hex

if TYPE_CHECKING:
    from glasshouse.door.home import Home
    from glasshouse.ledger.entry import Entry, NewEntry
    from glasshouse.ledger.receipt import Receipt

NOBODY = "nobody"
REFUSALS_PER_SECOND = 10


class Admission(msgspec.Struct, frozen=True):
    """An act that was admitted: its request entry is durable and signed."""

    caller: Caller
    act: Act
    circumstances: Circumstances
    decision: Permit
    uid: str
    request: Receipt


class Entries:
    """Makes the entries of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def request(
        self, caller: Caller, act: Act, circumstances: Circumstances, decision: Decision, prompt: bytes, now_ms: int
    ) -> tuple[str, NewEntry]:
        """The act's id, and the entry of the request as it was decided."""
        uid = fresh_hex(16)
        event = events.request_event(caller, act, circumstances, decision, now_ms, uid)
        more, policy = {"prompt": prompt}, decision.policy_hash
        match decision:
            case Permit():
                return uid, self.of("act.request", caller, "permit", policy, event, part="opens", more=more)
            case Deny():
                return uid, self.of("act.denied", caller, "deny", policy, event, more=more)
            case Ask():
                return uid, self.of("act.asked", caller, "ask", policy, event, more=more)

    def outcome(self, admission: Admission, outcome: Outcome, now_ms: int) -> NewEntry:
        """How an admitted act ended."""
        event = events.outcome_event(admission.caller, admission.act, outcome, now_ms, admission.uid)
        return self.of(
            "act.outcome",
            admission.caller,
            outcome.status,
            admission.decision.policy_hash,
            event,
            part="closes",
            about=admission.request.index,
            more={"events": b"\n".join(outcome.events), "answer": outcome.answer},
        )

    def record(self, kind: str, caller: Caller, policy: str, body: bytes) -> NewEntry:
        """A record of ours in canonical JSON, kept sealed."""
        from glasshouse.ledger.entry import NewEntry, Payload

        engagement, organisation = self._names(caller)
        payloads = (Payload("record", engagement, body),)
        return NewEntry(kind=kind, organisation=organisation, key=caller.key_id, policy=policy, payloads=payloads)

    def of(
        self,
        kind: str,
        caller: Caller,
        decision: str,
        policy: str,
        event: bytes,
        *,
        part: str = "single",
        about: int | None = None,
        more: Mapping[str, bytes] = MappingProxyType({}),
    ) -> NewEntry:
        """An entry about a caller with its event, and what else there is to keep."""
        from glasshouse.ledger.entry import NewEntry, Payload

        engagement, organisation = self._names(caller)
        payloads = [Payload("event", engagement, event)]
        payloads += [Payload(name, engagement, data) for name, data in more.items() if data]
        return NewEntry(
            kind=kind,
            organisation=organisation,
            key=caller.key_id,
            decision=decision,
            policy=policy,
            payloads=tuple(payloads),
            about=about,
            part=part,  # type: ignore[arg-type]
        )

    def _names(self, caller: Caller) -> tuple[str, str]:
        """Engagement and organisation as the log calls them."""
        if caller.kind == "local":
            return "local", "local"
        return self._home.pseudonym("eng", caller.engagement.id), self._home.pseudonym("org", caller.organisation.id)


def refused(code: str, count: int, now_ms: int) -> NewEntry:
    """So many keys that were refused.  Nobody is known by then, so the entry names nobody."""
    from glasshouse.ledger.entry import NewEntry, Payload

    payload = Payload("event", NOBODY, events.refusal_event(code, count, now_ms, fresh_hex(16)))
    return NewEntry(kind="access.refused", organisation=NOBODY, key=NOBODY, decision="deny", payloads=(payload,))


def interrupted(index: int, request: Entry, now_ms: int) -> NewEntry:
    """The outcome of a request whose process has died."""
    from glasshouse.ledger.entry import NewEntry, Payload

    payload = Payload("event", NOBODY, events.interrupted_event(index, now_ms, fresh_hex(16)))
    return NewEntry(
        kind="act.outcome",
        organisation=request.organisation,
        key=request.key,
        decision="interrupted",
        policy=request.policy,
        about=index,
        part="closes",
        payloads=(payload,),
    )


class Refusals:
    """How many refused keys the next entry speaks for; 0 while enough were recorded this second.

    Whoever floods the door with bad keys gets no more than a few entries a second, the next of which says how many
    there were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = self._recorded = self._silent = 0

    def due(self, now: int) -> int:
        """Counts one refusal at a time in seconds."""
        with self._lock:
            if now != self._second:
                self._second, self._recorded = now, 0
            self._silent += 1
            if self._recorded >= REFUSALS_PER_SECOND:
                return 0
            count, self._silent = self._silent, 0
            self._recorded += 1
            return count
