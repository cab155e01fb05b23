"""Where `glasshouse serve` listens."""

from __future__ import annotations

import socket

import pytest

from glasshouse.gateway.serve import listen
from glasshouse.words.errors import ConfigError


def test_who_connects_before_a_worker_runs_waits_for_it() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname(), timeout=10) as client:
        client.sendall(b"early")
        taken, _ = listener.accept()
        with taken:
            assert taken.recv(5) == b"early"


def test_an_address_that_another_listens_on_is_an_error_of_the_configuration() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match="cannot listen") as caught:
            listen("127.0.0.1", port)
    assert caught.value.where == f"127.0.0.1:{port}"
