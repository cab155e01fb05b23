"""``glasshouse duty`` as a user sees it: cases kept in the log, clocks computed from it, wrong input refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glasshouse.cli.main import run
from glasshouse.duties.law import shipped_law

Run = Callable[..., tuple[int, str, str]]
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def glasshouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in a home of its own: exit code, standard output, standard error."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        out, err = capfd.readouterr()
        return code, out, err

    return call


def ago(**period: float) -> str:
    """A time before now, with its zone."""
    return (NOW - dt.timedelta(**period)).isoformat()


def test_a_case_is_due_then_overdue_then_filed_and_the_log_verifies(glasshouse: Run, tmp_path: Path) -> None:
    assert glasshouse("duty", "scope", "--applies", "nis2")[0] == 0
    opened = glasshouse(
        "duty", "open", "inc-1", "--title", "Outage", "--rule", "nis2_early", "--rule", "nis2_final",
        "--at", f"entity_aware={ago(hours=30)}",
    )  # fmt: skip
    assert opened[0] == 0
    assert "receipt: glasshouse verify" in opened[2]
    code, out, _ = glasshouse("duty", "list", "--format", "json")
    assert code == 1
    assert {row["clock"]["rule"]: row["clock"]["state"] for row in json.loads(out)} == {
        "nis2_early": "overdue",
        "nis2_final": "not_started",
    }
    report = tmp_path / "report.txt"
    report.write_text("what happened")
    filed = glasshouse(
        "duty", "file", "inc-1", "nis2_early", "--report", str(report), "--recipient", "CSIRT", "--at", ago(hours=1)
    )
    assert filed[0] == 0
    assert "filed (late)" in glasshouse("duty", "list", "inc-1")[1]
    receipt = max((tmp_path / "home" / "receipts").iterdir(), key=lambda path: path.stat().st_mtime)
    assert glasshouse("verify", str(receipt))[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("duty", "scope", "--applies", "mars"), "no regime `mars`"),
        (("duty", "open", "x", "--title", "t", "--rule", "nope"), "no rule nope"),
        (("duty", "open", "x", "--title", "t", "--rule", "nis2_early", "--at", "entity_aware=soon"), "is not a time"),
        (("duty", "open", "x", "--title", "t", "--rule", "nis2_early", "--at", "entity_aware=2999-01-01"), "future"),
        (("duty", "open", "x", "--title", "t", "--rule", "nis2_early", "--at", "other=2026-01-01"), "no event `other`"),
        (("duty", "close", "x", "--reason", "r"), "no case `x`"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_recorded(
    arguments: tuple[str, ...], says: str, glasshouse: Run, tmp_path: Path
) -> None:
    code, _, err = glasshouse(*arguments)
    assert code == 2
    assert says in err
    assert not (tmp_path / "home" / "receipts").exists()


def test_a_calendar_file_holds_the_open_deadlines(glasshouse: Run, tmp_path: Path) -> None:
    glasshouse("duty", "scope", "--applies", "gdpr")
    glasshouse(
        "duty", "open", "b-1", "--title", "Breach", "--rule", "gdpr33", "--at", f"controller_aware={ago(hours=1)}"
    )
    assert glasshouse("duty", "calendar", "-o", str(tmp_path / "d.ics"))[0] == 0
    assert "SUMMARY:notification: Breach" in (tmp_path / "d.ics").read_text()


def test_every_rule_is_listed_with_its_citation(glasshouse: Run) -> None:
    code, out, _ = glasshouse("duty", "rules")
    assert code == 0
    assert all(f"{name}: " in out for name in shipped_law().rules)


def test_registers_have_records_of_their_own_and_stand_in_the_same_list(glasshouse: Run, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_text("paper")
    day = (NOW - dt.timedelta(days=40)).date().isoformat()
    glasshouse("duty", "scope", "--applies", "gpai_code", "--applies", "house", "--applies", "ai_act_gpai")
    for arguments in (
        ("representative", "name", "rep", "--name", "Rep", "--country", "DE", "--contact", "r@example.org",
         "--mandate", str(paper), "--since", day),
        ("request", "receive", "req", "--from", "Integrator", "--asks", "limits", "--at", ago(days=20)),
        ("complaint", "receive", "com", "--from", "A. Author", "--about", "copyright", "--text", "my book",
         "--at", ago(days=3)),
        ("grant", "give", "lab", "--evaluator", "Lab", "--model", "screen", "--since", day, "--until", day),
        ("grant", "findings", "lab", "--report", str(paper), "--at", ago(days=2)),
    ):  # fmt: skip
        code, _, err = glasshouse("duty", *arguments)
        assert code == 0, err
        assert "receipt: glasshouse verify" in err
    code, out, _ = glasshouse("duty", "list")
    assert code == 1
    found = {line.split()[1]: line.split()[2] for line in out.splitlines()}
    assert (found["cop12_downstream"], found["house_complaint"], found["house_grant_end"]) == (
        "overdue", "due", "overdue",
    )  # fmt: skip
    glasshouse(
        "duty", "request", "answer", "req", "--sent", str(paper), "--at", ago(), "--name", "O", "--role", "owner"
    )
    glasshouse("duty", "grant", "end", "lab", "--reason", "over", "--at", ago())
    assert glasshouse("duty", "list")[0] == 0
    assert "filed (late)" in glasshouse("duty", "list", "req")[1]
    assert glasshouse("duty", "calendar", "-o", str(tmp_path / "d.ics"))[0] == 0
    assert "complaint: A. Author" in (tmp_path / "d.ics").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("request", "answer", "nobody", "--sent", "p", "--at", ago(), "--name", "n", "--role", "r"), "in no register"),
        (("complaint", "receive", "c", "--from", "x", "--about", "other", "--text", "t", "--at", "2999-01-01T00:00Z"),
         "future"),
        (("complaint", "receive", "c", "--from", "x", "--about", "other", "--text", "t", "--at", ago(), "--entry=812"),
         "no entry 812"),
        (("complaint", "receive", "c", "--from", "x", "--about", "other", "--text", "not compliant", "--at", ago()),
         "compliant"),
        (("grant", "give", "g", "--evaluator", "L", "--model", "m", "--since", "2026-02-01", "--until", "2026-01-01"),
         "lies before"),
        (("representative", "name", "r", "--name", "R", "--country", "DE", "--contact", "c", "--mandate", "p",
          "--since", "2999-01-01"), "future"),
    ],
)  # fmt: skip
def test_a_register_refuses_what_it_cannot_take_and_records_nothing(
    arguments: tuple[str, ...], says: str, glasshouse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").write_text("paper")
    monkeypatch.chdir(tmp_path)
    code, _, err = glasshouse("duty", *arguments)
    assert code == 2
    assert says in err
    assert not (tmp_path / "home" / "receipts").exists()
