"""The door from the outside: the installed commands, from an application to a revoked key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.product.warm import Warm

from glasshouse.access import register
from glasshouse.access.criteria import criteria
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.engagement import Engagement, Scope, Term
from glasshouse.words.party import CriterionCheck, Organisation, Person

WEAK = "import os\nfrom flask import request\n\ndef ping():\n    os.system('ping ' + request.args['host'])\n"
ENGAGEMENT = """\
id: audit
organisation: acme
purpose: Find weaknesses before the release.
capabilities: [code.scan]
starts: 2020-01-01
ends: 2090-01-01
scope: {{code: [{{origin: {origin}}}]}}
approvals: [{{capabilities: [code.scan], needed: 1}}]
"""


class Machine:
    """A home and a folder to work in; ``warm`` runs the commands where there are many."""

    def __init__(self, folder: Path, warm: Warm | None = None) -> None:
        self.folder, self._warm = folder, warm
        self.home = folder / "home"
        (folder / "src").mkdir()
        (folder / "src" / "views.py").write_text(WEAK)

    def run(self, *arguments: str, code: int = 0, **environ: str) -> str:
        """Standard output, or standard error where the command fails as expected."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHOUSE")}
        one_rule = {"GLASSHOUSE_SCAN_RULES": "py-command-injection"}
        variables |= {"HOME": str(self.folder), "GLASSHOUSE_HOME": str(self.home), **one_rule, **environ}
        if self._warm is not None:
            done = self._warm.run(list(arguments), self.folder, variables)
        else:
            command = [sys.executable, "-m", "glasshouse", *arguments]
            done = subprocess.run(
                command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=120, check=False
            )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def check_all_but(self, left: str) -> None:
        """Records all criteria but one as met: one command for each would only cost time."""
        database = open_database(StorePlace(file=self.home / "store.db"))
        for each in criteria():
            if each.id != left:
                register.record_check(Tables(database), "acme", CriterionCheck(each.id, True, "rita", 1, "ab" * 32))
        database.close()

    def engage_ada(self) -> str:
        """A vetted organisation with one person, one engagement and one key, whose public id is returned."""
        database = open_database(StorePlace(file=self.home / "store.db"))
        tables = Tables(database)
        tables.organisations.add(Organisation("acme", "Acme", "FR", "vetted"))
        tables.people.add(Person("ada", "acme", "Ada", ("operator",)))
        term = Term(0, 4_000_000_000)
        register.draft(tables, Engagement("audit", "acme", "look", Scope(), ("code.scan",), 0, term))
        for event in ("request", "activate"):
            register.move_engagement(tables, "audit", event)
        record = register.issue_key(tables, b"p" * 32, "ada", "audit", 3_000_000_000, 1_000)[1]
        database.close()
        return record.public_id

    def kinds(self) -> list[str]:
        """The kinds of the log's entries."""
        from glasshouse.ledger import Ledger

        reader = Ledger.read(self.home / "ledger")
        found = [entry.kind for _, entry in reader.entries()]
        reader.close()
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A fresh machine."""
    return Machine(tmp_path)


def test_a_scan_on_a_fresh_machine_needs_no_set_up_and_leaves_a_receipt_that_verifies(machine: Machine) -> None:
    said = machine.run("scan", "src", code=1)
    last = said.strip().splitlines()[-1]
    assert machine.kinds() == ["act.request", "act.outcome"]
    place = last.rpartition("glasshouse verify ")[2]
    assert "holds" in machine.run("verify", place)
    assert "holds" in machine.run("verify", str(machine.home / "ledger"))
    assert not (machine.home / "store.db").exists()


def test_where_nothing_can_be_recorded_nothing_is_read_and_the_way_out_is_named(machine: Machine) -> None:
    machine.home.write_text("a file where the home should be")
    said = machine.run("scan", "src", code=3)
    assert "nothing was done" in said
    assert "GLASSHOUSE_HOME=" in said
    assert "views.py" not in said


def test_a_failed_scan_is_in_the_log_too(machine: Machine) -> None:
    (machine.folder / "empty").mkdir()
    machine.run("scan", "empty", code=4)
    assert machine.kinds() == ["act.request", "act.outcome"]


def test_from_application_to_revocation(machine: Machine) -> None:
    run, folder = machine.run, machine.folder
    run("access", "org", "apply", "acme", "--name", "Acme Ltd", "--country", "FR")
    assert "not met" in run("access", "org", "vet", "acme", code=2)
    machine.check_all_but("sanctions")
    (folder / "evidence").write_text("extract")
    run("access", "org", "check", "acme", "sanctions", "--met", "--reviewer", "rita", "--evidence", "evidence")
    run("access", "org", "vet", "acme")
    run("access", "person", "add", "ada", "--organisation", "acme", "--name", "Ada", "--role", "operator")
    run("access", "person", "add", "bo", "--organisation", "acme", "--name", "Bo", "--role", "approver")
    run("access", "person", "key", "bo", "--new", "bo.key")
    (folder / "audit.yaml").write_text(ENGAGEMENT.format(origin=folder / "src"))
    run("access", "engagement", "draft", "audit.yaml")
    run("access", "engagement", "request", "audit")
    run("access", "engagement", "activate", "audit")
    key = next(
        line for line in run("access", "key", "issue", "ada", "--engagement", "audit").splitlines() if "glh_" in line
    )

    assert "not in the engagement's scope" in run("scan", ".", code=3, GLASSHOUSE_KEY=key)
    run("scan", "src", code=3, GLASSHOUSE_KEY=key)
    (waiting,) = json.loads(run("approvals", "--format", "json").rpartition("]")[0] + "]")
    name = waiting["terms"]["id"]
    assert "--yes" in run("approve", name, "--as", "bo", "--key", "bo.key", code=2)  # nobody is there to be asked
    assert "glasshouse approvals" in run("approve", "0" * 10, "--as", "bo", "--key", "bo.key", "--yes", code=2)
    assert "no key AbCd1234" in run("access", "revoke", "--key", "AbCd1234", "--reason", "a typo", code=2)
    assert "four eyes" in run("approve", name, "--as", "ada", "--key", "bo.key", "--yes", code=3)
    run("approve", name, "--as", "bo", "--key", "bo.key", "--yes")
    run("scan", "src", code=1, GLASSHOUSE_KEY=key, GLASSHOUSE_APPROVAL=name)
    run("scan", "src", code=3, GLASSHOUSE_KEY=key, GLASSHOUSE_APPROVAL=name)
    act = {"capability": "code.scan", "targets": [{"kind": "code", "name": str(folder / "src")}], "engagement": "audit"}
    (folder / "act.json").write_text(json.dumps({"act": act}))
    explained = run("policy", "explain", "act.json")
    assert "ada: ask [ask.engagement]" in explained
    assert "bo: deny" in explained

    run("access", "key", "revoke", key.split("_")[2])
    assert "revoked" in run("scan", "src", code=3, GLASSHOUSE_KEY=key)
    assert machine.kinds()[-1] == "access.refused"
    assert "holds" in run("verify", str(machine.home / "ledger"))
    assert key.encode() not in (machine.home / "store.db").read_bytes()


def test_the_kill_switch_stops_everything_but_the_lifting_of_it(machine: Machine) -> None:
    run = machine.run
    halt = run("kill", "--all", "--reason", "credentials leaked").partition("(")[2].partition(")")[0]
    assert "credentials leaked" in run("scan", "src", code=3)
    run("access", "org", "apply", "acme", "--name", "Acme", code=3)
    assert halt in run("kill", "--list")
    assert "glasshouse kill --list" in run("kill", "--lift", "HALT", code=2)
    run("kill", "--lift", halt)
    run("scan", "src", code=1)


@pytest.mark.parametrize("halt", [("kill", "--all"), ("access", "revoke", "--tier", "0")], ids=["all", "cohort"])
def test_under_a_halt_rights_are_taken_away_and_none_is_given(machine: Machine, halt: tuple[str, ...]) -> None:
    run = machine.run
    key = machine.engage_ada()
    run(*halt, "--reason", "credentials leaked")
    for gives in (
        ("key", "issue", "ada", "--engagement", "audit"),
        ("key", "rotate", key),
        ("person", "add", "bo", "--organisation", "acme", "--name", "Bo"),
    ):
        assert "halt" in run("access", *gives, code=3)
    run("access", "engagement", "pause", "audit")
    run("access", "engagement", "resume", "audit", code=3)
    run("access", "key", "revoke", key)
    run("access", "engagement", "revoke", "audit")
    run("access", "person", "deactivate", "ada")
    run("access", "org", "suspend", "acme", "--reason", "credentials leaked")
    run("access", "org", "reinstate", "acme", code=3)
    run("access", "org", "revoke", "acme", "--reason", "credentials leaked")
    assert f"{key}  revoked" in run("access", "key", "list")


def test_a_missing_key_never_runs_under_the_users_own_name(machine: Machine) -> None:
    assert "set but empty" in machine.run("scan", "src", code=3, GLASSHOUSE_KEY="")
    assert "not a Glasshouse key" in machine.run("scan", "src", code=3, GLASSHOUSE_KEY="x")
    assert "not audit" in machine.run("scan", "src", code=2, GLASSHOUSE_ENGAGEMENT="audit")


def test_policies_of_ones_own_are_checked_and_a_broken_set_decides_nothing(machine: Machine) -> None:
    assert "valid (the shipped set)" in machine.run("policy", "check")
    (machine.home / "policies").mkdir(parents=True)
    (machine.home / "policies" / "mine.cedar").write_text('@id("x") permit(principal, action, resource) when { 1 };')
    machine.run("policy", "check", code=1)
    assert "policy" in machine.run("scan", "src", code=3)
    (machine.home / "policies" / "mine.cedar").write_text(
        '@id("mine.no-scan") forbid(principal, action == Glasshouse::Action::"code.scan", resource);'
    )
    assert "mine.no-scan" in machine.run("scan", "src", code=3)


def test_the_store_is_backed_up_checked_and_restored(machine: Machine) -> None:
    run = machine.run
    run("access", "org", "apply", "acme", "--name", "Acme")
    run("store", "backup", "backup.ndjson")
    (machine.home / "store.db").unlink()
    run("store", "restore", "backup.ndjson")
    assert "1 organisations" in run("store", "check")
    run("store", "upgrade")
    assert "acme" in run("access", "list")
    (machine.home / "store.db").write_bytes(b"SQLite format 3\0" + b"x" * 500)
    assert "damaged" in run("store", "check", code=1)
    assert "store.db" in run("scan", "src", code=3)
