"""The closed table of relay routes.  What is not listed here is refused, never passed on."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import msgspec

from glasshouse.gateway.dialect.anthropic_messages import AnthropicCountTokens, AnthropicMessages
from glasshouse.gateway.dialect.interface import Dialect
from glasshouse.gateway.dialect.openai_chat import OpenAIChat
from glasshouse.gateway.dialect.openai_embeddings import OpenAIEmbeddings
from glasshouse.gateway.dialect.openai_responses import OpenAIResponses


class Route(msgspec.Struct, frozen=True):
    """A path that is relayed, to which path below an upstream's base address, in which dialect.

    ``family`` is the kind of upstream that serves it: ``anthropic`` or ``openai``.
    """

    path: str
    upstream_path: str
    family: str
    dialect: Dialect


_ALL: Final = (
    Route("/v1/messages", "/v1/messages", "anthropic", AnthropicMessages()),
    Route("/v1/messages/count_tokens", "/v1/messages/count_tokens", "anthropic", AnthropicCountTokens()),
    Route("/v1/chat/completions", "/chat/completions", "openai", OpenAIChat()),
    Route("/v1/responses", "/responses", "openai", OpenAIResponses()),
    Route("/v1/embeddings", "/embeddings", "openai", OpenAIEmbeddings()),
)
ROUTES: Final = MappingProxyType({route.path: route for route in _ALL})
"""Path -> route; all of them are POST."""
