"""``glasshouse serve``: checks what can be checked, then lets uvicorn run the workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from glasshouse.door.home import Home, find_home
from glasshouse.gateway.app import CONFIG_VARIABLE
from glasshouse.gateway.operations import SHARED_METRICS
from glasshouse.gateway.settings import GatewaySettings, upstream_key
from glasshouse.ledger import Ledger
from glasshouse.words.errors import ConfigError

BACKLOG = 2048
"""Connections that wait until a worker takes them."""


def check(settings: GatewaySettings, environ: Mapping[str, str]) -> Home:
    """The home that would be served from; an error for everything that would fail later."""
    for name, upstream in settings.upstreams.items():
        upstream_key(name, upstream, environ)
    for setting, name in (("tls_certificate", settings.tls_certificate), ("tls_key", settings.tls_key)):
        if name and not os.access(name, os.R_OK):
            raise ConfigError(f"[gateway] `{setting}` cannot be read", where=name)
    return find_home(environ)


def serve(config: Path, settings: GatewaySettings, environ: Mapping[str, str]) -> None:
    """Serves until a signal ends it.  With several workers this process writes the log for all of them."""
    home = check(settings, environ)
    with listen(settings.host, settings.port) as listener:
        _serve(config, settings, home, listener)


def _serve(config: Path, settings: GatewaySettings, home: Home, listener: socket.socket) -> None:
    metrics = home.folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    os.environ.pop(SHARED_METRICS, None)  # one worker counts in memory
    if settings.workers > 1:
        metrics.mkdir(mode=0o700)
        os.environ[SHARED_METRICS] = str(metrics)
    os.environ[CONFIG_VARIABLE] = str(config.absolute())
    ledger = Ledger.open(home.log) if settings.workers > 1 else None
    try:
        _run(settings, listener)
    finally:
        if ledger is not None:
            ledger.close()
        shutil.rmtree(metrics, ignore_errors=True)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; `ConfigError` when it cannot."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as closing:
            listener = closing.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)  # who connects from here on waits for the first worker
            closing.pop_all()
    except OSError as error:
        hint = "Choose another address or port, or end what listens there."
        raise ConfigError(f"cannot listen: {error.strerror}", where=f"{host}:{port}", hint=hint) from None
    listener.set_inheritable(True)
    return listener


def _run(settings: GatewaySettings, listener: socket.socket) -> None:
    """Runs one worker here, or several as processes of their own."""
    from uvicorn import Config, Server
    from uvicorn.supervisors import Multiprocess

    from glasshouse.gateway.wire.listening import LISTENING
    from glasshouse.gateway.wire.server import Connection

    server = Config(
        "glasshouse.gateway.app:application", interface="asgi3", lifespan="on", workers=settings.workers,
        http=Connection, backlog=BACKLOG, ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None, **LISTENING,
    )  # fmt: skip
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn sends itself once more what it was ended by
        signal.signal(number, lambda *_: None)
    port = listener.getsockname()[1]
    print(f"glasshouse: serving on {settings.host}:{port}", file=sys.stderr, flush=True)  # noqa: T201
    if settings.workers == 1:
        Server(server).run([listener])
    else:
        Multiprocess(server, [listener]).run()
