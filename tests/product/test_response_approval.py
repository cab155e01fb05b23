"""From a log to a step carried out: plan, approval by other people at the door, connector, entries that verify."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from tests.product.test_door_commands import Machine
from tests.product.test_respond import EVENT
from tests.product.warm import Warm

from glasshouse.access import register
from glasshouse.access.engagement_file import read_engagement
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.party import Person

ENGAGEMENT = """\
id: {id}
organisation: acme
purpose: Respond to incidents on our own machines.
capabilities: [events.respond, response.execute]
tier: 3
starts: 2020-01-01
ends: 2090-01-01
scope: {{files: ["{folder}"], hosts: [ws1], records: ["*"]}}
approvals: [{{capabilities: [response.execute], needed: {needed}, lapses_after_s: {lapses}}}]
"""
DUMP = {
    **EVENT,
    "Image": "C:\\Windows\\System32\\rundll32.exe",
    "CommandLine": "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\temp\\lsass.dmp full",
    "ProcessGuid": "{11111111-0000-0000-0000-000000000002}",
    "ParentProcessGuid": EVENT["ProcessGuid"],
}
CONNECTORS = """\
[actions.default]
connector = "file"
folder = "{folder}/done"
[actions.terminate-process]
connector = "command"
argv = ["/bin/echo", "ending", "{{target}}"]
"""


ENGAGEMENTS = {"one": (1, 3600), "two": (2, 3600), "brief": (1, 1), "hook": (1, 3600)}
"""How many must agree, and after how many seconds a request lapses."""


class Team:
    """An organisation: an operator, two approvers, engagements that differ in approvals, a plan for one incident."""

    def __init__(self, folder: Path, warm: Warm) -> None:
        self.machine = Machine(folder, warm)
        self.folder, run = folder, self.machine.run
        run("access", "org", "apply", "acme", "--name", "Acme Ltd", "--country", "FR")
        self.machine.check_all_but("none")
        self._set_up()
        for name in ("bo", "cy"):
            run("access", "person", "key", name, "--new", f"{name}.key")
        self.keys = {name: self._key(name) for name in ENGAGEMENTS}
        (folder / "log.json").write_text(f"{json.dumps(EVENT)}\n{json.dumps(DUMP)}\n")
        (folder / "done").mkdir()
        (folder / "c.toml").write_text(CONNECTORS.format(folder=folder))
        run("respond", "log.json", "--plans", "plans", "-q", code=1, GLASSHOUSE_KEY=self.keys["one"])
        (self.plan,) = (folder / "plans").iterdir()
        shown = run("respond", "run", str(self.plan), "--connectors", "c.toml")
        self.titles = [line for line in shown.splitlines() if line[:1].isdigit()]

    def _set_up(self) -> None:
        """People and engagements in this process: what the commands for them do is tested with the door."""
        database = open_database(StorePlace(file=self.machine.home / "store.db"))
        tables = Tables(database)
        register.move_organisation(tables, "acme", "vet")
        register.add_person(tables, Person("ada", "acme", "ada", ("operator",)))
        for name in ("bo", "cy"):
            register.add_person(tables, Person(name, "acme", name, ("approver",)))
        for name, (needed, lapses) in ENGAGEMENTS.items():
            file = self.folder / f"{name}.yaml"
            file.write_text(ENGAGEMENT.format(id=name, folder=self.folder, needed=needed, lapses=lapses))
            register.draft(tables, read_engagement(file))
            for event in ("request", "activate"):
                register.move_engagement(tables, name, event)
        database.close()

    def _key(self, engagement: str) -> str:
        """A key of the operator for it."""
        issued = self.machine.run("access", "key", "issue", "ada", "--engagement", engagement)
        return next(line for line in issued.splitlines() if "glh_" in line)

    def execute(self, title: str, engagement: str, code: int) -> str:
        """What the command says about the step with this title, under an engagement."""
        number = next(line.partition(".")[0] for line in self.titles if title in line)
        arguments = ("respond", "run", str(self.plan), "--execute", "--step", number, "--connectors", "c.toml")
        return self.machine.run(*arguments, code=code, GLASSHOUSE_KEY=self.keys[engagement])

    def hooked(self, code: int, *steps: int) -> str:
        """What the command says about steps that go to webhooks."""
        numbers = [each for number in steps for each in ("--step", str(number))]
        arguments = ("respond", "run", str(self.plan), "--execute", *numbers, "--connectors", "hooks.toml")
        return self.machine.run(*arguments, code=code, GLASSHOUSE_KEY=self.keys["hook"], HOOK_SECRET="between us")

    def asked(self, title: str, engagement: str) -> str:
        """The id of the request that executing a step makes while nobody has agreed."""
        said = self.execute(title, engagement, 5)
        assert "waits" in said
        (request,) = re.findall(r"as request ([0-9a-f]+)", said)
        return str(request)

    def requests(self, state: str, engagement: str) -> list[str]:
        """The ids of the requests in a state."""
        told = json.loads(self.machine.run("approvals", "--state", state, "--format", "json").rpartition("]")[0] + "]")
        return [each["terms"]["id"] for each in told if each["terms"]["act"]["engagement"] == engagement]

    def decide(self, verb: str, request: str, person: str, *more: str, code: int = 0) -> str:
        """One vote with the person's Ed25519 key file."""
        return self.machine.run(verb, request, "--as", person, "--key", f"{person}.key", "--yes", *more, code=code)

    def executed(self) -> int:
        """How many executions the log records."""
        return self.machine.kinds().count("response.executed")

    def written(self) -> list[Path]:
        """What the file connector was given."""
        return sorted((self.folder / "done").iterdir())


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One organisation for all tests; each takes steps and requests of its own."""
    with Warm(tmp_path_factory.mktemp("warm") / "commands") as warm:
        yield Team(tmp_path_factory.mktemp("team"), warm)


def test_a_reversible_step_is_carried_out_once_after_another_person_agreed(team: Team) -> None:
    before = team.executed()
    assert not team.written()  # the dry run that showed the plan did nothing
    request = team.asked("Collect memory", "one")
    assert team.requests("waiting", "one") == [request]
    assert not team.written()
    team.decide("approve", request, "bo")
    assert "done by file" in team.execute("Collect memory", "one", code=0)
    (written,) = team.written()
    assert "collect-evidence" in written.read_text()
    assert "done before" in team.execute("Collect memory", "one", code=0)
    assert request in team.requests("used", "one")
    assert team.executed() == before + 1
    assert "holds" in team.machine.run("verify", str(team.machine.home / "ledger"))
    last = max((team.machine.home / "receipts").iterdir(), key=lambda each: int(each.stem))
    assert "holds" in team.machine.run("verify", str(last))


def test_a_step_that_cannot_be_taken_back_needs_two_people(team: Team) -> None:
    before = team.executed()
    request = team.asked("End the process", "two")
    team.decide("approve", request, "bo")
    assert "waits" in team.execute("End the process", "two", code=5)
    assert team.executed() == before
    team.decide("approve", request, "cy")
    assert "done by command" in team.execute("End the process", "two", code=0)
    assert team.executed() == before + 1


def test_an_engagement_that_asks_for_one_approval_cannot_lower_what_the_plan_demands(team: Team) -> None:
    before = team.executed()
    team.decide("approve", team.asked("Set new secrets for eve", "one"), "bo")
    assert "needs 2 approvals and has 1" in team.execute("Set new secrets for eve", "one", code=3)
    assert team.executed() == before


def test_a_denied_step_is_not_carried_out(team: Team) -> None:
    before, written = team.executed(), team.written()
    request = team.asked("Cut ws1 off", "one")
    team.decide("deny", request, "cy", "--reason", "the host is a decoy")
    assert request in team.requests("denied", "one")
    again = team.asked("Cut ws1 off", "one")
    assert again != request
    assert (team.executed(), team.written()) == (before, written)


def test_a_request_that_nobody_decided_lapses_and_its_approval_comes_too_late(team: Team) -> None:
    before = team.executed()
    request = team.asked("Cut ws1 off", "brief")
    end = time.monotonic() + 60
    while request not in team.requests("lapsed", "brief"):
        assert time.monotonic() < end
    team.decide("approve", request, "bo", code=2)
    assert team.executed() == before


class _Hook(BaseHTTPRequestHandler):
    """Answers by path; remembers what it was sent."""

    seen: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []
    stopped = threading.Event()

    def do_POST(self) -> None:
        self.seen.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        match self.path:
            case "/slow":
                self._drip()
            case "/away":
                self._answer(307, b"", f"http://{self.headers['Host']}/fine")
            case "/busy":
                self._answer(503, b"come back later")
            case _:
                self._answer(200, b"isolated " * 1_000_000)

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # who asked has read enough
            self.wfile.write(body)

    def _drip(self) -> None:
        """Never ends: a byte now and then keeps every single read from timing out."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.stopped.wait(0.05):
                self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hook() -> Iterator[str]:
    """The address of a receiver that serves each caller in a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    _Hook.stopped.set()
    server.shutdown()
    server.server_close()
    thread.join()


def _refusing() -> str:
    """The address of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def _webhooks(team: Team, receivers: dict[str, str]) -> None:
    """Connector settings that send each action somewhere else."""
    tables = (
        f'[actions.{action}]\nconnector = "webhook"\nurl = "{url}"\nsecret_env = "HOOK_SECRET"\ntimeout_s = 0.5\n'
        for action, url in receivers.items()
    )
    (team.folder / "hooks.toml").write_text("".join(tables))


