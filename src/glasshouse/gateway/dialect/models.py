"""The list of models in the two dialects' shapes; answered from the configuration, nothing is asked upstream."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

OWNER = "glasshouse"
CREATED = 0
CREATED_TEXT = "1970-01-01T00:00:00Z"
"""Nobody but the upstream knows when a model was made; both dialects demand a date."""


def openai_list(names: Sequence[str]) -> bytes:
    """``GET /v1/models`` as OpenAI answers it."""
    return msgspec.json.encode({"object": "list", "data": [_openai(name) for name in names]})


def openai_one(name: str) -> bytes:
    """``GET /v1/models/{model}`` as OpenAI answers it."""
    return msgspec.json.encode(_openai(name))


def anthropic_list(names: Sequence[str]) -> bytes:
    """``GET /v1/models`` as Anthropic answers it, in one page."""
    first, last = (names[0], names[-1]) if names else (None, None)
    data = [_anthropic(name) for name in names]
    return msgspec.json.encode({"data": data, "has_more": False, "first_id": first, "last_id": last})


def anthropic_one(name: str) -> bytes:
    """``GET /v1/models/{model}`` as Anthropic answers it."""
    return msgspec.json.encode(_anthropic(name))


def _openai(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": OWNER}


def _anthropic(name: str) -> dict[str, object]:
    return {"type": "model", "id": name, "display_name": name, "created_at": CREATED_TEXT}
