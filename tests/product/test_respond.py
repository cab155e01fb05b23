"""`glasshouse respond` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EVENT = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Computer": "ws1",
    "TimeCreated": "2024-05-01T12:00:00Z",
    "Image": "C:\\Windows\\System32\\vssadmin.exe",
    "CommandLine": "vssadmin delete shadows /all <script>alert(1)</script>",
    "User": "CORP\\eve",
    "ProcessGuid": "{11111111-0000-0000-0000-000000000001}",
}
RULE = """
title: Marker
id: 00000000-0000-4000-8000-0000000000aa
author: A. Tester
logsource: {product: windows, category: process_creation}
detection: {sel: {CommandLine|contains: 'marker'}, condition: sel}
level: high
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "log.json").write_text(json.dumps(EVENT) + "\n")
    return tmp_path


def run(place: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glasshouse", "respond", *arguments]
    environ = {**os.environ, "GLASSHOUSE_HOME": str(place / "home"), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=place, env=environ, input=given, capture_output=True, text=True, check=False)


def test_an_incident_is_reported_recorded_and_planned_for(place: Path) -> None:
    done = run(place, "log.json", "--plans", "plans")
    assert done.returncode == 1, done.stderr
    assert "Shadow copies deleted" in done.stdout
    assert "The Glasshouse authors" in done.stdout
    assert "recorded as entry" in done.stderr
    (plan,) = (place / "plans").iterdir()
    shown = run(place, "run", str(plan))
    assert shown.returncode == 0
    assert "Cut ws1 off from the network" in shown.stdout or "Collect memory" in shown.stdout
    assert "Dry run: nothing was done" in shown.stderr
    (place / "c.toml").write_text(f'[actions.default]\nconnector = "file"\nfolder = "{place}"\n')
    refused = run(place, "run", str(plan), "--execute", "--step", "1", "--connectors", "c.toml")
    assert refused.returncode == 3, refused.stderr
    assert not list(place.glob("action--*"))


@pytest.mark.parametrize("form", ["json", "ocsf", "stix", "csv", "html"])
def test_every_format_carries_the_author_and_lets_nothing_hostile_act(place: Path, form: str) -> None:
    done = run(place, "log.json", "--format", form, "--quiet")
    assert done.returncode == 1, done.stderr
    assert "The Glasshouse authors" in done.stdout
    if form == "html":
        assert "<script" not in done.stdout
        assert "&lt;script&gt;" in done.stdout
    if form in ("json", "stix"):
        json.loads(done.stdout)
    if form == "ocsf":
        kinds = [json.loads(line)["class_uid"] for line in done.stdout.splitlines()]
        assert kinds[-1] == 2005
        assert set(kinds[:-1]) == {2004}


def test_imported_rules_are_used_listed_and_removed(place: Path) -> None:
    (place / "mine").mkdir()
    (place / "mine" / "a.yml").write_text(RULE)
    (place / "mine" / "broken.yml").write_text("title: [")
    imported = run(place, "rules", "import", "mine", "--link-base", "https://rules.example/")
    assert "in use as `mine`: 1 rule of 2 files" in imported.stdout, imported.stderr
    event = json.dumps({**EVENT, "CommandLine": "a marker"})
    assert "Marker" in run(place, "-", given=event + "\n").stdout
    assert "https://rules.example/a.yml" in run(place, "rules", "list").stdout
    assert run(place, "rules", "remove", "mine").returncode == 0
    assert run(place, "-", given=event + "\n").returncode == 0


def test_what_was_not_analysed_changes_the_exit_code(place: Path) -> None:
    (place / "noise").write_bytes(bytes(range(256)))
    assert run(place, ".", "--fail-on", "never").returncode == 5
    assert run(place, "log.json", "--fail-on", "never").returncode == 0
    nothing = run(place, "noise")
    assert nothing.returncode == 4
    assert "no format was recognised" in nothing.stderr


def test_logs_of_a_kind_that_no_rule_looks_at_are_not_called_clean(place: Path) -> None:
    (place / "app.json").write_text('{"app": "shop", "took": 5}\n' * 3)
    done = run(place, "app.json")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "3 events, none of a kind that a rule looks at" in done.stderr
    assert "--source" in done.stderr
    assert run(place, "app.json", "log.json").returncode == 1


def test_the_own_log_can_be_watched(place: Path) -> None:
    run(place, "log.json", "-q")
    done = run(place, "--ledger")
    assert done.returncode == 0, done.stderr
    assert "0 incidents" in done.stdout


def test_wrong_usage_is_told_in_one_line(place: Path) -> None:
    assert run(place).returncode == 2
    assert run(place, "missing.json").returncode == 2
    assert run(place, "log.json", "--only-rules").returncode == 2
    assert run(place, "run", "log.json").returncode == 2


def test_an_incident_says_what_the_forecast_knows_of_the_vulnerability_its_rule_names(place: Path) -> None:
    (place / "rules").mkdir()
    (place / "rules" / "tagged.yml").write_text(RULE.replace("'marker'", "'shadows'") + "tags: [cve.2021-44228]\n")
    alone = ("log.json", "--rules", "rules", "--only-rules")
    unknown = run(place, *alone)
    assert "= CVE-2021-44228: nothing is known about it" in unknown.stdout, unknown.stderr
    catalogue = {"vulnerabilities": [{"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10", "vendorProject": "Apache"}]}
    (place / "kev.json").write_text(json.dumps(catalogue))
    environ = {**os.environ, "GLASSHOUSE_HOME": str(place / "home")}
    command = [sys.executable, "-m", "glasshouse", "forecast", "import", "kev", "kev.json"]
    subprocess.run(command, cwd=place, env=environ, capture_output=True, check=True)
    shown = run(place, *alone)
    assert "= CVE-2021-44228: listed as exploited since 2021-12-10; named by Marker" in shown.stdout, shown.stderr
    (incident,) = json.loads(run(place, *alone, "--format", "json").stdout)["incidents"]
    assert incident["threats"][0]["listed_on"] == "2021-12-10"
    assert "listed as exploited since 2021-12-10" in run(place, *alone, "--format", "html").stdout


def test_a_table_of_services_says_what_runs_on_the_host_and_which_named_flaw_it_has(place: Path) -> None:
    (place / "rules").mkdir()
    (place / "rules" / "tagged.yml").write_text(RULE.replace("'marker'", "'shadows'") + "tags: [cve.2021-44228]\n")
    (place / "bom.json").write_text(
        json.dumps(
            {"bomFormat": "CycloneDX", "components": [{"purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}]}
        )
    )
    (place / "services.csv").write_text(
        "service,inventory,criticality,critical,owner,hosts\npayments,bom.json,5,yes,Ann,WS1.corp.example;ws9\n,,,,,\n"
    )
    advisory = {
        "id": "GHSA-jfh8-c2jp-5v3q",
        "aliases": ["CVE-2021-44228"],
        "modified": "2021-12-10T00:00:00Z",
        "published": "2021-12-10T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"fixed": "2.15.0"}]}],
            }
        ],
    }
    (place / "osv.json").write_text(json.dumps(advisory))
    alone = ("log.json", "--rules", "rules", "--only-rules", "--services", "services.csv")
    bare = run(place, *alone)
    assert "= ws1 runs the critical service payments (weight 5, owner Ann)\n" in bare.stdout, bare.stderr
    assert "services.csv:3: no service name" in bare.stderr
    environ = {**os.environ, "GLASSHOUSE_HOME": str(place / "home")}
    command = [sys.executable, "-m", "glasshouse", "forecast", "import", "osv", "osv.json"]
    subprocess.run(command, cwd=place, env=environ, capture_output=True, check=True)
    assert "(weight 5, owner Ann), which has CVE-2021-44228\n" in run(place, *alone).stdout
    assert "payments" in run(place, *alone, "--format", "html").stdout
    (incident,) = json.loads(run(place, *alone, "--format", "json").stdout)["incidents"]
    assert incident["stakes"][0]["cves"] == ["CVE-2021-44228"]
    assert run(place, "log.json", "--services", "missing.csv").returncode == 2
