"""A witness over HTTP: ``POST /add-checkpoint`` and ``GET /<hash of the origin>/checkpoint``."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

from glasshouse.ledger.audit.notes import Key, is_key_name
from glasshouse.ledger.committer import now_ms
from glasshouse.ledger.keys import WITNESS_KINDS, new_signers, read_signers, write_signers
from glasshouse.ledger.witness import MAX_REQUEST_BYTES, Response, Witness
from glasshouse.words.errors import UsageError

TIMEOUT_S = 10
MAX_CONNECTIONS = 64
_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; a bounded number of connections at a time."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handles a connection in a thread of its own, or drops it when too many are open."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handles a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A client that went away is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "glasshouse-witness"
    sys_version = ""
    timeout = TIMEOUT_S
    server: WitnessServer

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length, re.ASCII) or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._answer(Response(413, f"a request states its length, at most {MAX_REQUEST_BYTES} bytes\n"))
            return
        data = self.rfile.read(int(length))
        if self.path == "/add-checkpoint":
            self._answer(self.server.witness.add_checkpoint(data))
        else:
            self._answer(Response(404, "POST goes to /add-checkpoint\n"))

    def do_GET(self) -> None:
        match = _CHECKPOINT.fullmatch(self.path)
        self._answer(self.server.witness.checkpoint(match[1]) if match else Response(404, "nothing here\n"))

    def _answer(self, response: Response) -> None:
        data = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
        """Requests are not logged: the state says what was cosigned."""


def start_witness(directory: Path, name: str | None, logs: tuple[Key, ...], address: tuple[str, int]) -> WitnessServer:
    """A witness with its state and keys in a directory, ready to serve; keys are made when there are none."""
    file = directory / "witness.key"
    if not file.exists():
        if name is None or not is_key_name(name):
            raise UsageError("a new witness needs a name without space and `+`", hint="Give --name NAME.")
        write_signers(file, new_signers(name, WITNESS_KINDS))
    keys = read_signers(file)
    if name is not None and name != keys[0].key.name:
        raise UsageError(f"this witness is {keys[0].key.name!r}, not {name!r}", where=str(file))
    witness = Witness(directory, keys, logs, now_ms)
    try:
        return WitnessServer(address, witness)
    except OSError as error:
        witness.close()
        raise UsageError(f"cannot listen on {address[0]}:{address[1]} ({error.strerror})") from None
