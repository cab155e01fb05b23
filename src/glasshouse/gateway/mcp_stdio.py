"""The MCP server of one local client, under the key in the environment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from glasshouse.door.door import Door
from glasshouse.gateway.acts.run import Acts
from glasshouse.words.errors import ConfigError, UsageError
from glasshouse.words.party import Caller

KEY = "GLASSHOUSE_KEY"


def serve_stdio(environ: Mapping[str, str]) -> None:
    """Serves until standard input ends."""
    key = environ.get(KEY, "")
    if not key:
        raise UsageError(f"{KEY} is not set", hint="Set it to a key whose engagement grants what the tools do.")
    try:
        from glasshouse.gateway.mcp_server import mcp_server
    except ImportError as error:
        raise ConfigError(f"MCP needs the extra `mcp`: {error}", hint="pip install 'glasshouse[mcp]'") from None

    async def main() -> None:
        with Door.open(environ) as door:
            door.resolve(key)

            async def resolve(headers: Mapping[str, str] | None) -> Caller:
                return door.directory.resolve(key, door.now())

            acts = Acts(door)
            try:
                await mcp_server(acts, resolve).run_stdio_async()
            finally:
                await acts.close()

    asyncio.run(main())
