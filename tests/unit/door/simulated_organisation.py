"""An organisation in a folder: a real door with register and log, a clock that a test sets, keys for its people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from glasshouse.access import register
from glasshouse.access.directory import Directory
from glasshouse.door.door import Door
from glasshouse.door.home import Home
from glasshouse.door.log import Log, open_log
from glasshouse.guard.decide import Guard
from glasshouse.guard.policy import Policies, shipped_policies
from glasshouse.guard.signatures import new_key_file, read_key_file, sign
from glasshouse.ledger import NewEntry, Receipt
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.store.watch import Watch
from glasshouse.words.act import Act, Target
from glasshouse.words.approval import ApprovalRequest, Verdict
from glasshouse.words.engagement import ApprovalRule, CodeScope, Engagement, Quota, Scope, Term
from glasshouse.words.errors import LedgerFullError
from glasshouse.words.party import Caller, Organisation, Person, Workload

START = 1_800_000_000
TERM = Term(START - 100, START + 100_000)
TARGET = Target("code", "/srv/shop")
ACT = Act("code.scan", (TARGET,), "audit")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> int:
        return self.seconds * 1000


class FullLog:
    """A log whose disk is full after some appends; all else is the real one."""

    def __init__(self, home: Home, appends: int) -> None:
        self._log, self.left = open_log(home), appends

    @property
    def reader(self) -> Any:
        return self._log.reader

    def checkpoint(self) -> Any:
        return self._log.checkpoint()

    def close(self) -> None:
        self._log.close()

    def append(self, entries: Sequence[NewEntry]) -> Future[tuple[Receipt, ...]]:
        if self.left:
            self.left -= 1
            return self._log.append(entries)
        full: Future[tuple[Receipt, ...]] = Future()
        full.set_exception(LedgerFullError("the disk is full", where="/disk"))
        return full

    def append_async(self, entries: Sequence[NewEntry]) -> asyncio.Future[tuple[Receipt, ...]]:
        return asyncio.wrap_future(self.append(entries))


class SimulatedOrganisation:
    """Acme: vetted, with Ada (operator), Bo and Cy (approvers), a workload, and the engagement `audit`."""

    def __init__(
        self,
        folder: Path,
        *,
        approvals: tuple[ApprovalRule, ...] = (),
        quota: Quota | None = None,
        log: Callable[[Home], Log] = open_log,
        policies: Policies | None = None,
        poll_s: float = 0.0,
    ) -> None:
        self.folder, self.clock = folder, Clock()
        self.home = Home(folder / "home")
        place = StorePlace(file=self.home.folder / "store.db")
        self.database = open_database(place)
        self.tables, self.watch = Tables(self.database), Watch(place)
        directory = Directory(lambda: self.tables, self.watch, self.home.pepper, poll_s=poll_s)
        guard = Guard(policies or shipped_policies())
        self.door = Door(self.home, log(self.home), directory, guard, lambda: self.tables, self.clock)
        if self.tables.organisations.find("acme") is None:
            self._found(approvals, quota or Quota())
        self.key_text, self.key = register.issue_key(
            self.tables, self.home.pepper(), "ada", "audit", self.clock.seconds, 90_000
        )

    def _found(self, approvals: tuple[ApprovalRule, ...], quota: Quota) -> None:
        self.tables.organisations.add(Organisation("acme", "Acme", "FR", "vetted"))
        self.tables.people.add(Person("ada", "acme", "Ada", ("operator",), "FR", "Acme"))
        for name in ("bo", "cy"):
            self.tables.people.add(Person(name, "acme", name.title(), ("approver",)))
            key = new_key_file(self.folder / f"{name}.key")
            register.add_approver_key(self.tables, name, key)
        self.tables.workloads.add(Workload("ci", "acme", "CI"))
        scope = Scope(code=(CodeScope("/srv/shop"),), models=("claude-*",))
        engagement = Engagement(
            "audit", "acme", "look", scope, ("code.scan", "model.call"), 1, TERM, approvals=approvals, quota=quota
        )
        register.draft(self.tables, engagement)
        for event in ("request", "activate"):
            register.move_engagement(self.tables, "audit", event)

    @property
    def ada(self) -> Caller:
        """Ada as the door resolves her key now."""
        return self.door.resolve(self.key_text.text)

    def vote(self, request: ApprovalRequest | str, who: str, verdict: Verdict = "approve", key: str = "") -> str:
        """A signed vote of somebody on a request; the state after it."""
        name = request if isinstance(request, str) else request.terms.id
        terms = self.door.waiting.get(name).terms
        private = read_key_file(self.folder / f"{key or who}.key")
        reason = "too risky" if verdict == "deny" else ""
        vote = sign(private, terms, who, verdict, reason, self.clock.seconds)
        return self.door.waiting.vote(name, vote, self.ada)[0].state

    def kinds(self) -> list[tuple[str, str]]:
        """Kind and decision of every entry of the log."""
        return [(entry.kind, entry.decision) for _, entry in self.door.log.reader.entries()]

    def event(self, index: int) -> dict[str, object]:
        """The OCSF event of an entry."""
        return msgspec.json.decode(self.door.log.reader.payload(index, "event"), type=dict[str, object])

    def close(self) -> None:
        """Lets go of everything."""
        self.door.close()
        self.watch.close()
        self.database.close()
