"""The models a key may use, and where a request that fits no route ends."""

from __future__ import annotations

from glasshouse.gateway.asgi import JSON, Scope, Send, answer
from glasshouse.gateway.dialect import models
from glasshouse.gateway.dialect.anthropic_messages import AnthropicMessages
from glasshouse.gateway.dialect.interface import Dialect
from glasshouse.gateway.dialect.openai_chat import OpenAIChat
from glasshouse.gateway.gateway import Gateway
from glasshouse.gateway.intake import read_head
from glasshouse.gateway.receipts import HEADER, receipt_field
from glasshouse.gateway.refusals import Refusal, refusal_for
from glasshouse.gateway.relay import CAPABILITY, refuse
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.decision import Deny
from glasshouse.words.errors import GlasshouseError
from glasshouse.words.party import Caller
from glasshouse.words.passage import Outcome
from glasshouse.words.randomness import fresh_hex

_ANTHROPIC, _OPENAI = AnthropicMessages(), OpenAIChat()
PATH = "/v1/models"


def dialect_of(scope: Scope) -> Dialect:
    """The dialect of a request on a path that several share: only Anthropic's clients name their version."""
    names = {name for name, _ in scope["headers"]}
    return _ANTHROPIC if b"anthropic-version" in names else _OPENAI


async def list_models(gateway: Gateway, scope: Scope, send: Send) -> None:
    """``GET /v1/models`` and ``GET /v1/models/NAME``: what is configured and granted, as an act in the log."""
    dialect, request_id = dialect_of(scope), f"req_{fresh_hex(12)}"
    try:
        head = read_head(scope)
        caller = await gateway.relay.resolve(head.key)
        wanted = scope["path"].removeprefix(PATH).strip("/")
        granted = [name for name in sorted(gateway.settings.models) if _granted(gateway, caller, name)]
        if wanted and wanted not in granted:
            refusal = Refusal("not_found", "gateway.model", f"no model `{wanted[:200]}` is granted to this key")
            await gateway.relay.record_refusal(caller, f"models {wanted[:60]}", head, refusal)
            raise refusal
        body = _body(dialect, granted, wanted)
        described = f"{dialect.name.partition('.')[0]}.models"
        act = Act(CAPABILITY, tuple(Target("model", name) for name in granted), caller.engagement.id, "", described)
        admission = await gateway.door.admit_async(caller, act, Circumstances(origin=head.origin))
        receipt = await gateway.door.conclude_async(admission, _outcome(body))
        await answer(send, 200, [JSON, (b"request-id", request_id.encode()), (HEADER, receipt_field(receipt))], body)
    except Refusal as refusal:
        await refuse(send, dialect, refusal, request_id)
    except GlasshouseError as error:
        await refuse(send, dialect, refusal_for(error), request_id)


async def unknown_route(gateway: Gateway, scope: Scope, send: Send) -> None:
    """The route table is closed: nothing is passed on, and a known caller's attempt is recorded."""
    dialect, request_id = dialect_of(scope), f"req_{fresh_hex(12)}"
    path = scope["path"][:200]
    refusal = Refusal("not_found", "gateway.route", f"there is no route {scope['method']} {path}")
    try:
        head = read_head(scope)
        caller = await gateway.relay.resolve(head.key)
        await gateway.relay.record_refusal(caller, f"route {path[:60]}", head, refusal)
    except Refusal as other:
        refusal = other
    await refuse(send, dialect, refusal, request_id)


def _granted(gateway: Gateway, caller: Caller, name: str) -> bool:
    act = Act(CAPABILITY, (Target("model", name),), caller.engagement.id)
    return not isinstance(gateway.door.decide(caller, act), Deny)


def _body(dialect: Dialect, granted: list[str], wanted: str) -> bytes:
    if dialect is _ANTHROPIC:
        return models.anthropic_one(wanted) if wanted else models.anthropic_list(granted)
    return models.openai_one(wanted) if wanted else models.openai_list(granted)


def _outcome(body: bytes) -> Outcome:
    import hashlib

    return Outcome("done", hashlib.sha256(body).hexdigest(), items=1, size_bytes=len(body))
