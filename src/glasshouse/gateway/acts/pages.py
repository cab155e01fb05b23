"""The capability API's pages: ask for an act, see how it stands, page through results, follow them; receipts, halts.

Every page needs a key.  What another engagement's key asked for does not exist for this one.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as Page

from glasshouse.access import register
from glasshouse.gateway.acts.journal import ActRecord, pages
from glasshouse.gateway.acts.openapi import document
from glasshouse.gateway.acts.work import WORKS, Work
from glasshouse.gateway.dialect.interface import STATUS, RequestShapeError
from glasshouse.gateway.dialect.strict_json import decode_object
from glasshouse.gateway.gateway import Gateway
from glasshouse.gateway.intake import Head, check_json, read_body, read_head
from glasshouse.gateway.operations import problem
from glasshouse.gateway.receipts import HEADER, receipt_field
from glasshouse.gateway.refusals import Refusal
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.errors import ApprovalNeededError, GlasshouseError
from glasshouse.words.halt import CohortKind
from glasshouse.words.party import Caller
from glasshouse.words.passage import Outcome

MAX_BODY_BYTES = 1_048_576
BODY_TIMEOUT_S = 30.0
MAX_WAIT_S = 60.0
MAX_PAGE = 1_000
FOLLOW_EVERY_S = 0.2
MAX_NUMBER = 1_000_000_000
_WAIT = re.compile(r"wait=([0-9]{1,3})")
_encode = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True):
    """One request to this API, with who sent it."""

    request: Request
    gateway: Gateway
    head: Head
    caller: Caller

    def circumstances(self) -> Circumstances:
        """What the door should know beside the act."""
        return Circumstances(origin=self.head.origin, approval=self.head.approval)


class NewAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/acts``."""

    capability: str
    input: msgspec.Raw


class NewHalt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/halts``."""

    kind: CohortKind
    reason: str
    value: str = ""


Handler = Callable[[Asked], Awaitable[Response]]


def page(path: str, **handlers: Handler) -> Page:
    """A page that needs a key and turns errors into problems (RFC 9457); one handler for each method."""

    async def endpoint(request: Request) -> Response:
        gateway: Gateway = request.state.gateway
        try:
            head = read_head(request.scope)
            caller = await gateway.relay.resolve(head.key)
            return await handlers[request.method](Asked(request, gateway, head, caller))
        except Refusal as refusal:
            return problem(STATUS[refusal.kind], refusal.code, refusal.message)
        except RequestShapeError as error:
            return problem(400, "gateway.request", error.what)
        except ApprovalNeededError as error:
            return problem(403, error.code, error.what, error.hint)
        except GlasshouseError as error:
            return problem(error.status, error.code, error.what, f"{error.where} {error.hint}".strip())

    found = Page(path, endpoint, methods=list(handlers))
    found.methods = set(handlers)  # Starlette adds HEAD, which this API does not answer
    return found


def answered(value: Any, status: int = 200, **headers: str) -> Response:
    """An answer in JSON."""
    return Response(_encode(value), status, headers, media_type="application/json")


async def body_of(asked: Asked, kind: type[Any]) -> Any:
    """The request's body as ``kind``; `Refusal` names the field that is wrong."""
    check_json(asked.head)
    wait = asked.request.state.gateway.relay.deadlines.within(BODY_TIMEOUT_S)
    raw = await read_body(asked.request.receive, asked.head, MAX_BODY_BYTES, wait)
    decode_object(raw)
    return decoded(raw, kind)


def decoded(raw: bytes | msgspec.Raw, kind: type[Any]) -> Any:
    """Checked against its type."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Refusal("invalid_request", "gateway.request", str(error)) from None


async def start_act(asked: Asked) -> Response:
    """Asks for an act; 202 with its id, or 200 when it was over within the time that ``Prefer: wait=N`` gives."""
    wanted: NewAct = await body_of(asked, NewAct)
    work = WORKS.get(wanted.capability)
    if work is None:
        raise Refusal("not_found", "act.capability", f"capabilities are {', '.join(WORKS)}")
    record = await started(asked, work, wanted.input)
    wait = _WAIT.search(asked.request.headers.get("prefer", ""))
    if wait is not None:
        await asked.gateway.acts.wait(record.id, min(float(wait[1]), MAX_WAIT_S))
        record = asked.gateway.acts.journal.find(record.id) or record
    over = record.state != "running"
    return answered(record, 200 if over else 202, location=f"/v1/acts/{record.id}")


async def started(asked: Asked, work: Work, raw: msgspec.Raw) -> ActRecord:
    """The act under way."""
    given = decoded(raw, work.input)
    return await asked.gateway.acts.start(asked.caller, work, given, asked.circumstances())


async def list_acts(asked: Asked) -> Response:
    """The engagement's acts, newest first."""
    after, limit = paging(asked)
    found = asked.gateway.acts.journal.all(asked.caller.engagement.id)
    following = after + limit if len(found) > after + limit else None
    return answered({"acts": found[after : after + limit], "next": following})


async def show_act(asked: Asked) -> Response:
    """How an act stands."""
    return answered(own_act(asked))