def _agreed(team: Team, *steps: int) -> None:
    """Somebody agrees to these steps."""
    said = team.hooked(5, *steps)
    requests = re.findall(r"as request ([0-9a-f]+)", said)
    assert len(requests) == len(steps)
    for each in requests:
        team.decide("approve", each, "bo")


def test_only_a_receiver_that_says_yes_in_time_makes_a_step_done(team: Team, hook: str) -> None:
    before = team.executed()
    _webhooks(team, {"isolate-host": f"{hook}/away", "disable-account": f"{hook}/slow", "revoke-sessions": _refusing()})
    _agreed(team, 1, 2, 3)
    assert "HTTP 307" in team.hooked(5, 1)
    assert "not within 0.5 s" in team.hooked(5, 2)
    assert "ConnectionRefusedError" in team.hooked(5, 3)
    assert [path for path, _, _ in _Hook.seen] == ["/away", "/slow"]  # the redirect was not followed
    _webhooks(team, {"isolate-host": f"{hook}/busy", "revoke-sessions": f"{hook}/fine"})
    _agreed(team, 1, 3)  # what failed needs people again
    assert "HTTP 503: come back later" in team.hooked(5, 1)
    done = team.hooked(0, 3)
    assert "done by webhook: End every session of eve (HTTP 200" in done
    assert len(done) < 1_000  # the receiver sent nine megabytes
    path, headers, body = _Hook.seen[-1]
    signature = hmac.new(b"between us", body, hashlib.sha256).hexdigest()
    assert (path, headers["X-Glasshouse-Signature"]) == ("/fine", f"sha256={signature}")
    assert json.loads(body)["step"]["target"]["name"] == "eve"
    assert team.executed() == before + 3  # three receivers answered, one of them with yes
    assert "done before" in team.hooked(0, 3)
