"""The one writer of a log: takes what waits, gives each entry its place, signs, commits, and then answers.

A batch closes when the disk is free: while one batch is being written the next one gathers.  What an event loop hands
in while calls are under way gathers for up to two milliseconds more, because a small batch costs nearly as much as a
large one.  The checkpoint is signed before the commit and stored in the same transaction; no signature is handed out
until that transaction is durable.  When the outcome of a write is not certain, the log stops for good.

A thread of its own writes what threads and other processes hand in.  What an event loop hands in is written where it
runs if that holds nobody up: while nothing else is under way, or while the disk is quick and the log mostly idle.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from glasshouse.ledger.assemble import Assembly, Chains, Made, own_payload
from glasshouse.ledger.audit.notes import ED25519
from glasshouse.ledger.entry import OWN_NAME, Payload
from glasshouse.ledger.keys import EngagementKeys, Signer
from glasshouse.ledger.pace import Pace
from glasshouse.ledger.receipt import Quorum, Receipt, SignedCheckpoint, checkpoint_body
from glasshouse.ledger.requests import Append, Date, Hold, Request, Scrub, Waiter, answer, new_future
from glasshouse.ledger.retention import Approvers, add_erasure, add_hold
from glasshouse.ledger.seal import Sealed, seal
from glasshouse.ledger.store.interface import Batch, State, Store
from glasshouse.ledger.tree import Frontier
from glasshouse.words.errors import LedgerBusyError, LedgerError, LedgerFullError, LedgerStoppedError
from glasshouse.words.process import own_number

MAX_BATCH_ENTRIES = 4_096
MAX_BATCH_BYTES = 32 << 20
MAX_WAITING_ENTRIES = 200_000
MAX_WAITING_BYTES = 512 << 20
ENTRY_WEIGHT = 1_024  # bytes an entry takes while it waits, besides its payloads
DATED_EVERY_S = 1.0  # the slower second signature, ML-DSA-44
TIDIED_EVERY = 64  # batches written in an event loop's turn
CLOCK_BACK_MS = 1_000  # smaller steps back are clamped without a word
CLOCK_FORWARD_MS = 60_000

STILL_READ = "a reader keeps the write-ahead log from being emptied; what was erased may still lie in it"
_CLOSE = None


class Call(NamedTuple):
    """A request that waits to be written, with its payloads sealed."""

    request: Request
    sealed: list[list[Sealed]]
    waiter: Waiter
    entries: int
    weight: int  # bytes that wait in memory
    ends: int  # entries that end what is under way


class Settings(NamedTuple):
    """What a committer works with."""

    origin: str
    signers: tuple[Signer, ...]
    wrapping: EngagementKeys
    approvers: Approvers
    stopped_file: Path
    has_witnesses: bool
    clock: Callable[[], int]  # milliseconds since 1970, UTC
    steady: Callable[[], float]  # seconds of a clock that nobody sets


class Committer:
    """Writes one log; made from a store whose state was checked."""

    def __init__(self, store: Store, state: State, frontier: Frontier, settings: Settings) -> None:
        self._store, self._state, self._frontier, self._settings = store, state, frontier, settings
        self._chains = Chains(store)
        self._opened = set(store.opened())
        self._waiting: queue.SimpleQueue[Call | list[Call] | Callable[[], None] | None] = queue.SimpleQueue()
        self._soon: list[Call] = []
        self._soon_ends = 0
        self._pause: tuple[Any, Any] | None = None  # an event loop, and its timer that ends the gathering of `_soon`
        self._waiting_entries = self._waiting_bytes = 0
        self._counter = threading.Lock()
        self._writing = threading.Lock()  # held by whoever writes
        self._pace = Pace()
        self._untidied = 0
        self._process = own_number()
        self.failure: LedgerError | None = None
        self._closed = False
        self._dated_at = float("-inf")
        self._date_now = self._must_scrub = False
        self._is_dated = len(settings.signers) == 1 or state.latest.count("\n— ") >= len(settings.signers)
        self._clock_seen: tuple[int, float] | None = None
        self.latest = SignedCheckpoint(state.size, state.root, state.latest)
        self._quorum: Quorum = "pending" if settings.has_witnesses else "none"
        self.after_commit: Callable[[SignedCheckpoint], None] = lambda _: None
        self._must_scrub = not store.scrub()  # a crash may have come between an erasure and this
        self._thread = threading.Thread(target=self._run, name="glasshouse-committer", daemon=True)
        self._thread.start()

    # --- called from any thread

    def submit(self, request: Request, waiter: Waiter) -> None:
        """Queues a request; its waiter is answered when the entries are durable, or with what kept them out."""
        sealed: list[list[Sealed]] = []
        entries, weight, ends = 1, ENTRY_WEIGHT, 0
        if isinstance(request, Append):
            wrapping = self._settings.wrapping
            sealed = [[seal(payload, wrapping) for payload in entry.payloads] for entry in request.entries]
            entries = len(sealed)
            weight = ENTRY_WEIGHT * entries + sum(len(each.blob) for some in sealed for each in some)
            ends = sum(entry.part == "closes" for entry in request.entries)
        self._enqueue(Call(request, sealed, waiter, entries, weight, ends))

    def checkpoint(self) -> SignedCheckpoint:
        """What the log has signed last."""
        return self.latest

    def dated(self) -> SignedCheckpoint:
        """The newest checkpoint with all of the log's signatures."""
        future = new_future()
        self.submit(Date(), Waiter(future))
        future.result()
        return self.latest

    def is_alive(self) -> bool:
        """Whether this is the committer's process; a log that stopped keeps its committer, so that none follows."""
        return own_number() == self._process

    def _enqueue(self, call: Call) -> None:
        if not self.is_alive():
            raise LedgerBusyError("this process was forked from the committer's; open the log with join=True")
        entries = call.entries
        with self._counter:
            if self._closed or self.failure is not None:
                raise self.failure or LedgerBusyError("the log was closed")
            too_many = self._waiting_entries + entries > MAX_WAITING_ENTRIES
            if too_many or self._waiting_bytes + call.weight > MAX_WAITING_BYTES:
                raise LedgerBusyError(f"{self._waiting_entries} entries wait to be written", hint="Try again later.")
            self._waiting_entries += entries
            self._waiting_bytes += call.weight
            if call.waiter.loop is None:
                self._waiting.put(call)
                return
            self._soon.append(call)
            self._soon_ends += call.ends
            loop = call.waiter.loop
            if len(self._soon) == 1:
                loop.call_soon(self._end_turn, loop)
            elif self._pause is not None and self._pause[0] is loop and self._nobody_else_comes():
                self._pause[1].cancel()
                self._pause = None
                loop.call_soon(self._write_soon, loop)

    def _nobody_else_comes(self) -> bool:
        """Whether everything under way waits for this batch, as far as is known."""
        return self._soon_ends >= len(self._opened)

    def _end_turn(self, loop: Any) -> None:
        """Has what one turn of an event loop has asked for written, after a pause while more is under way."""
        pause = self._pace.pause(self._settings.steady()) if len(self._opened) > 1 else 0.0
        with self._counter:
            if pause > 0.0 and not self._nobody_else_comes():
                self._pause = loop, loop.call_later(pause, self._write_soon, loop)
                return
        self._write_soon(loop)

    def _write_soon(self, loop: Any) -> None:
        """Writes what has come from an event loop, here or in the thread."""
        here = self._may_write_here()
        with self._counter:
            if not here:
                self._hand_over()
                return
            calls = self._taken()
        try:
            if calls:  # else the log was closed meanwhile
                self._write_here(calls, loop)
        finally:
            self._writing.release()

    def _hand_over(self) -> None:
        calls = self._taken()
        if calls:
            self._waiting.put(calls)

    def _taken(self) -> list[Call]:
        """What has come from event loops since this was last asked."""
        calls, self._soon, self._soon_ends, self._pause = self._soon, [], 0, None
        return calls

    def _may_write_here(self) -> bool:
        """Whether that holds nobody up.  If so nobody else writes now, and the caller must let go of `_writing`."""
        alone = len(self._soon) == 1 and len(self._opened) <= 1
        if self._must_scrub or not self._waiting.empty() or not self.is_alive():
            return False
        return self._pace.holds_nobody_up(alone=alone) and self._writing.acquire(blocking=False)

    def _write_here(self, calls: list[Call], loop: Any) -> None:
        """Writes in an event loop's own thread.  What takes longer than a commit is left to the other thread."""
        was_dated = self._is_dated
        with self._stopping(calls):
            self._write(calls, loop)
        self._untidied += 1
        if self._untidied >= TIDIED_EVERY:
            self._untidied = 0
            self._waiting.put(self._store.tidy)
        elif was_dated and not self._is_dated:
            self._waiting.put(_look)

    def run_between_batches(self, action: Callable[[], None]) -> None:
        """Has the committer's thread do something else, such as keeping a cosigned checkpoint."""
        self._waiting.put(action)

    def stop(self, failure: LedgerError) -> None:
        """Stops the log for good: everything that waits fails with this error, and the next start is refused."""
        self._waiting.put(lambda: self._stop(failure))

    def close(self) -> None:
        """Writes what waits, and ends; safe to call twice."""
        with self._counter:
            already, self._closed = self._closed, True
            if not already:
                self._hand_over()
                self._waiting.put(_CLOSE)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # --- the committer's thread

    def _run(self) -> None:
        while True:
            calls, actions, closing = self._gather()
            with self._writing, self._stopping(calls):
                for action in actions:
                    action()
                if calls:
                    self._write(calls)
                if self.failure is None and not self._is_dated and (closing or (not calls and self._dating_is_due())):
                    self._date()
            if closing:
                return

    @contextlib.contextmanager
    def _stopping(self, calls: list[Call]) -> Iterator[None]:
        """Stops the log for what goes wrong while these calls are written; once it has stopped, all are refused."""
        try:
            yield
        except LedgerError as error:
            self._stop(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting, and the log must not go on
            self._stop(LedgerStoppedError(f"the committer failed: {type(error).__name__}: {error}"))
        if self.failure is not None:
            self._refuse(calls)

    def _gather(self) -> tuple[list[Call], list[Callable[[], None]], bool]:
        calls: list[Call] = []
        actions: list[Callable[[], None]] = []
        entries = size = 0
        patience = None if self._is_dated else DATED_EVERY_S
        try:
            item = self._waiting.get(timeout=patience)
            while True:
                if item is _CLOSE:
                    return calls, actions, True
                for call in _calls(item):
                    calls.append(call)
                    entries += call.entries
                    size += call.weight
                if callable(item):
                    actions.append(item)
                if entries >= MAX_BATCH_ENTRIES or size >= MAX_BATCH_BYTES:
                    break
                item = self._waiting.get_nowait()
        except queue.Empty:
            pass
        return calls, actions, False

    def _write(self, calls: list[Call], here: Any = None) -> None:
        """Writes calls and answers them; ``here`` is the event loop that this runs in, if it runs in one."""
        with self._counter:
            self._waiting_entries -= sum(call.entries for call in calls)
            self._waiting_bytes -= sum(call.weight for call in calls)
        if self.failure is not None:
            return
        assembly = self._new_assembly()
        answers: list[tuple[Waiter, list[Made] | LedgerError]] = []
        for call in calls:
            if not call.waiter.start():
                continue
            try:
                answers.append((call.waiter, self._place(assembly, call)))
            except LedgerError as error:
                answers.append((call.waiter, error))
        if assembly.bodies:
            try:
                self._commit(assembly, may_date=here is None)
            except LedgerFullError as error:
                self._chains.forget()
                answers = [(waiter, made if isinstance(made, LedgerError) else error) for waiter, made in answers]
            except BaseException:
                self._chains.forget()
                raise
        if self._date_now:
            self._date_now = False
            self._date()
        answer([(waiter, self._receipts(made)) for waiter, made in answers], here)
        if here is None:
            if self._must_scrub and not assembly.erased:
                self._must_scrub = not self._store.scrub()
            self._store.tidy()
        if assembly.bodies:
            self.after_commit(self.latest)

    def _receipts(self, made: list[Made] | LedgerError) -> tuple[Receipt, ...] | LedgerError:
        if isinstance(made, LedgerError):
            return made
        checkpoint, quorum = self.latest, self._quorum
        return tuple([Receipt(place, leaf, body, checkpoint, quorum) for place, leaf, body in made])

    def _new_assembly(self) -> Assembly:
        wall, steady = self._settings.clock(), self._settings.steady()
        before = self._state.time
        assembly = Assembly(self._state.size, max(wall, before), self._chains, self._opened)
        jump = None
        earliest = before - CLOCK_BACK_MS
        if wall < earliest and (self._clock_seen is None or self._clock_seen[0] >= earliest):
            jump = ("back", before)
        elif self._clock_seen is not None:
            expected = self._clock_seen[0] + int((steady - self._clock_seen[1]) * 1000)
            jump = ("forward", expected) if wall > expected + CLOCK_FORWARD_MS else None
        self._clock_seen = (wall, steady)
        if jump is not None:
            facts = own_payload(clock=wall, expected=jump[1])
            sealed = [seal(Payload("clock", OWN_NAME, facts), self._settings.wrapping)]
            assembly.add_own("ledger.clock", None, sealed, jump[0])
        return assembly

    def _place(self, assembly: Assembly, call: Call) -> list[Made]:
        request = call.request
        if isinstance(request, Append):
            return assembly.add_call(request.entries, call.sealed)
        if isinstance(request, Date):
            self._date_now = True
            return []
        if isinstance(request, Scrub):
            self._must_scrub = not self._store.scrub()
            if self._must_scrub:
                raise LedgerError(STILL_READ, hint="End long readers of the log, then run `glasshouse log scrub`.")
            return []
        if isinstance(request, Hold):
            return [add_hold(assembly, self._store, request, self._settings.wrapping)]
        origin, approvers = self._settings.origin, self._settings.approvers
        return [add_erasure(assembly, self._store, request, self._settings.wrapping, origin, approvers)]

    def _commit(self, assembly: Assembly, *, may_date: bool) -> None:
        frontier = self._frontier.copy()
        tiles = frontier.append(assembly.leaves)
        root = frontier.root()
        body = checkpoint_body(self._settings.origin, frontier.size, root)
        dated = may_date and (self._date_now or self._dating_is_due())
        note = self._signed(body, dated)
        state = State(frontier.size, root, assembly.time, note, None)
        batch = Batch(
            self._state.size,
            self._state.root,
            state,
            assembly.bodies,
            assembly.payloads,
            tiles,
            self._chains.changed,
            sorted(assembly.opened),
            sorted(assembly.closed),
            assembly.erased,
            assembly.held,
            assembly.released,
        )
        began = self._settings.steady()
        self._store.commit(batch)
        self._pace.wrote(began, self._settings.steady())
        self._state, self._frontier = state, frontier
        self._chains.keep()
        self._opened |= assembly.opened
        self._opened -= assembly.closed
        self._is_dated = dated or len(self._settings.signers) == 1
        self.latest = SignedCheckpoint(state.size, state.root, note)
        if assembly.erased:
            self._must_scrub = not self._store.scrub()

    def _signed(self, body: bytes, dated: bool) -> str:
        now = self._settings.clock() // 1000
        chosen = [signer for signer in self._settings.signers if dated or signer.key.kind == ED25519]
        if dated:
            self._dated_at = self._settings.steady()
        return body.decode() + "\n" + "".join(signer.line(body, now) for signer in chosen)

    def _dating_is_due(self) -> bool:
        return self._settings.steady() - self._dated_at >= DATED_EVERY_S

    def _date(self) -> None:
        """Adds the slower signatures to the newest checkpoint if it lacks them."""
        if self._is_dated:
            return
        body = checkpoint_body(self._settings.origin, self._state.size, self._state.root)
        note = self._signed(body, dated=True)
        try:
            self._store.set_notes(self._state.size, latest=note)
        except LedgerFullError:
            return  # the checkpoint stays as it is; the next one is dated
        self._state = self._state._replace(latest=note)
        self._is_dated = True
        self.latest = SignedCheckpoint(self._state.size, self._state.root, note)

    def _stop(self, failure: LedgerError) -> None:
        if self.failure is not None:
            return
        with self._counter:
            self.failure = failure
        if isinstance(failure, LedgerStoppedError):
            with contextlib.suppress(OSError):  # the disk that failed may refuse this too; the error itself is reported
                self._settings.stopped_file.write_text(f"{failure.what}\n")

    def _refuse(self, calls: list[Call]) -> None:
        error = self.failure
        assert error is not None
        waiting = list(calls)
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._waiting.get_nowait()
                if item is _CLOSE:
                    self._waiting.put(_CLOSE)
                    break
                waiting += _calls(item)
        answer([(call.waiter, error) for call in waiting])


def _look() -> None:
    """Has the thread see that the newest checkpoint lacks a signature."""


def _calls(item: object) -> list[Call]:
    """What is to be written of an item of the queue."""
    if isinstance(item, list):
        return item
    return [item] if isinstance(item, Call) else []


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000
