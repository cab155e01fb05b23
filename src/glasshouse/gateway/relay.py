"""The data path: a call to a model from its first byte to its receipt.

Order: route, key, body, model, rates and budgets, screening, policy (with the halts in force), the request entry
durable, the upstream.  Raw ASGI: nothing between the server and this parses, buffers or rewrites.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from glasshouse.door import events
from glasshouse.gateway.answers import AnswerScreen
from glasshouse.gateway.asgi import JSON, ON_GONE, Headers, OnGone, Receive, Scope, Send, answer
from glasshouse.gateway.deadlines import Deadlines
from glasshouse.gateway.dialect.interface import STATUS, Call, Dialect, ErrorKind, RequestShapeError
from glasshouse.gateway.dialect.registry import Route
from glasshouse.gateway.dialect.strict_json import decode_object, with_model
from glasshouse.gateway.exchange import MAX_KEPT_BYTES, Exchange, Sending
from glasshouse.gateway.intake import ClientGone, Head, check_json, read_body, read_head
from glasshouse.gateway.limits.counters import Counters
from glasshouse.gateway.limits.counters import Table as CounterTable
from glasshouse.gateway.limits.prices import at_most, spent
from glasshouse.gateway.limits.reserve import NOTHING, Cost, Exhausted, Limited, Reservation, Subjects, reserve, settle
from glasshouse.gateway.measures import LOGGER, CallFacts, Measures
from glasshouse.gateway.prompts import MAX_SCREENED_CHARACTERS, PromptScore, PromptScreen
from glasshouse.gateway.receipts import HEADER, receipt_field
from glasshouse.gateway.refusals import Refusal, refusal_for
from glasshouse.gateway.settings import GatewaySettings
from glasshouse.gateway.upstream import Upstreams
from glasshouse.guard.misuse import Screener
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.decision import Deny, Permit
from glasshouse.words.errors import BudgetError, GlasshouseError, LimitsError
from glasshouse.words.party import Caller
from glasshouse.words.randomness import fresh_hex

if TYPE_CHECKING:
    from glasshouse.door.door import Door
    from glasshouse.door.entries import Admission

CAPABILITY = "model.call"
LOOK_EVERY_S = 0.25
"""How often calls under way are compared with policy and halts; the directory adds its own 0.2 s."""
MONEY = frozenset({"money_per_day", "money_per_month"})
RATES = frozenset({"requests_per_minute", "concurrent_requests", "tokens_per_minute"})


class Asked(msgspec.Struct, frozen=True):
    """A request that was read: who asks, what for, and what it may cost."""

    route: Route
    head: Head
    caller: Caller
    call: Call
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    request_id: str


class Relay:
    """The relay of one worker."""

    def __init__(
        self, door: Door, settings: GatewaySettings, screener: Screener, counters: Counters, environ: Mapping[str, str],
        measures: Measures,
    ) -> None:  # fmt: skip
        self._door, self._settings, self._screener, self._counters = door, settings, screener, counters
        self._measures = measures
        self._subjects = Subjects(settings.quotas)
        self._prompts = PromptScreen(screener)
        self._running: set[Exchange] = set()
        self._unsettled: list[tuple[Reservation, Cost | None]] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._refusals = RefusalRecorder(door)
        self.deadlines = Deadlines()
        self.upstreams = Upstreams(settings, environ, self.deadlines)

    # --- one call

    async def serve(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one call on a route of the table."""
        started = time.perf_counter()
        request_id = f"req_{fresh_hex(12)}"
        extra: Headers = [(b"request-id", request_id.encode()), (b"x-request-id", request_id.encode())]
        model, status, outcome, usage = "", 0, "refused", None
        try:
            asked = await self._read(route, scope, receive, request_id)
            model = asked.call.model
            exchange = await self._carry_out(asked, extra, receive, send, scope.get(ON_GONE))
            status, outcome, usage = exchange.ending.http_status, exchange.ending.status, exchange.screen.usage
        except Refusal as refusal:
            status = await refuse(send, route.dialect, refusal, request_id)
        except ClientGone:
            outcome = "gone"
        seconds = time.perf_counter() - started
        tokens = (usage.input, usage.output) if usage is not None else (None, None)
        self._measures.call(CallFacts(request_id, route.dialect.name, model, status, outcome, seconds, *tokens))

    async def _read(self, route: Route, scope: Scope, receive: Receive, request_id: str) -> Asked:
        """The request as far as it can be understood without asking policy; what is wrong with it is recorded."""
        head = read_head(scope)
        caller = await self.resolve(head.key)
        model = "unknown"
        body = b""
        try:
            check_json(head)
            limits = self._settings.limits
            body = await read_body(receive, head, limits.max_body_bytes, self.deadlines.within(limits.body_timeout_s))
            call = route.dialect.read(decode_object(body))
            model = call.model
            return self._priced(route, head, caller, call, body, tuple(scope["headers"]), request_id)
        except (Refusal, RequestShapeError) as error:
            refusal = error if isinstance(error, Refusal) else refusal_for(error)
            act = _act(caller, route.dialect, model, body)
            await self._refusals.record(caller, act, Circumstances(origin=head.origin), refusal)
            raise refusal from None

    async def resolve(self, key: str) -> Caller:
        """The caller; `Refusal` for an unknown key, which the door records."""
        try:
            return self._door.resolve(key)
        except GlasshouseError as error:
            raise refusal_for(error) from None

    def _priced(
        self, route: Route, head: Head, caller: Caller, call: Call, body: bytes,
        headers: tuple[tuple[bytes, bytes], ...], request_id: str,
    ) -> Asked:  # fmt: skip
        names = self._settings.for_family(call.model, route.family)
        if not names:
            raise Refusal("not_found", "gateway.model", f"no model `{call.model}` is served on {route.path}")
        if call.upstream_state and not all(self._settings.upstreams[name].stored_state for name in names):
            fields = ", ".join(sorted(set(call.upstream_state)))
            message = f"the request refers to state kept upstream ({fields}), which other callers' requests could reach"
            raise Refusal("invalid_request", "gateway.stored-state", message)
        return Asked(route, head, caller, call, body, headers, request_id)

    def _cost(self, asked: Asked, name: str) -> Cost:
        """What the request may cost at most with this model."""
        model, call = self._settings.models[name], asked.call
        generates = asked.route.dialect.generates
        return at_most(call, len(asked.body), model.longest_answer, model.price, generates=generates)

    async def _carry_out(
        self, asked: Asked, extra: Headers, receive: Receive, send: Send, on_gone: OnGone | None
    ) -> Exchange:
        reservation, instead = await self._reserve(asked)
        exchange = None
        try:
            session = _session(asked)
            prompt = self._prompts.score(asked.call.segments, session)
            if not prompt.complete:
                message = f"a text is longer than the {MAX_SCREENED_CHARACTERS:,} characters that can be screened"
                raise await self._recorded(asked, Refusal("invalid_request", "gateway.unscreened", message))
            admission = await self._admit(asked, prompt, session, instead)
            chosen = admission.act.targets[0].name
            if chosen != asked.call.model:
                extra.append((b"glasshouse-model", chosen.encode("latin-1", "replace")))
            exchange = self._exchange(asked, admission, chosen, extra)
            self._running.add(exchange)
            self._idle.clear()
            await exchange.run(receive, send, on_gone)
        except GlasshouseError as error:
            raise refusal_for(error) from None
        finally:
            self._settle(asked, reservation, exchange)
            if exchange is not None:
                self._running.discard(exchange)
                if not self._running:
                    self._idle.set()
        return exchange

    async def _admit(self, asked: Asked, prompt: PromptScore, session: str, instead: str) -> Admission:
        """The door's answer.  The engagement's fallback is asked for where the budget (``instead`` says so) or policy
        says no to the model that was named."""
        caller, head = asked.caller, asked.head
        act = _act(caller, asked.route.dialect, asked.call.model, asked.body)
        circumstances = Circumstances(
            misuse=prompt.percent,
            misuse_categories=(prompt.category,) if prompt.category else (),
            origin=head.origin,
            session=session,
            approval=head.approval,
            profile=prompt.profile,
        )
        fallback = self._fallback(asked)
        if fallback and not instead:
            refused = self._door.decide(caller, act, circumstances)
            if not isinstance(refused, Permit):
                instead = refused.policies[0] if refused.policies else "no grant"
                other = _act(caller, asked.route.dialect, fallback, asked.body)
                if not isinstance(self._door.decide(caller, other, circumstances), Permit):
                    instead = ""
        kept = asked.body[:MAX_KEPT_BYTES] if caller.engagement.keeps == "sealed" else b""
        if instead:
            why = f"instead of {asked.call.model}: {instead}"
            act = _act(caller, asked.route.dialect, fallback, asked.body, why)
        return await self._door.admit_async(caller, act, circumstances, kept)

    def _fallback(self, asked: Asked) -> str:
        """The engagement's fallback, if it is another model and served to this dialect."""
        name = asked.caller.engagement.fallback_model
        served = name and name != asked.call.model and self._settings.for_family(name, asked.route.family)
        return name if served else ""

    def _exchange(self, asked: Asked, admission: Admission, chosen: str, extra: Headers) -> Exchange:
        route, settings = asked.route, self._settings
        body, upstream_name = asked.body, settings.models[chosen].name or chosen
        if upstream_name != asked.call.model:
            body = with_model(body, upstream_name)
        sending = Sending(
            settings.for_family(chosen, route.family), route.upstream_path, body, asked.headers,
            settings.limits.max_answer_bytes,
        )  # fmt: skip
        screen = AnswerScreen(self._screener, route.dialect, admission.caller.engagement.misuse_denies_at / 100)
        return Exchange(self._door, self.upstreams, route, admission, sending, screen, asked.request_id, extra)

    # --- rates and budgets

    async def _reserve(self, asked: Asked) -> tuple[Reservation, str]:
        """What is set aside for the request; and, where only the fallback fits into the budget, which limit was met."""
        limited = self._subjects.of(asked.caller)
        if not limited.subjects:
            return Reservation(limited, NOTHING, 0, 0), ""
        got = self._try_reserve(asked, asked.call.model, limited)
        fallback = self._fallback(asked)
        if isinstance(got, Exhausted) and got.unit in MONEY and fallback:
            other = self._try_reserve(asked, fallback, limited)
            if isinstance(other, Reservation):
                return other, got.unit
        if isinstance(got, Reservation):
            return got, ""
        if not got.limit and got.unit in MONEY and self._settings.models[asked.call.model].price is None:
            message = f"the model `{asked.call.model}` has no price, and this caller has a budget in money"
            raise await self._recorded(asked, Refusal("budget", "gateway.price", message))
        what = f"{got.subject} has {got.limit:,} {got.unit.replace('_', ' ')}, and this request does not fit"
        message = f"{what}. {BudgetError.hint}" if got.retry_after_s else f"{what} even when nothing else runs"
        kind: ErrorKind = "rate_limit" if got.unit in RATES else "budget"
        raise await self._recorded(asked, Refusal(kind, "gateway.budget", message, retry_after_s=got.retry_after_s))

    def _try_reserve(self, asked: Asked, model: str, limited: Limited) -> Reservation | Exhausted:
        """Sets aside what the request may cost with a model; one without a price fits into no budget of money."""
        if limited.counts_money and self._settings.models[model].price is None:
            return Exhausted(limited.counts_money, "money_per_day", 0, 0)
        with self._counters.transaction(time.time_ns() // 1000) as table:
            self._settle_all(table)
            workers = [place for place, _ in self._counters.workers()] if limited.counts_running else []
            return reserve(table, limited, self._cost(asked, model), self._counters.worker, workers)

    async def _recorded(self, asked: Asked, refusal: Refusal) -> Refusal:
        """The refusal, once the log holds it."""
        act = _act(asked.caller, asked.route.dialect, asked.call.model, asked.body)
        await self._refusals.record(asked.caller, act, Circumstances(origin=asked.head.origin), refusal)
        return refusal

    def _settle(self, asked: Asked, reservation: Reservation, exchange: Exchange | None) -> None:
        """Notes what a call has cost.  What only counts against budgets is settled with the next reservation, or soon:
        until then the reservation stands, so that no budget is ever exceeded for it."""
        if not reservation.limited.subjects:
            return
        if exchange is None or not exchange.ending.reached or 400 <= exchange.ending.http_status < 500:
            used: Cost | None = NOTHING
        else:
            price = self._settings.models[exchange.admission.act.targets[0].name].price
            used = spent(exchange.screen.usage, price, reservation.cost, generates=asked.route.dialect.generates)
        self._unsettled.append((reservation, used))
        if reservation.limited.counts_running:
            self.settle()

    def settle(self) -> None:
        """Settles what has ended."""
        if self._unsettled:
            with self._counters.transaction(time.time_ns() // 1000) as table:
                self._settle_all(table)

    def _settle_all(self, table: CounterTable) -> None:
        ended, self._unsettled = self._unsettled, []
        for reservation, used in ended:
            try:
                settle(table, reservation, used)
            except LimitsError as error:  # the reservation stands, which is the safe side
                LOGGER.warning("a call was not settled: %s", error.what)

    # --- calls under way

    async def watch(self) -> None:
        """Stops calls that have lost their permission; runs as long as the worker does."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.settle()
            self._measures.flush()
            self.upstreams.prune()
            for exchange in tuple(self._running):
                try:
                    denied = self._door.must_stop(exchange.admission)
                except GlasshouseError as error:
                    denied = Deny(error.code, f"permission cannot be checked any more: {error.what}", (), "")
                if denied is not None:
                    exchange.stop(denied)

    def stop_all(self, why: str) -> None:
        """Stops every call under way; each caller is told, each outcome recorded."""
        for exchange in tuple(self._running):
            exchange.stop(Deny("gateway.shutdown", why, (), ""))

    async def idle(self, within_s: float) -> bool:
        """Waits until no call is under way; whether that came within the time."""
        try:
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    @property
    def running(self) -> int:
        """How many calls are under way."""
        return len(self._running)

    async def record_refusal(self, caller: Caller, describes: str, head: Head, refusal: Refusal) -> None:
        """Records what a known caller asked for and did not get before any model was named."""
        act = Act(CAPABILITY, (), caller.engagement.id, "", describes)
        await self._refusals.record(caller, act, Circumstances(origin=head.origin), refusal)


class RefusalRecorder:
    """Records what a known caller is refused before the door is asked."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def record(self, caller: Caller, act: Act, circumstances: Circumstances, refusal: Refusal) -> None:
        """Writes a denial of a known caller; `Refusal` when that is not possible."""
        if refusal.recorded:
            return
        decision = Deny(refusal.code, refusal.message, (refusal.code,), self._door.guard.policy_hash)
        uid = fresh_hex(16)
        event = events.request_event(caller, act, circumstances, decision, self._door.now_ms(), uid)
        try:
            refusal.receipt = await asyncio.to_thread(self._door.append, "act.denied", caller, "deny", event)
        except GlasshouseError as error:
            raise refusal_for(error) from None


async def refuse(send: Send, dialect: Dialect, refusal: Refusal, request_id: str) -> int:
    """Answers a refusal in a dialect; gives the HTTP status."""
    headers: Headers = [JSON, (b"request-id", request_id.encode()), (b"x-request-id", request_id.encode())]
    if refusal.retry_after_s:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    if refusal.receipt is not None:
        headers.append((HEADER, receipt_field(refusal.receipt)))
    if not refusal.retry_after_s and refusal.kind not in ("closed", "overloaded", "upstream", "timeout"):
        headers.append((b"x-should-retry", b"false"))
    status = STATUS[refusal.kind]
    await answer(send, status, headers, refusal.body(dialect, request_id))
    return status


def _act(caller: Caller, dialect: Dialect, model: str, body: bytes, more: str = "") -> Act:
    describes = f"{dialect.name} {model} {more}".strip()
    return Act(CAPABILITY, (Target("model", model),), caller.engagement.id, hashlib.sha256(body).hexdigest(), describes)


def _session(asked: Asked) -> str:
    """A digest that joins what one session says: by the caller's own name for it, or by how the conversation began.

    Requests without either are not joined: many people may share a key, and their words are not one conversation.
    """
    said = asked.call.session or next((each.text for each in asked.call.segments if each.role == "user"), "")
    words = f"{asked.caller.key_id}\x1f{said}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(words, digest_size=16).hexdigest()
