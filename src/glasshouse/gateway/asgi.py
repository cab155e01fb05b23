"""The types of ASGI, and answers made of bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
OnGone = Callable[[Callable[[], None]], None]
Headers = list[tuple[bytes, bytes]]

ON_GONE = "glasshouse.on_gone"
"""Key of a scope: takes a function to call when the caller has gone, which saves a task that waits for it."""
JSON = (b"content-type", b"application/json")


async def answer(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    """Sends a whole answer."""
    every = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body, "more_body": False})
