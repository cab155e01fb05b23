"""Connectors: no shell, no options smuggled in by a name, nothing done twice, every answer bounded."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from tests.unit.respond.examples import incident

from glasshouse.respond.connect.command import CommandConnector
from glasshouse.respond.connect.file import FileConnector
from glasshouse.respond.connect.interface import MAX_DETAIL, Connector
from glasshouse.respond.connect.registry import connector_for, connectors
from glasshouse.respond.connect.webhook import WebhookConnector
from glasshouse.respond.plan.planner import plan_for
from glasshouse.words.errors import ConfigError, ConnectorError
from glasshouse.words.incident import Entity
from glasshouse.words.plan import ApprovedStep

NOW = 1_750_000_000


def approved(name: str = "ws1") -> ApprovedStep:
    """An approved step with a target of this name."""
    step = plan_for(incident(), NOW).steps[0]
    return ApprovedStep(msgspec.structs.replace(step, target=Entity("host", name)), "req", 1, 7)


class _Hook(BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[dict[str, str], bytes]]] = []
    status = 200

    def do_POST(self) -> None:
        self.seen.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(b"x" * 10_000)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    """A server that remembers what it was sent."""
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    _Hook.seen.clear()
    _Hook.status = 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_the_signed_step_and_its_answer_is_bounded(hook: HTTPServer) -> None:
    connector = WebhookConnector(f"http://127.0.0.1:{hook.server_port}/hook?x=1", b"secret")
    result = connector.carry_out(approved())
    headers, body = _Hook.seen[0]
    assert result.done
    assert len(result.detail) <= MAX_DETAIL + 20
    assert json.loads(body)["step"]["target"]["name"] == "ws1"
    assert headers["X-Glasshouse-Signature"] == f"sha256={hmac.new(b'secret', body, hashlib.sha256).hexdigest()}"
    assert headers["Idempotency-Key"] == approved().step.id


def test_a_redirect_is_not_followed_and_counts_as_failure(hook: HTTPServer) -> None:
    _Hook.status = 302
    assert not WebhookConnector(f"http://127.0.0.1:{hook.server_port}/").carry_out(approved()).done
    assert len(_Hook.seen) == 1


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "https://u:p@example.com/", "nonsense"])
def test_a_webhook_needs_https_and_carries_no_credentials_in_its_address(url: str) -> None:
    with pytest.raises(ConnectorError):
        WebhookConnector(url)


def test_a_command_gets_the_name_as_one_argument_and_no_shell() -> None:
    connector = CommandConnector(("/usr/bin/printf", "%s|", "{target}", "{action}"))
    assert connector.carry_out(approved("a b(c)")).detail == "exit status 0: a b(c)|collect-evidence|"


def test_a_command_that_fails_or_hangs_says_so() -> None:
    assert not CommandConnector(("/bin/false",)).carry_out(approved()).done
    with pytest.raises(ConnectorError, match="did not end"):
        CommandConnector(("/usr/bin/tail", "-f", "/dev/null"), timeout_s=0.1).carry_out(approved())


def test_the_environment_does_not_reach_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "swordfish")
    assert "swordfish" not in CommandConnector(("/usr/bin/env",)).carry_out(approved()).detail


@pytest.mark.parametrize("argv", [(), ("relative",), ("/bin/{target}",)])
def test_a_command_is_named_by_an_absolute_path_that_no_log_can_change(argv: tuple[str, ...]) -> None:
    with pytest.raises(ConnectorError):
        CommandConnector(argv)


def test_a_file_is_written_once(tmp_path: Path) -> None:
    connector = FileConnector(tmp_path)
    first, second = connector.carry_out(approved()), connector.carry_out(approved())
    assert first.done
    assert "was there already" in second.detail
    assert [each.name for each in tmp_path.iterdir()] == [f"{approved().step.id}.json"]


@pytest.mark.parametrize("name", ["-rf", "@file", "a\nb", "a;b", "$(id)`x`", "x" * 400, "a\x1b[2J"])
@pytest.mark.parametrize("kind", ["file", "command"])
def test_a_name_that_could_be_read_as_something_else_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    connector: Connector = FileConnector(tmp_path) if kind == "file" else CommandConnector(("/bin/true", "{target}"))
    with pytest.raises(ConnectorError, match="not one that a connector may pass on"):
        connector.carry_out(approved(name))
    assert list(tmp_path.iterdir()) == []


def test_connectors_come_from_settings_and_wrong_ones_are_named(tmp_path: Path) -> None:
    place = tmp_path / "connectors.toml"
    assert connectors(place, {}) == {}
    place.write_text(f'[actions.default]\nconnector = "file"\nfolder = "{tmp_path}"\n')
    known = connectors(place, {})
    assert isinstance(connector_for(known, "isolate-host"), FileConnector)
    for wrong in (
        '[actions.x]\nconnector = "shell"\n',
        '[actions.x]\nconnector = "file"\nfolder = 3\n',
        '[actions.x]\nconnector = "webhook"\nurl = "https://h/"\nsecret_env = "UNSET"\n',
        "not toml",
    ):
        place.write_text(wrong)
        with pytest.raises(ConfigError):
            connectors(place, {})
