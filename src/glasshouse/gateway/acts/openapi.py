"""The OpenAPI 3.1 document of the capability API, made from the types that check its requests."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from glasshouse import __version__
from glasshouse.gateway.acts.journal import ActRecord
from glasshouse.gateway.acts.work import WORKS
from glasshouse.words.halt import COHORT_KINDS, Halt

_REF = "#/components/schemas/{name}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What is wrong."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; see the list of errors."},
        "detail": {"type": "string", "description": "Where, and what to do next."},
    },
}
_AFTER = {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}}
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1_000}}
_ACT = {"name": "act", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^act-[0-9a-f]{24}$"}}


@functools.cache
def document() -> dict[str, Any]:
    """The document."""
    inputs = [work.input for work in WORKS.values()]
    _, schemas = msgspec.json.schema_components([*inputs, ActRecord, Halt], ref_template=_REF)
    schemas |= {"Problem": _PROBLEM, "NewAct": _new_act(), "NewHalt": _new_halt()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Glasshouse",
            "version": __version__,
            "description": "Scan, respond and forecast under an engagement; every act is recorded.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"key": []}],
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "responses": {
                "Problem": {
                    "description": "An error (RFC 9457).",
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
            },
        },
        "paths": _paths(),
    }


def _paths() -> dict[str, Any]:
    act, listed = _ref("ActRecord"), {"type": "object"}
    return {
        "/v1/acts": {
            "post": _operation("startAct", "Ask for an act", {"200": act, "202": act}, body=_ref("NewAct")),
            "get": _operation("listActs", "The engagement's acts", {"200": listed}, [_AFTER, _LIMIT]),
        },
        "/v1/acts/{act}": {"get": _operation("showAct", "How an act stands", {"200": act}, [_ACT])},
        "/v1/acts/{act}/results": {
            "get": _operation("showResults", "A page of results", {"200": listed}, [_ACT, _AFTER, _LIMIT])
        },
        "/v1/acts/{act}/events": {
            "get": _operation("followAct", "Results as they come", {"200": None}, [_ACT], media="text/event-stream")
        },
        "/v1/receipts/{index}": {
            "get": _operation(
                "showReceipt", "The proof of an entry of this key", {"200": {"type": "string"}}, [_index()],
                media="text/plain",
            )
        },
        "/v1/engagement": {"get": _operation("showEngagement", "What the key grants", {"200": listed})},
        "/v1/approvals": {"get": _operation("listApprovals", "What waits for approval", {"200": listed})},
        "/v1/halts": {
            "get": _operation("listHalts", "Halts that concern this key", {"200": listed}),
            "post": _operation("orderHalt", "Stop at once", {"201": _ref("Halt")}, body=_ref("NewHalt")),
        },
    }  # fmt: skip


def _operation(
    name: str,
    summary: str,
    answers: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
    media: str = "application/json",
) -> dict[str, Any]:
    responses: dict[str, Any] = {
        status: {"description": summary, "content": {media: {"schema": schema} if schema is not None else {}}}
        for status, schema in answers.items()
    }
    for status in ("400", "401", "403", "404", "422", "429", "503"):
        responses[status] = {"$ref": "#/components/responses/Problem"}
    operation: dict[str, Any] = {"operationId": name, "summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        responses["413"] = {"$ref": "#/components/responses/Problem"}
    return operation


def _new_act() -> dict[str, Any]:
    """A capability with the input that it takes."""
    kinds = [
        {
            "type": "object",
            "title": work.title,
            "required": ["capability", "input"],
            "additionalProperties": False,
            "properties": {"capability": {"const": name}, "input": _ref(work.input.__name__)},
        }
        for name, work in WORKS.items()
    ]
    return {"oneOf": kinds}


def _new_halt() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", "reason"],
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": list(COHORT_KINDS)},
            "reason": {"type": "string"},
            "value": {"type": "string"},
        },
    }


def _index() -> dict[str, Any]:
    return {"name": "index", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
