"""``webhook``: one signed JSON message to an HTTPS address of the operator's choosing."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from glasshouse.respond.connect.interface import MAX_DETAIL, TIMEOUT_S, safe_name
from glasshouse.words.errors import ConnectorError
from glasshouse.words.plan import ApprovedStep, StepResult

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class WebhookConnector:
    """POSTs the step; 2xx is success, redirects are not followed.

    With a secret the body is signed: ``X-Glasshouse-Signature: sha256=<HMAC-SHA256 of the body in hex>``.  The header
    ``Idempotency-Key`` is the step's id.  The exchange ends within ``timeout_s``, however slowly the answer comes.
    """

    name = "webhook"

    def __init__(self, url: str, secret: bytes = b"", timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in LOCAL
        if not parts.hostname or (parts.scheme != "https" and not plain):
            raise ConnectorError("url must be https (or http to this machine)", hint="Fix connectors.toml.")
        if parts.username or parts.password:
            raise ConnectorError("url must carry no credentials", hint="Use `secret_env` in connectors.toml.")
        self._parts, self._secret, self._timeout_s = parts, secret, timeout_s

    def describe(self, approved: ApprovedStep) -> str:
        """Where the message would go."""
        return f"POST {self._parts.scheme}://{self._parts.netloc}{self._parts.path} for {safe_name(approved)}"

    def carry_out(self, approved: ApprovedStep) -> StepResult:
        """Sends the message."""
        safe_name(approved)
        body = msgspec.json.encode(approved)
        headers = {"Content-Type": "application/json", "Idempotency-Key": approved.step.id}
        if self._secret:
            headers["X-Glasshouse-Signature"] = f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"
        connection, late = self._connection(), threading.Event()
        clock = threading.Timer(self._timeout_s, _cut, (connection, late))
        clock.daemon = True
        clock.start()
        try:
            path = self._parts.path or "/"
            connection.request("POST", f"{path}?{self._parts.query}" if self._parts.query else path, body, headers)
            answer = connection.getresponse()
            text = answer.read(MAX_DETAIL).decode("utf-8", "replace")
        except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: closed while it was read
            said = f"not within {self._timeout_s:g} s" if late.is_set() else f"{type(error).__name__}: {error}"
            raise ConnectorError(f"no answer: {said}", where=approved.step.id) from error
        finally:
            clock.cancel()
            connection.close()
        if late.is_set():
            raise ConnectorError(f"no answer: not within {self._timeout_s:g} s", where=approved.step.id)
        return StepResult(approved.step.id, self.name, 200 <= answer.status < 300, f"HTTP {answer.status}: {text}")

    def _connection(self) -> http.client.HTTPConnection:
        host = self._parts.hostname or ""
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, self._parts.port, timeout=self._timeout_s)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, self._parts.port, timeout=self._timeout_s, context=context)


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """Ends an exchange that takes too long; a timeout of the socket alone allows a byte at a time for ever."""
    late.set()
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
