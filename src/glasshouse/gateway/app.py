"""The ASGI application: the relay on its routes, everything else through Starlette."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route as Page

from glasshouse.door.door import Door
from glasshouse.gateway import asgi, listing, operations
from glasshouse.gateway.acts import pages as acts
from glasshouse.gateway.asgi import Receive, Scope, Send
from glasshouse.gateway.dialect.interface import STATUS
from glasshouse.gateway.dialect.registry import ROUTES
from glasshouse.gateway.gateway import MCP_PATH, Gateway
from glasshouse.gateway.intake import read_head
from glasshouse.gateway.measures import Lines
from glasshouse.gateway.refusals import Refusal
from glasshouse.gateway.settings import GatewaySettings, read_settings

CONFIG_VARIABLE = "GLASSHOUSE_GATEWAY_CONFIG"
"""How the serving process tells its workers which file to read."""


GARBAGE_AFTER = 10_000
"""So many objects more than before, and their garbage is collected; a call makes hundreds and frees nearly all."""


class Application:
    """The application of one worker, as a server of ASGI calls it."""

    def __init__(
        self,
        settings: GatewaySettings,
        environ: Mapping[str, str],
        open_door: Callable[[Mapping[str, str]], Door] = Door.open,
    ) -> None:
        self._settings, self._environ, self._open_door = settings, environ, open_door
        self.gateway: Gateway | None = None
        self.on_start: Callable[[], None] = lambda: None
        """Called once everything is loaded, before the first call."""
        self._pages = Starlette(routes=_pages())

    def drain(self) -> None:
        """Begins to end: the server tells so first, while calls are still under way."""
        if self.gateway is not None:
            self.gateway.drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        gateway = self.gateway
        if scope["type"] != "http" or gateway is None:
            return
        path, method = scope["path"], scope["method"]
        route = ROUTES.get(path)
        if route is not None and method == "POST":
            if scope.get("query_string") and not _harmless(scope["query_string"]):
                await listing.unknown_route(gateway, scope, send)
                return
            await gateway.relay.serve(route, scope, receive, send)
        elif method == "GET" and (path == listing.PATH or path.startswith(listing.PATH + "/")):
            await listing.list_models(gateway, scope, send)
        elif path == MCP_PATH and gateway.mcp is not None:
            await self._mcp(gateway, gateway.mcp, scope, receive, send)
        elif path in _OWN or path.startswith(_OWN_BELOW):
            scope["state"] = {**(scope.get("state") or {}), "gateway": gateway}
            await self._pages(scope, receive, send)
        else:
            await listing.unknown_route(gateway, scope, send)

    async def _mcp(self, gateway: Gateway, mcp: asgi.Application, scope: Scope, receive: Receive, send: Send) -> None:
        """The MCP application, behind a key."""
        try:
            await gateway.relay.resolve(read_head(scope).key)
        except Refusal as refusal:
            found = operations.problem(STATUS[refusal.kind], refusal.code, refusal.message)
            await found(scope, receive, send)
            return
        await mcp(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.gateway = Gateway(self._settings, self._environ, self._open_door(self._environ))
        except Exception as error:
            logging.getLogger("glasshouse.gateway").error("cannot start: %s", error, exc_info=error)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        async with self.gateway.mcp_running():
            self.on_start()
            screening = "compiled" if self.gateway.screener.compiled else "python"
            logging.getLogger("glasshouse.gateway").info("worker ready", extra={"fields": {"screening": screening}})
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.gateway.close()
        await send({"type": "lifespan.shutdown.complete"})


_OWN = frozenset(
    {"/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/acts", "/v1/engagement", "/v1/approvals", "/v1/halts"}
)
_OWN_BELOW = ("/v1/acts/", "/v1/receipts/")


def _pages() -> list[Page]:
    return [
        Page("/healthz", operations.healthz, methods=["GET"]),
        Page("/readyz", operations.readyz, methods=["GET"]),
        Page("/metrics", operations.metrics, methods=["GET"]),
        *acts.ROUTES,
    ]


def _harmless(query: bytes) -> bool:
    """Anthropic's clients mark beta requests in the query; nothing else is known there, and nothing is passed on."""
    return query == b"beta=true"


def application() -> Application:
    """What each worker process runs; the settings come from the file that the serving process named."""
    logger = logging.getLogger("glasshouse.gateway")
    logger.handlers[:] = [Lines()]
    logger.propagate = False
    logger.setLevel(os.environ.get("GLASSHOUSE_LOG", "INFO"))
    found = Application(read_settings(Path(os.environ[CONFIG_VARIABLE])), os.environ)
    found.on_start = _leave_loaded_alone
    return found


def _leave_loaded_alone() -> None:
    """What was loaded lives as long as the worker: looking through it for garbage would hold calls up for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])
