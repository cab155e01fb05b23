"""Runs the console with uvicorn, on the loopback address alone."""

from __future__ import annotations

from collections.abc import MutableMapping

from glasshouse.console.app import ORIGIN, TOKEN
from glasshouse.door.home import find_home
from glasshouse.gateway.wire.listening import LISTENING

SHUTDOWN_S = 3


def serve(environ: MutableMapping[str, str], token: str, port: int) -> None:
    """Serves until a signal ends it."""
    import uvicorn

    find_home(environ)  # a home that cannot record is an error before anything is served
    environ[TOKEN], environ[ORIGIN] = token, f"http://localhost:{port}"
    uvicorn.run(
        "glasshouse.console.app:application",
        host="127.0.0.1",
        port=port,
        http="httptools",
        timeout_graceful_shutdown=SHUTDOWN_S,
        **LISTENING,
    )
