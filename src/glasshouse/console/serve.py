"""Runs the console with Granian, on the loopback address alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import MutableMapping

from glasshouse.console.app import ORIGIN, TOKEN
from glasshouse.door.home import find_home


def serve(environ: MutableMapping[str, str], token: str, port: int) -> None:
    """Serves until a signal ends it."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    find_home(environ)  # a home that cannot record is an error before anything is served
    environ[TOKEN], environ[ORIGIN] = token, f"http://localhost:{port}"
    multiprocessing.set_start_method("spawn", force=True)  # a forked worker would share locks and database handles
    Granian(
        "glasshouse.console.app:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        factory=True,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
