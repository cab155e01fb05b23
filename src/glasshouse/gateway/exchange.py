"""One admitted call on its way: to the upstream, through the screen, into the log, and only then to its end.

Whatever happens on the way is an outcome in the log: done, withheld by the screen, stopped by a halt, failed
upstream, interrupted because the caller left.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import msgspec

from glasshouse.gateway.answers import AnswerScreen
from glasshouse.gateway.asgi import JSON, Headers, OnGone, Receive, Send, answer
from glasshouse.gateway.dialect.interface import STATUS, AnswerShapeError
from glasshouse.gateway.dialect.registry import Route
from glasshouse.gateway.intake import ClientGone
from glasshouse.gateway.measures import LOGGER
from glasshouse.gateway.receipts import HEADER, receipt_comment, receipt_field
from glasshouse.gateway.refusals import Refusal, refusal_for
from glasshouse.gateway.upstream import RETURNED, Reply, Upstreams
from glasshouse.words.decision import Deny
from glasshouse.words.errors import GlasshouseError, UpstreamError
from glasshouse.words.passage import Outcome, OutcomeStatus

if TYPE_CHECKING:
    from glasshouse.door.door import Door
    from glasshouse.door.entries import Admission
    from glasshouse.ledger import Receipt

MAX_KEPT_BYTES = 8_388_608
"""What the log keeps of a prompt or an answer at most; the digest beside it is of the whole."""
WITHHELD = Refusal("withheld", "gateway.withheld", "Screening stopped this answer; the rest is withheld")


class Sending(msgspec.Struct, frozen=True):
    """What goes upstream, and where to."""

    names: tuple[str, ...]
    path: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    max_answer_bytes: int


class Ending(msgspec.Struct):
    """How an exchange ended, for limits and measurements."""

    status: OutcomeStatus = "failed"
    code: str = ""
    http_status: int = 0
    reached: bool = False
    """Whether the upstream may have worked for it."""


class Exchange:
    """Runs once.  `stop` and `leave` may be called from outside while it runs."""

    def __init__(
        self, door: Door, upstreams: Upstreams, route: Route, admission: Admission, sending: Sending,
        screen: AnswerScreen, request_id: str, extra: Headers,
    ) -> None:  # fmt: skip
        self.admission, self.screen, self.route = admission, screen, route
        self.ending = Ending()
        self._door, self._upstreams, self._sending = door, upstreams, sending
        self._request_id, self._extra = request_id, extra
        self._hash = hashlib.sha256()
        self._sent_bytes = 0
        self._keeps = admission.caller.engagement.keeps == "sealed"
        self._kept: list[bytes] = []
        self._started = False
        self._concluding = False
        self._reason: Deny | ClientGone | None = None
        self._task: asyncio.Task[object] | None = None
        self._outcome: asyncio.Future[tuple[Receipt, ...]] | None = None

    def stop(self, why: Deny) -> None:
        """Ends the exchange because it has lost its permission."""
        self._interrupt(why)

    def leave(self) -> None:
        """Ends the exchange because the caller has gone."""
        self._interrupt(ClientGone())

    def _interrupt(self, reason: Deny | ClientGone) -> None:
        if self._task is not None and not self._concluding and self._reason is None:
            self._reason = reason
            self._task.cancel()

    async def run(self, receive: Receive, send: Send, on_gone: OnGone | None = None) -> None:
        """Relays the call; raises nothing but cancellation.  Without ``on_gone`` a task waits for the end."""
        self._task = asyncio.current_task()
        watch = None
        if on_gone is not None:
            on_gone(self.leave)
        else:
            watch = asyncio.ensure_future(self._watch(receive))
        upstream: Reply | None = None
        try:
            sending = self._sending
            self.ending.reached = True
            upstream = await self._upstreams.send(sending.names, sending.path, sending.body, sending.headers)
            await self._relay(upstream, send)
        except asyncio.CancelledError:
            await self._cut_short(send)
        except (UpstreamError, AnswerShapeError) as error:
            await self._broken(error, send)
        except Exception as error:  # noqa: BLE001 - whatever it is, the log must say how the call ended
            LOGGER.exception("a fault ended a call", extra={"fields": {"request_id": self._request_id}})
            if self._outcome is None:
                fault = UpstreamError(f"a fault in Glasshouse ended the call ({type(error).__name__})")
                await self._broken(fault, send)
        finally:
            if watch is not None:
                watch.cancel()
            if upstream is not None:
                upstream.close()

    async def _watch(self, receive: Receive) -> None:
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        self.leave()

    async def _relay(self, upstream: Reply, send: Send) -> None:
        name = upstream.name
        self.ending.http_status = upstream.status
        if upstream.headers.get(b"content-encoding", b"identity") != b"identity":
            raise UpstreamError("the upstream compressed its answer, which cannot be screened", where=name)
        kind = upstream.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if upstream.status in (401, 403):
            raise UpstreamError("the upstream refused Glasshouse's own key or account", where=name)
        if 300 <= upstream.status < 400:
            raise UpstreamError(f"the upstream answered with a redirection ({upstream.status})", where=name)
        if kind == "text/event-stream" and upstream.status == 200:
            await self._stream(upstream, send)
        elif kind == "application/json":
            await self._whole(upstream, send)
        else:
            raise UpstreamError(
                f"the upstream answered {upstream.status} with {kind[:60] or 'no content type'}", where=name
            )

    # --- an answer in one piece

    async def _whole(self, upstream: Reply, send: Send) -> None:
        name = upstream.name
        parts, size = [], 0
        while chunk := await upstream.read():
            parts.append(chunk)
            size += len(chunk)
            if size > self._sending.max_answer_bytes:
                raise UpstreamError(f"the answer is larger than {self._sending.max_answer_bytes} bytes", where=name)
        body = b"".join(parts)
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise UpstreamError("the answer is not valid JSON", where=name) from None
        if not isinstance(value, dict):
            raise UpstreamError("the answer is not a JSON object", where=name)
        view = self.route.dialect.answer(value)
        self.screen.usage = view.usage
        if not self.screen.whole(body, view.pieces, view.opaque_bytes):
            await self._refuse(WITHHELD, "withheld", send)
            return
        self._count(body)
        good = upstream.status < 400
        receipt = await self._conclude("done" if good else "failed", "" if good else f"upstream-{upstream.status}")
        if isinstance(receipt, Refusal):
            await self._answer_error(receipt, send)
            return
        headers = [*self._head(upstream), (HEADER, receipt_field(receipt))]
        await answer(send, upstream.status, headers, body)

    # --- an answer that streams

    async def _stream(self, upstream: Reply, send: Send) -> None:
        name = upstream.name
        headers = [*self._head(upstream), (HEADER, receipt_field(self.admission.request))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self._started = True
        total = 0
        while chunk := await upstream.read():
            total += len(chunk)
            if total > self._sending.max_answer_bytes:
                raise UpstreamError(f"the answer is larger than {self._sending.max_answer_bytes} bytes", where=name)
            ready = self.screen.feed(chunk)
            if ready:
                data = b"".join(ready)
                self._count(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            if self.screen.stopped:
                await self._refuse(WITHHELD, "withheld", send)
                return
        rest = b"".join(self.screen.finish())
        if self.screen.stopped:
            await self._refuse(WITHHELD, "withheld", send)
        elif not self.screen.ended and not self.screen.failed:
            self._count(rest)
            await send({"type": "http.response.body", "body": rest, "more_body": True})
            raise UpstreamError("the answer ended before it was complete", where=name)
        else:
            status: OutcomeStatus = "failed" if self.screen.failed else "done"
            await self._close(rest, status, "upstream-error" if self.screen.failed else "", send)

    async def _close(self, last: bytes, status: OutcomeStatus, code: str, send: Send) -> None:
        """Records the outcome, then lets the last bytes of a stream go."""
        self._count(last)
        receipt = await self._conclude(status, code)
        if isinstance(receipt, Refusal):
            last, comment = receipt.event(self.route.dialect, self._request_id), b""
        else:
            comment = receipt_comment(receipt)
        await send({"type": "http.response.body", "body": last + comment, "more_body": False})

    # --- other ends

    async def _cut_short(self, send: Send) -> None:
        reason, task = self._reason, self._task
        if self._outcome is not None:  # it came just when the exchange was over
            await asyncio.wait({self._outcome})
        elif isinstance(reason, Deny) and task is not None:
            task.uncancel()
            message = f"{reason.reason}. {reason.hint}".strip()
            await self._refuse(Refusal("stopped", reason.code, message), "stopped", send)
            return
        else:
            await self._conclude("interrupted", "client-gone" if reason is not None else "shutdown")
        if reason is None or task is None:
            raise asyncio.CancelledError
        task.uncancel()

    async def _broken(self, error: UpstreamError | AnswerShapeError, send: Send) -> None:
        if isinstance(error, AnswerShapeError):
            error = UpstreamError(f"the upstream sent what cannot be read: {error}")
        if self.ending.http_status == 0 and "could be reached" in error.what:
            self.ending.reached = False
        await self._refuse(refusal_for(error), "failed", send)

    async def _refuse(self, refusal: Refusal, status: OutcomeStatus, send: Send) -> None:
        if self._started:
            await self._close(refusal.event(self.route.dialect, self._request_id), status, refusal.code, send)
            return
        body = refusal.body(self.route.dialect, self._request_id)
        self._count(body)
        self.ending.http_status = STATUS[refusal.kind]
        receipt = await self._conclude(status, refusal.code)
        if isinstance(receipt, Refusal):
            await self._answer_error(receipt, send)
            return
        headers = [JSON, *self._extra, (HEADER, receipt_field(receipt))]
        await answer(send, STATUS[refusal.kind], headers, body)

    async def _answer_error(self, refusal: Refusal, send: Send) -> None:
        """What could not be recorded does not leave; only this does."""
        self.ending.http_status = STATUS[refusal.kind]
        await answer(send, STATUS[refusal.kind], [JSON], refusal.body(self.route.dialect, self._request_id))

    # --- the log

    async def _conclude(self, status: OutcomeStatus, code: str) -> Receipt | Refusal:
        self._concluding = True
        try:
            return await self._record(status, code)
        except GlasshouseError as error:
            self.ending.status, self.ending.code = "failed", error.code
            return refusal_for(error)

    async def _record(self, status: OutcomeStatus, code: str) -> Receipt:
        self.ending.status, self.ending.code = status, code
        usage = self.screen.usage
        counts = {"http_status": self.ending.http_status, "opaque_bytes": self.screen.opaque_bytes}
        if usage is not None:
            counts |= {"input_tokens": usage.input or 0, "output_tokens": usage.output or 0}
        outcome = Outcome(
            status=status,
            digest=self._hash.hexdigest(),
            items=self.screen.events,
            size_bytes=self._sent_bytes,
            code=code,
            counts={name: number for name, number in counts.items() if number},
            screened=self.screen.screened(),
            answer=b"".join(self._kept),
        )
        self._outcome = self._door.conclude_soon(self.admission, outcome)
        return await self._door.concluded(self._outcome)

    def _count(self, data: bytes) -> None:
        self._hash.update(data)
        if self._keeps and self._sent_bytes < MAX_KEPT_BYTES:
            self._kept.append(data[: MAX_KEPT_BYTES - self._sent_bytes])
        self._sent_bytes += len(data)

    def _head(self, upstream: Reply) -> Headers:
        returned = [pair for pair in upstream.headers.items() if pair[0] in RETURNED]
        return [*returned, *self._extra]
