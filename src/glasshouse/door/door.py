"""The door: one way in for command line, HTTP and MCP.

    door = Door.open(os.environ)
    caller = door.resolve(key)                                  # who, under which engagement
    for item in door.passage(caller, act, circumstances).through(work()):
        ...                                                     # results, recorded before and after
    passage.receipt                                             # proof that `glasshouse verify` accepts

`admit` and `conclude` are the two halves for faces that stream in their own way; `passage` and `async_passage` do both.
A denial raises `DeniedError`, a request that waits for people `ApprovalNeededError`; both are in the log by then.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from glasshouse.access.directory import Directory
from glasshouse.access.facts import facts_of, halt_on, out_of_scope
from glasshouse.door.entries import Admission, Entries, Refusals, interrupted, refused
from glasshouse.door.home import Home, find_home
from glasshouse.door.log import Log, closed, open_log
from glasshouse.door.permits import Ground, Permits
from glasshouse.door.running import Journal, Remains
from glasshouse.guard.decide import Guard, PolicyFolder
from glasshouse.store.place import StorePlace, store_place
from glasshouse.store.watch import Watch
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.decision import Ask, Decision, Deny, Permit
from glasshouse.words.display import counted
from glasshouse.words.errors import (
    ApprovalNeededError,
    DeniedError,
    GlasshouseError,
    QuotaError,
)
from glasshouse.words.party import Caller
from glasshouse.words.passage import Outcome

if TYPE_CHECKING:
    import asyncio

    from glasshouse.door.passage import AsyncPassage, Passage, Screen
    from glasshouse.door.waiting import Waiting
    from glasshouse.ledger.entry import NewEntry
    from glasshouse.ledger.receipt import Receipt
    from glasshouse.store.records import Tables

T = TypeVar("T")
DAY_S = 86_400
PLAIN = Circumstances()
NOTHING = hashlib.sha256(b"").hexdigest()
UNDONE = "it cannot be recorded, so nothing was done"
WITHHELD = "it cannot be recorded, so the result is withheld"
QUOTA_ACTS = "quota.acts-per-day"


class Door:
    """Admits acts, records them, and tells when one must stop.  Usable from several threads and event loops."""

    def __init__(
        self,
        home: Home,
        log: Log,
        directory: Directory,
        guard: Guard,
        tables: Callable[[], Tables],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        policies: PolicyFolder | None = None,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """``let_go`` closes what was opened for the door besides the log."""
        self.home, self.log, self.directory, self.guard = home, log, directory, guard
        self._policies, self._let_go = policies, let_go
        self._tables, self._clock_ms = tables, clock_ms
        self._entries, self._refusals = Entries(home), Refusals()
        self._permits = Permits()
        self._asking = threading.Lock()
        self._journal = Journal(home.running)
        self._close_remains()

    @classmethod
    def open(
        cls,
        environ: Mapping[str, str],
        *,
        log: Callable[[Home], Log] = open_log,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> Door:
        """The door of the home that the environment names.  `DoorClosedError` when it cannot record."""
        home = find_home(environ)
        place = store_place(environ, home.folder)
        tables = _Tables(place)
        watch = Watch(place)
        directory = Directory(tables, watch, home.pepper)
        policies = PolicyFolder(home.policies)
        guard = policies.renewed(None)

        def let_go() -> None:
            watch.close()
            tables.close()

        return cls(home, log(home), directory, guard, tables, clock_ms, policies, let_go)

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of log, journal and tables."""
        self._journal.close()
        self.log.close()
        self._let_go()

    @property
    def tables(self) -> Tables:
        """The register and the other tables; opened when first asked for."""
        return self._tables()

    @property
    def waiting(self) -> Waiting:
        """The requests that wait for approval."""
        from glasshouse.door.waiting import Waiting

        return Waiting(self)

    def warm(self) -> None:
        """Loads now what the first act would wait for: policies, the register, the home's secrets.

        `PolicyError` when the policy set is wrong; every decision raises it too.
        """
        from glasshouse.ledger import durable, seal

        _ = durable, seal.cipher(bytes(32))
        self.home.pepper()
        self.home.pseudonym("org", "")
        for records in (self.tables.keys, self.tables.people, self.tables.workloads):
            records.find("")
        self.guard.warm()

    def now(self) -> int:
        """The time in Unix seconds."""
        return self._clock_ms() // 1000

    def now_ms(self) -> int:
        """The time in Unix milliseconds."""
        return self._clock_ms()

    # --- who and whether

    def resolve(self, key: str) -> Caller:
        """The caller whose key this is; `CredentialError` for any other text (recorded, without the text)."""
        try:
            return self.directory.resolve(key, self.now())
        except GlasshouseError as error:
            self._note_refusal(error.code)
            raise

    def decide(self, caller: Caller, act: Act, circumstances: Circumstances = PLAIN) -> Decision:
        """What policy says now; records nothing and reserves nothing."""
        return self._decide(self.directory.again(caller), act, circumstances)

    def _decide(self, caller: Caller, act: Act, circumstances: Circumstances) -> Decision:
        if self._policies is not None:
            self.guard = self._policies.renewed(self.guard)
        halts, now = self.directory.halts(), self.now()
        known = self._permits.find(caller, act, circumstances, self.guard, halts, now)
        if known is not None:
            return known
        approved = bool(circumstances.approval) and self.waiting.covers(circumstances.approval, caller, act)
        facts = facts_of(caller, act, circumstances, halts, now, approved=approved)
        decision = self.guard.decide(facts, caller.engagement.rule_for(act.capability))
        if isinstance(decision, Deny):
            return msgspec.structs.replace(decision, reason=_in_detail(decision, caller, act, self.directory))
        if isinstance(decision, Permit) and facts.in_term and facts.key_live:
            self._permits.keep(caller, act, circumstances, Ground(caller, self.guard, halts, now), decision)
        return decision

    def must_stop(self, admission: Admission) -> Deny | None:
        """Whether an act under way has lost its permission: a halt, a revoked key, a paused engagement, the term."""
        now = self._decide(self.directory.again(admission.caller), admission.act, admission.circumstances)
        return now if isinstance(now, Deny) else None

    # --- admit and conclude

    def admit(self, caller: Caller, act: Act, circumstances: Circumstances = PLAIN) -> Admission:
        """Decides and records; what it returns may act.

        Raises `DeniedError`, `ApprovalNeededError`, `QuotaError` (each recorded), or `DoorClosedError` when it could
        not be recorded: then nothing may act.
        """
        prepared = self._prepare(caller, act, circumstances)
        with self._redeeming(prepared):
            receipt = self._append(prepared.entry)
        return self._admitted(prepared, receipt)

    async def admit_async(
        self, caller: Caller, act: Act, circumstances: Circumstances = PLAIN, prompt: bytes = b""
    ) -> Admission:
        """The same, awaited.  ``prompt`` is kept, sealed, with the entry of the request."""
        prepared = self._prepare(caller, act, circumstances, prompt)
        with self._redeeming(prepared):
            receipt = await self._append_async(prepared)
        decision = prepared.decision
        if isinstance(decision, Ask):
            import asyncio

            raise await asyncio.to_thread(self._asked, prepared, decision, receipt)
        return self._begun(prepared, decision, receipt)

    def _abandon(self, prepared: _Prepared, done: asyncio.Future[tuple[Receipt, ...]]) -> None:
        """Closes a request whose task was cancelled while its entry was being written."""
        if not isinstance(prepared.decision, Permit) or done.cancelled() or done.exception() is not None:
            return
        admission = self._admitted(prepared, done.result()[0])
        with contextlib.suppress(GlasshouseError):  # the log has failed meanwhile; the next start closes the request
            self.log.append([self._entries.outcome(admission, Outcome("interrupted", NOTHING), self.now_ms())])
            self._journal.ends(admission.request.index)

    def conclude(self, admission: Admission, outcome: Outcome) -> Receipt:
        """Records how the act ended; until this returns, the last result must not leave.  `DoorClosedError` if not."""
        receipt = self._append(self._entries.outcome(admission, outcome, self.now_ms()), WITHHELD)
        self._journal.ends(admission.request.index)
        return receipt

    async def conclude_async(self, admission: Admission, outcome: Outcome) -> Receipt:
        """The same, awaited; the entry is written even if the waiting task is cancelled."""
        return await self.concluded(self.conclude_soon(admission, outcome))

    def conclude_soon(self, admission: Admission, outcome: Outcome) -> asyncio.Future[tuple[Receipt, ...]]:
        """Sends the outcome on its way to the log, for `concluded`; it gets there even if nobody awaits it."""

        def ended(done: asyncio.Future[tuple[Receipt, ...]]) -> None:
            if not done.cancelled() and done.exception() is None:
                self._journal.ends(admission.request.index)

        try:
            future = self.log.append_async([self._entries.outcome(admission, outcome, self.now_ms())])
        except GlasshouseError as error:
            raise closed(error, WITHHELD) from error
        future.add_done_callback(ended)
        return future

    async def concluded(self, outcome: asyncio.Future[tuple[Receipt, ...]]) -> Receipt:
        """The receipt of an outcome that is on its way; until this returns, the last result must not leave."""
        try:
            return (await outcome)[0]
        except GlasshouseError as error:
            raise closed(error, WITHHELD) from error

    def passage(
        self,
        caller: Caller,
        act: Act,
        circumstances: Circumstances = PLAIN,
        screen: Screen[T] | None = None,
        encode: Callable[[T], bytes] | None = None,
    ) -> Passage[T]:
        """An act from request to outcome, with its results streamed; see `glasshouse.door.passage`."""
        from glasshouse.door.passage import Passage

        return Passage(self, self.admit(caller, act, circumstances), screen, encode)

    async def async_passage(
        self,
        caller: Caller,
        act: Act,
        circumstances: Circumstances = PLAIN,
        screen: Screen[T] | None = None,
        encode: Callable[[T], bytes] | None = None,
    ) -> AsyncPassage[T]:
        """The same for asynchronous results."""
        from glasshouse.door.passage import AsyncPassage

        return AsyncPassage(self, await self.admit_async(caller, act, circumstances), screen, encode)

    def append(self, kind: str, caller: Caller, decision: str, event: bytes) -> Receipt:
        """Records an entry of another kind about a caller (votes, for example)."""
        return self._append(self._entries.of(kind, caller, decision, self.guard.policy_hash, event))

    def record(self, kind: str, caller: Caller, body: bytes) -> Receipt:
        """Records a statement, a run, a duty: ``body`` is the record in canonical JSON, kept sealed as ``record``."""
        return self._append(self._entries.record(kind, caller, self.guard.policy_hash, body))

    # --- inside

    def _prepare(self, caller: Caller, act: Act, circumstances: Circumstances, prompt: bytes = b"") -> _Prepared:
        caller = self.directory.again(caller)
        decision = self._decide(caller, act, circumstances)
        if isinstance(decision, Permit) and caller.engagement.quota.acts_per_day is not None:
            decision = self._within_quota(caller, decision)
        redeemed = False
        if isinstance(decision, Permit) and circumstances.approval:
            decision = self.waiting.redeem(circumstances.approval, caller, act, decision)
            redeemed = isinstance(decision, Permit)
        uid, entry = self._entries.request(caller, act, circumstances, decision, prompt, self.now_ms())
        return _Prepared(caller, act, circumstances, decision, uid, entry, redeemed)

    @contextlib.contextmanager
    def _redeeming(self, prepared: _Prepared) -> Iterator[None]:
        """An approval that this act used is not used up when the act could not be recorded."""
        try:
            yield
        except GlasshouseError:
            if prepared.redeemed:
                self.waiting.give_back(prepared.circumstances.approval)
            raise

    def _within_quota(self, caller: Caller, decision: Permit) -> Permit | Deny:
        from glasshouse.store.usage import Usage

        limit = caller.engagement.quota.acts_per_day
        assert limit is not None
        now = self.now()
        subject = f"engagement:{caller.engagement.id}"
        if Usage(self.tables.database).reserve(subject, "acts", now - now % DAY_S, 1, limit):
            return decision
        reason = f"the engagement's {limit:,} acts of today are used"
        return Deny(QUOTA_ACTS, reason, (QUOTA_ACTS,), decision.policy_hash, QuotaError.hint)

    def _admitted(self, prepared: _Prepared, receipt: Receipt) -> Admission:
        decision = prepared.decision
        if isinstance(decision, Ask):
            raise self._asked(prepared, decision, receipt)
        return self._begun(prepared, decision, receipt)

    def _begun(self, prepared: _Prepared, decision: Permit | Deny, receipt: Receipt) -> Admission:
        if isinstance(decision, Deny):
            kind = QuotaError if decision.code == QUOTA_ACTS else DeniedError
            denied = kind(
                f"{prepared.act.capability}: {decision.reason}",
                where=f"{decision.code} (entry {receipt.index})",
                hint=decision.hint,
            )
            denied.receipt = receipt
            raise denied
        self._journal.begins(receipt.index)
        return Admission(prepared.caller, prepared.act, prepared.circumstances, decision, prepared.uid, receipt)

    def _asked(self, prepared: _Prepared, ask: Ask, receipt: Receipt) -> ApprovalNeededError:
        with self._asking:  # the same act asked for twice at once is one request
            request = self.waiting.ask(prepared.caller, prepared.act, ask)
        terms = request.terms
        needed = ApprovalNeededError(
            f"{terms.act.capability} waits for {counted(terms.needed, 'approval')} as request {terms.id}: {terms.why}",
            where=f"entry {receipt.index}",
            hint=ApprovalNeededError.hint.replace("ID", terms.id),
        )
        needed.receipt = receipt
        return needed

    def _append(self, entry: NewEntry, what: str = UNDONE) -> Receipt:
        try:
            return self.log.append([entry]).result()[0]
        except GlasshouseError as error:
            raise closed(error, what) from error

    async def _append_async(self, prepared: _Prepared) -> Receipt:
        """A request's entry is written even if the task that waits for it is cancelled, and then closed."""
        import asyncio

        try:
            future = self.log.append_async([prepared.entry])
            try:
                return (await future)[0]
            except asyncio.CancelledError:
                future.add_done_callback(partial(self._abandon, prepared))
                raise
        except GlasshouseError as error:
            raise closed(error, UNDONE) from error

    def _note_refusal(self, code: str) -> None:
        """Records that a key was refused.  Nothing acts on a refusal, so nobody waits for the entry."""
        count = self._refusals.due(self.now())
        if count:
            with contextlib.suppress(GlasshouseError):  # the refusal stands; a log that fails lets nothing else act
                self.log.append([refused(code, count, self.now_ms())])

    def _close_remains(self) -> None:
        """Closes as interrupted what a process that died has left open."""
        unanswered = self.log.reader.unanswered()
        remains = Remains(self.home.running)
        if unanswered:
            times = [(index, self.log.reader.entry(index).time) for index in unanswered]
            for index in remains.interrupted(times, self.now_ms()):
                self._interrupt(index)
        remains.clear()

    def _interrupt(self, index: int) -> None:
        from glasshouse.words.errors import EntryError

        outcome = interrupted(index, self.log.reader.entry(index), self.now_ms())
        with contextlib.suppress(EntryError):  # another process that starts now may have closed it
            self.log.append([outcome]).result()


