"""``glasshouse serve``: checks what can be checked, then lets Granian run the workers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from glasshouse.door.home import Home, find_home
from glasshouse.gateway.app import CONFIG_VARIABLE
from glasshouse.gateway.operations import SHARED_METRICS
from glasshouse.gateway.settings import GatewaySettings, upstream_key
from glasshouse.ledger import Ledger
from glasshouse.words.errors import ConfigError

HEADER_TIMEOUT_MS = 10_000
MAX_HEAD_BYTES = 65_536


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
    metrics = home.folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    os.environ[SHARED_METRICS] = str(metrics)
    os.environ[CONFIG_VARIABLE] = str(config.absolute())
    ledger = Ledger.open(home.log) if settings.workers > 1 else None
    try:
        _granian(settings)
    finally:
        if ledger is not None:
            ledger.close()
        shutil.rmtree(metrics, ignore_errors=True)


def _granian(settings: GatewaySettings) -> None:
    import multiprocessing

    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    # A forked worker would share this process's locks and database handles.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "glasshouse.gateway.app:application",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=MAX_HEAD_BYTES),
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=settings.shutdown_s + 10,
        ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key else None,
        log_level=LogLevels.warning,
    )
    print(f"glasshouse: serving on {settings.host}:{settings.port}", file=sys.stderr, flush=True)  # noqa: T201
    server.serve()
