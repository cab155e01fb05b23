"""One worker of the gateway: what it holds open, and how it starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from glasshouse.door.door import Door
from glasshouse.gateway.acts.run import Acts
from glasshouse.gateway.limits.counters import Counters
from glasshouse.gateway.measures import Measures
from glasshouse.gateway.relay import Relay
from glasshouse.gateway.settings import GatewaySettings
from glasshouse.guard.misuse import Screener
from glasshouse.words.errors import GlasshouseError

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
        self.measures = Measures(self.registry, frozenset(settings.models))
        self.relay = Relay(self.door, settings, self.screener, self.counters, environ, self.measures)
        self.acts = Acts(door)
        self.draining = False
        _ = self.door.tables  # loaded now, not in the first request
        self._watch = asyncio.ensure_future(self.relay.watch())

    async def close(self) -> None:
        """Lets calls under way finish for as long as the settings allow, then stops them; each gets its outcome."""
        self.draining = True
        if not await self.relay.idle(self.settings.shutdown_s):
            self.relay.stop_all("the gateway shuts down")
            await self.relay.idle(STOP_S)
        await self.acts.close()
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        await self.relay.upstreams.close()
        self.counters.close()
        await asyncio.to_thread(self.door.close)

    def readiness(self) -> dict[str, str]:
        """What keeps this worker from serving, by part; ``ok`` where nothing does."""
        found = {"log": "ok", "policy": "ok", "register": "ok", "worker": "stopping" if self.draining else "ok"}
        for part, look in (("log", self.door.log.checkpoint), ("register", self.door.directory.halts)):
            try:
                look()
            except GlasshouseError as error:
                found[part] = error.code
        now = time.monotonic()
        for name, health in self.relay.upstreams.health.items():
            found[f"upstream:{name}"] = "unreachable" if health.is_down(now) else "ok"
        return found