class _Prepared(msgspec.Struct, frozen=True):
    caller: Caller
    act: Act
    circumstances: Circumstances
    decision: Decision
    uid: str
    entry: NewEntry
    redeemed: bool


class _Tables:
    """Opens the store when it is first needed, once."""

    def __init__(self, place: StorePlace) -> None:
        self._place, self._lock = place, threading.Lock()
        self._tables: Tables | None = None

    def __call__(self) -> Tables:
        with self._lock:
            if self._tables is None:
                from glasshouse.store.database import open_database
                from glasshouse.store.records import Tables

                self._tables = Tables(open_database(self._place))
            return self._tables

    def close(self) -> None:
        """Closes all connections; asked for again, the tables connect anew."""
        with self._lock:
            if self._tables is not None:
                self._tables.database.close()


def _in_detail(decision: Deny, caller: Caller, act: Act, directory: Directory) -> str:
    """The reason with what it is about, for the person who reads it."""
    if decision.code == "core.out-of-scope":
        names = [f"{each.name}/{each.path}".rstrip("/") for each in out_of_scope(caller, act)][:3]
        return f"{decision.reason}: {', '.join(names) or act.engagement}"
    if decision.code == "core.halted":
        halt = halt_on(caller, act, directory.halts())
        return (
            f"{decision.reason}: {halt.kind} {halt.value}".rstrip() + f" ({halt.reason})" if halt else decision.reason
        )
    return decision.reason