async def show_results(asked: Asked) -> Response:
    """A page of results; ``next`` is null when there are no more for good."""
    record = own_act(asked)
    after, limit = paging(asked)
    lines = await asyncio.to_thread(asked.gateway.acts.journal.results, record.id, after, limit)
    more = len(lines) == limit or record.state == "running"
    return answered({
        "act": record.id, "state": record.state, "results": list(pages(lines)),
        "next": after + len(lines) if more else None,
    })  # fmt: skip


async def follow_act(asked: Asked) -> Response:
    """Results as server-sent events while they come, then one event ``end``; `Last-Event-ID` goes on."""
    record = own_act(asked)
    last = asked.request.headers.get("last-event-id", "")
    after = int(last) + 1 if last.isdigit() and len(last) < 10 else 0
    stream = events(asked.gateway, record, after)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def events(gateway: Gateway, record: ActRecord, after: int) -> AsyncIterator[bytes]:
    """The stream of one act."""
    journal = gateway.acts.journal
    while True:
        now = journal.find(record.id) or record
        lines = await asyncio.to_thread(journal.results, record.id, after, MAX_PAGE)
        for line in lines:
            yield b"id: %d\nevent: result\ndata: %s\n\n" % (after, line)
            after += 1
        if now.state != "running" and not lines:
            yield b"event: end\ndata: " + _encode(now) + b"\n\n"
            return
        if not lines:
            yield b": waiting\n\n"
            await asyncio.sleep(FOLLOW_EVERY_S)


def own_act(asked: Asked) -> ActRecord:
    """The act that the path names, if it is of the caller's engagement."""
    name = asked.request.path_params["act"]
    record = asked.gateway.acts.journal.find(name)
    if record is None or record.engagement != asked.caller.engagement.id:
        raise Refusal("not_found", "act.unknown", "there is no such act under this engagement")
    return record


def paging(asked: Asked) -> tuple[int, int]:
    """``after`` and ``limit`` of the query."""
    return number(asked, "after", 0, 0, MAX_NUMBER), number(asked, "limit", 100, 1, MAX_PAGE)


def number(asked: Asked, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query."""
    text = asked.request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise Refusal("invalid_request", "gateway.request", f"`{name}` must be a whole number from {least} to {most}")
    return int(text)


async def show_receipt(asked: Asked) -> Response:
    """The proof of one of the key's own entries, which `glasshouse verify` accepts."""
    text = asked.request.path_params["index"]
    log = asked.gateway.door.log
    size, reader = log.checkpoint().size, log.reader
    index = int(text) if re.fullmatch(r"[0-9]{1,15}", text) else size
    if index >= size or reader.entry(index).key != asked.caller.key_id:
        raise Refusal("not_found", "receipt.unknown", "there is no such entry of this key")
    proof = await asyncio.to_thread(reader.proof, index)
    return Response(proof, media_type="text/plain; charset=utf-8")


async def show_engagement(asked: Asked) -> Response:
    """What the key grants: purpose, scope, term, capabilities, limits."""
    return answered(asked.caller.engagement)


async def list_approvals(asked: Asked) -> Response:
    """The requests of the caller's organisation that wait for approval."""
    found = await asyncio.to_thread(asked.gateway.door.waiting.all)
    mine = [each for each in found if each.terms.organisation == asked.caller.organisation.id]
    return answered({"approvals": mine})


async def list_halts(asked: Asked) -> Response:
    """The halts in force that concern the caller."""
    door = asked.gateway.door
    halts = [each for each in door.directory.halts() if each.kind == "all" or each.value == asked.caller.engagement.id]
    return answered({"halts": halts})


async def order_halt(asked: Asked) -> Response:
    """Stops the caller's own engagement or one of its keys at once; `access.halt` must be granted to the key."""
    wanted: NewHalt = await body_of(asked, NewHalt)
    caller, door = asked.caller, asked.gateway.door
    allowed = {("engagement", caller.engagement.id), ("key", caller.key_id), ("organisation", caller.organisation.id)}
    if (wanted.kind, wanted.value) not in allowed:
        message = "a key can halt its own key, engagement or organisation; others are halted with `glasshouse kill`"
        raise Refusal("permission", "halt.foreign", message)
    act = Act("access.halt", (Target("record", wanted.value),), caller.engagement.id, "", f"halt {wanted.kind}")
    admission = await door.admit_async(caller, act, asked.circumstances())
    reason, now = wanted.reason[:500], int(time.time())
    halt = await asyncio.to_thread(register.order_halt, door.tables, wanted.kind, wanted.value, reason, caller.id, now)
    receipt = await door.conclude_async(admission, Outcome("done", "", items=1))
    return answered(halt, 201, **{HEADER.decode(): receipt_field(receipt).decode()})


async def show_document(request: Request) -> Response:
    """The OpenAPI document; needs no key."""
    return answered(document())


ROUTES = [
    page("/v1/acts", POST=start_act, GET=list_acts),
    page("/v1/acts/{act}", GET=show_act),
    page("/v1/acts/{act}/results", GET=show_results),
    page("/v1/acts/{act}/events", GET=follow_act),
    page("/v1/receipts/{index}", GET=show_receipt),
    page("/v1/engagement", GET=show_engagement),
    page("/v1/approvals", GET=list_approvals),
    page("/v1/halts", GET=list_halts, POST=order_halt),
    Page("/openapi.json", show_document, methods=["GET"]),
]
