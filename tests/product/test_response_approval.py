"""From a log to a step carried out: plan, approval by other people at the door, connector, entries that verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.product.test_door_commands import Machine
from tests.product.test_respond import EVENT

from glasshouse.access import register
from glasshouse.access.engagement_file import read_engagement
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables

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


class Team:
    """An organisation: an operator, two approvers, engagements that differ in approvals, a plan for one incident."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder)
        self.folder, run = folder, self.machine.run
        run("access", "org", "apply", "acme", "--name", "Acme Ltd", "--country", "FR")
        self.machine.check_all_but("none")
        run("access", "org", "vet", "acme")
        for name, role in (("ada", "operator"), ("bo", "approver"), ("cy", "approver")):
            run("access", "person", "add", name, "--organisation", "acme", "--name", name, "--role", role)
            if role == "approver":
                run("access", "person", "key", name, "--new", f"{name}.key")
        self.keys = {
            "one": self._engagement("one", 1, 3600),
            "two": self._engagement("two", 2, 3600),
            "brief": self._engagement("brief", 1, 1),
        }
        (folder / "log.json").write_text(f"{json.dumps(EVENT)}\n{json.dumps(DUMP)}\n")
        (folder / "done").mkdir()
        (folder / "c.toml").write_text(CONNECTORS.format(folder=folder))
        run("respond", "log.json", "--plans", "plans", "-q", code=1, GLASSHOUSE_KEY=self.keys["one"])
        (self.plan,) = (folder / "plans").iterdir()
        shown = run("respond", "run", str(self.plan), "--connectors", "c.toml")
        self.titles = [line for line in shown.splitlines() if line[:1].isdigit()]

    def _engagement(self, name: str, needed: int, lapses: int) -> str:
        """Its key."""
        file, run = self.folder / f"{name}.yaml", self.machine.run
        file.write_text(ENGAGEMENT.format(id=name, folder=self.folder, needed=needed, lapses=lapses))
        database = open_database(StorePlace(file=self.machine.home / "store.db"))  # three commands each cost only time
        tables = Tables(database)
        register.draft(tables, read_engagement(file))
        for event in ("request", "activate"):
            register.move_engagement(tables, name, event)
        database.close()
        issued = run("access", "key", "issue", "ada", "--engagement", name)
        return next(line for line in issued.splitlines() if "glh_" in line)

    def execute(self, title: str, engagement: str, code: int) -> str:
        """What the command says about the step with this title, under an engagement."""
        number = next(line.partition(".")[0] for line in self.titles if title in line)
        arguments = ("respond", "run", str(self.plan), "--execute", "--step", number, "--connectors", "c.toml")
        return self.machine.run(*arguments, code=code, GLASSHOUSE_KEY=self.keys[engagement])

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
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """One organisation for all tests; each takes steps and requests of its own."""
    return Team(tmp_path_factory.mktemp("team"))


def test_a_reversible_step_is_carried_out_once_after_another_person_agreed(team: Team) -> None:
    before = team.executed()
    assert not team.written()  # the dry run that showed the plan did nothing
    assert "waits" in team.execute("Collect memory", "one", code=5)
    (request,) = team.requests("waiting", "one")
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
    team.execute("End the process", "two", code=5)
    (request,) = team.requests("waiting", "two")
    team.decide("approve", request, "bo")
    assert "waits" in team.execute("End the process", "two", code=5)
    assert team.executed() == before
    team.decide("approve", request, "cy")
    assert "done by command" in team.execute("End the process", "two", code=0)
    assert team.executed() == before + 1


def test_an_engagement_that_asks_for_one_approval_cannot_lower_what_the_plan_demands(team: Team) -> None:
    before = team.executed()
    team.execute("Set new secrets for eve", "one", code=5)
    (request,) = team.requests("waiting", "one")
    team.decide("approve", request, "bo")
    assert "needs 2 approvals and has 1" in team.execute("Set new secrets for eve", "one", code=3)
    assert team.executed() == before


def test_a_denied_step_is_not_carried_out(team: Team) -> None:
    before, written = team.executed(), team.written()
    team.execute("Cut ws1 off", "one", code=5)
    request = next(each for each in team.requests("waiting", "one"))
    team.decide("deny", request, "cy", "--reason", "the host is a decoy")
    assert request in team.requests("denied", "one")
    team.execute("Cut ws1 off", "one", code=5)  # asks anew
    assert (team.executed(), team.written()) == (before, written)
    (again,) = team.requests("waiting", "one")
    team.decide("deny", again, "cy", "--reason", "still a decoy")


def test_a_request_that_nobody_decided_lapses_and_its_approval_comes_too_late(team: Team) -> None:
    before = team.executed()
    team.execute("Cut ws1 off", "brief", code=5)
    request = next(each for _ in range(20) for each in team.requests("lapsed", "brief"))
    team.decide("approve", request, "bo", code=2)
    assert team.executed() == before
