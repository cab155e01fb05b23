"""One worker of the gateway: what it holds open, and how it starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from glasshouse.door.door import Door
from glasshouse.gateway.acts.run import Acts
from glasshouse.gateway.asgi import Application
from glasshouse.gateway.intake import read_head
from glasshouse.gateway.limits.counters import Counters
from glasshouse.gateway.measures import Measures
from glasshouse.gateway.relay import Relay
from glasshouse.gateway.settings import GatewaySettings
from glasshouse.gateway.telemetry import open_telemetry
from glasshouse.guard.misuse import Screener
from glasshouse.words.errors import ConfigError, GlasshouseError, PolicyError
from glasshouse.words.party import Caller

if TYPE_CHECKING:
    from mcp.server import MCPServer

MCP_PATH = "/mcp"

STOP_S = 5.0
"""What stopped calls get to record their outcome."""


class Gateway:
    """Everything a worker serves with.  Made inside the event loop; `close` waits for calls under way."""

    def __init__(self, settings: GatewaySettings, environ: Mapping[str, str], door: Door) -> None:
        self.settings, self.door = settings, door
        self.screener = Screener.load()
        self.screener.score("The first text loads what scoring needs.")
        self.counters = Counters(self.door.home.folder / "limits")
        self.registry = CollectorRegistry()
        telemetry = open_telemetry(settings.otlp_endpoint) if settings.otlp_endpoint else None
        self.measures = Measures(self.registry, frozenset(settings.models), telemetry)
        self.relay = Relay(self.door, settings, self.screener, self.counters, environ, self.measures)
        self.acts = Acts(door)
        self.mcp: Application | None = None
        """The MCP application, while `mcp_running`."""
        self.draining = False
        self._drain: asyncio.Task[None] | None = None
        with contextlib.suppress(PolicyError):  # every decision will say so, until the policies are mended
            self.door.warm()
        self._watches = [asyncio.ensure_future(each) for each in (self.relay.watch(), self.relay.upstreams.watch())]

    def _mcp_server(self) -> MCPServer[None] | None:
        """The MCP server, if the settings ask for it."""
        if not self.settings.mcp:
            return None
        try:
            from glasshouse.gateway.mcp_server import mcp_server
        except ImportError as error:
            raise ConfigError(
                f"[gateway] `mcp` needs the extra: {error}", hint="pip install 'glasshouse[mcp]'"
            ) from None

        async def resolve(headers: Mapping[str, str] | None) -> Caller:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
            return await self.relay.resolve(read_head({"headers": raw}).key)

        return mcp_server(self.acts, resolve)

    @contextlib.asynccontextmanager
    async def mcp_running(self) -> AsyncIterator[None]:
        """The MCP server's own life, around the application's."""
        server = self._mcp_server()
        if server is None:
            yield
            return
        from glasshouse.gateway.mcp_server import http_application

        self.mcp = http_application(server)
        async with server.session_manager.run():
            yield

    def drain(self) -> None:
        """Lets calls under way finish for as long as the settings allow, then stops them; each gets its outcome."""
        if self._drain is None:
            self.draining = True
            self._drain = asyncio.ensure_future(self._drained())

    async def _drained(self) -> None:
        if not await self.relay.idle(self.settings.shutdown_s):
            self.relay.stop_all("the gateway shuts down")
            await self.relay.idle(STOP_S)

    async def close(self) -> None:
        """Drains, then lets go of everything."""
        self.drain()
        assert self._drain is not None
        await self._drain
        await self.acts.close()
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        self.relay.upstreams.close()
        self.relay.settle()
        self.counters.close()
        await asyncio.to_thread(self.measures.close)
        await asyncio.to_thread(self.door.close)

    def readiness(self) -> dict[str, str]:
        """What keeps this worker from serving, by part; ``ok`` where nothing does."""
        found = {"log": "ok", "policy": "ok", "register": "ok", "worker": "stopping" if self.draining else "ok"}
        for part, look in (("log", self.door.log.checkpoint), ("register", self.door.directory.halts)):
            try:
                look()
            except GlasshouseError as error:
                found[part] = error.code
        for name, health in self.relay.upstreams.health.items():
            found[f"upstream:{name}"] = health.word
        return found
