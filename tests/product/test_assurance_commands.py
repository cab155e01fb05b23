"""Assessment, statements and documents as a user sees them: all in the log, nothing typed passing for measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from glasshouse.access import register
from glasshouse.access.secrets import read_or_make
from glasshouse.assess.framework import shipped_framework
from glasshouse.cli.dossier import EXPORTS
from glasshouse.cli.main import run
from glasshouse.door.door import Door
from glasshouse.dossier.kinds.registry import KINDS
from glasshouse.dossier.vocabulary import banned_words
from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace
from glasshouse.store.records import Tables
from glasshouse.words.act import Act, Circumstances, Target
from glasshouse.words.decision import Decision, Deny, Permit
from glasshouse.words.engagement import Engagement, Scope, Term
from glasshouse.words.errors import DeniedError
from glasshouse.words.party import Caller, Organisation, Person
from glasshouse.words.passage import Outcome

Run = Callable[..., tuple[int, str, str]]
DIGEST = "sha256:" + "1a" * 32
FRAMEWORK = (files("glasshouse.assess") / "data" / "framework.yaml").read_text()
MODEL = f"""
identity: {{name: screen, version: "1", weights_digest: "{DIGEST}"}}
provider: Example
intended_use: score requests
placing: {{on_union_market: false}}
licence: Apache-2.0
"""


def inspect_log(suite_accuracy: list[str]) -> dict[str, object]:
    """An evaluation log about the model, one letter per sample."""
    samples = [
        {"id": f"q{n}", "epoch": 1, "input": "?", "output": {"completion": "x"}, "scores": {"s": {"value": letter}}}
        for n, letter in enumerate(suite_accuracy)
    ]
    head = {
        "created": "2035-01-01T00:00:00+00:00",
        "model": "x/screen",
        "metadata": {"glasshouse_model_digest": DIGEST},
    }
    return {"version": 2, "status": "success", "eval": head, "samples": samples}


@pytest.fixture
def glasshouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in a home of its own, in a folder with a model file and a key."""
    monkeypatch.setenv("GLASSHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.yaml").write_text(MODEL)
    private = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "me.key").write_bytes(private)
    (tmp_path / "me.key").chmod(0o600)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        out, err = capfd.readouterr()
        return code, out, err

    return call


def me(*arguments: str) -> tuple[str, ...]:
    """Arguments of a statement by the same person."""
    return ("attest", *arguments, "--name", "O. Owner", "--role", "owner", "--key", "me.key")


def test_the_gate_says_no_until_everything_is_measured(glasshouse: Run, tmp_path: Path) -> None:
    assert glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")[0] == 1  # nothing committed
    assert glasshouse("assess", "commit")[0] == 0
    code, out, _ = glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
    assert code == 1
    assert "REFUSED" in out
    suites = [each for each in shipped_framework().suites() if each.startswith("imported-")]
    (tmp_path / "good.json").write_text(json.dumps(inspect_log(["I"] * 200)))
    for suite in suites:
        assert glasshouse("assess", "import", "good.json", "--model", "model.yaml", "--suite", suite)[0] == 0
    code, out, _ = glasshouse("assess", "gate", "model.yaml", "--tier", "vetted", "--baseline", "screen")
    failed = re.findall(r"FAIL (\S+):", out)
    assert failed == [
        "mitigation:screening:gateway-safeguards/attacks_stopped",
        "mitigation:screening:gateway-safeguards/legitimate_passed",
    ]
    assert "changed risk:cyber_offence" in out


def test_a_statement_appears_as_a_statement_and_a_typed_fact_as_missing(glasshouse: Run) -> None:
    glasshouse("assess", "model", "model.yaml")
    card = glasshouse("dossier", "model-card", "--model", "screen")[1]
    assert "nobody attested it" in card
    assert glasshouse(*me("model-file", "--file", "model.yaml", "--model", "screen"))[0] == 0
    assert glasshouse(*me("limitations", "--value", "English only", "--model", "screen"))[0] == 0
    card = glasshouse("dossier", "model-card", "--model", "screen")[1]
    assert "English only" in card
    assert re.search(r"attested: O\. Owner \(owner\), key [0-9a-f]{16}, ", card)
    assert "nobody attested it" not in card


def test_an_option_that_is_none_is_refused_before_anything_runs(glasshouse: Run) -> None:
    code, _, err = glasshouse("assess", "run", "model.yaml", "--suite", "misuse-classifier", "--option", "url")
    assert (code, "--option takes NAME=VALUE, not `url`" in err) == (2, True)


def test_a_statement_on_an_unknown_model_or_with_a_missing_key_is_refused_with_the_way_out(glasshouse: Run) -> None:
    code, _, err = glasshouse(*me("limitations", "--value", "English only", "--model", "scren"))
    assert (code, "no model `scren` is registered" in err) == (2, True)
    code, _, err = glasshouse("attest", "x", "--value", "y", "--name", "n", "--role", "r", "--key", "no.key")
    assert (code, "glasshouse access person key" in err) == (2, True)


def test_the_same_log_gives_the_same_bytes_and_a_diff_shows_what_changed(glasshouse: Run, tmp_path: Path) -> None:
    glasshouse("assess", "model", "model.yaml")
    for name in ("a.json", "b.json"):
        glasshouse("dossier", "model-card", "--model", "screen", "--format", "json", "-o", name)
    code, out, _ = glasshouse("dossier", "diff", "a.json", "b.json")
    assert (code, out) == (0, "")
    glasshouse(*me("limitations", "--value", "English only", "--model", "screen"))
    glasshouse("dossier", "model-card", "--model", "screen", "--format", "json", "-o", "c.json")
    code, out, _ = glasshouse("dossier", "diff", "a.json", "c.json")
    assert code == 1
    assert out.startswith("use/limitations\n  - ")
    assert len(list((tmp_path / "home" / "dossiers" / "model-card").iterdir())) == 3


def test_an_audit_pack_verifies_with_what_is_in_it(glasshouse: Run, tmp_path: Path) -> None:
    glasshouse("assess", "model", "model.yaml")
    glasshouse("assess", "commit")
    assert glasshouse("dossier", "audit-pack", "--model", "screen", "-o", "pack.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        archive.extractall(tmp_path / "pack")
    command = [sys.executable, "verify_glasshouse.py", "log"]
    done = subprocess.run(command, cwd=tmp_path / "pack", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "published log holds" in done.stdout
    exported = sorted(each.name for each in (tmp_path / "pack" / "exports").iterdir())
    assert exported == ["cyclonedx.json", "oscal.json"]
    receipts = sorted((tmp_path / "pack" / "receipts").iterdir())
    assert receipts  # each entry that a document names can be checked alone
    one = [sys.executable, "verify_glasshouse.py", str(receipts[0]), "--policy", "log/log.policy"]
    checked = subprocess.run(one, cwd=tmp_path / "pack", capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    sums = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "pack", check=False)
    assert sums.returncode == 0


def test_a_questionnaire_filled_with_unknowns_is_the_strictest_classification(glasshouse: Run, tmp_path: Path) -> None:
    glasshouse("assess", "model", "model.yaml")
    questions = glasshouse("classify", "--questions")[1]
    (tmp_path / "answers.yaml").write_text(
        questions.replace('name: ""', "name: me").replace('role: ""', "role: counsel")
    )
    code, out, _ = glasshouse("classify", "screen", "--answers", "answers.yaml", "--on", "2026-11-27")
    assert code == 0
    assert "Prohibited" in out
    assert "open question" in out
    record = glasshouse("dossier", "classification", "--model", "screen")[1]
    assert "assumed: nobody knew" in record


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("assess", "gate", "model.yaml", "--tier", "friends"), 2, "no access tier"),
        (("assess", "run", "model.yaml"), 2, "names no suites"),
        (("assess", "run", "model.yaml", "--suite", "nope"), 2, "no suite `nope`"),
        (("assess", "model", "absent.yaml"), 2, "cannot be read"),
        (("assess", "override", "screen", "--tier", "vetted", "--reason", "r"), 2, "no refused verdict"),
        (("dossier", "model-card", "--model", "nobody"), 2, "no model `nobody`"),
        (("dossier", "diff", "model.yaml", "model.yaml"), 2, "not a document"),
        (me("limitations", "--value", "it is certified"), 2, "certified"),
        (me("limitations"), 2, "either --value or --file"),
        (("classify", "screen"), 2, "--answers"),
    ],
)
def test_wrong_input_gives_one_clear_error(arguments: tuple[str, ...], code: int, says: str, glasshouse: Run) -> None:
    glasshouse("assess", "model", "model.yaml")
    found, _, err = glasshouse(*arguments)
    assert found == code
    assert says in err


def test_a_model_file_with_an_unknown_field_is_refused_by_name(glasshouse: Run, tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(MODEL + "licance: MIT\n")
    code, _, err = glasshouse("assess", "model", "model.yaml")
    assert code == 2
    assert "licance" in err


def test_a_refused_gate_keeps_the_model_from_engagements_of_that_tier_until_it_is_overridden(
    glasshouse: Run, tmp_path: Path
) -> None:
    with organisation(tmp_path / "home") as (tables, door):
        caller = door.resolve(key_of(tables, tmp_path / "home", tier=2))
        call = Act("model.call", (Target("model", "screen"),), "work")
        assert isinstance(door.decide(caller, call), Permit)
        assert glasshouse("assess", "commit")[0] == 0
        refused = glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
        assert "no engagement of tier 2, 3" in refused[2]
        denied = settled(door, caller, call, Deny)
        assert isinstance(denied, Deny)
        assert "release gate refused" in denied.reason
        assert isinstance(door.decide(caller, Act("model.call", (Target("model", "other"),), "work")), Permit)
        # four eyes: the override asks for approval, and is refused without one
        code, _, err = glasshouse("assess", "override", "screen", "--tier", "vetted", "--reason", "pilot")
        assert code == 3
        assert "waits for 1 approval" in err
        assert isinstance(door.decide(caller, call), Deny)


def test_monitoring_counts_what_people_decided_and_what_was_a_false_alarm(glasshouse: Run, tmp_path: Path) -> None:
    """An override waits for a person, who approves it; an appeal against a suspension is upheld."""
    glasshouse("assess", "commit")
    glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
    overridden(glasshouse)
    assert glasshouse("access", "org", "refuse", "acme", "--reason", "no extract")[0] == 0
    assert glasshouse("access", "org", "appeal", "acme", "--grounds", "here it is")[0] == 0
    code, _, err = glasshouse("access", "org", "decide-appeal", "acme", "--upheld", "--decision", "it was there")
    assert code == 0, err
    shown = glasshouse("dossier", "monitoring", "--model", "screen", "--format", "json", "-o", "m.json")
    assert shown[0] == 0
    table = json.loads((tmp_path / "m.json").read_text())["sections"][0]["tables"][0]
    row = dict(zip(table["columns"], [cell["text"] for cell in table["rows"][-1]], strict=True))
    assert (row["approved"], row["refused"], row["false alarms"]) == ("1", "0", "1")


def test_an_incident_report_reads_from_the_log_what_the_log_knows(glasshouse: Run, tmp_path: Path) -> None:
    """Two calls of one key: the first is denied for its score (a near miss), the second does the harm."""
    glasshouse("assess", "model", "model.yaml")
    with organisation(tmp_path / "home") as (tables, door):
        caller = door.resolve(key_of(tables, tmp_path / "home", tier=2))
        call = Act("model.call", (Target("model", "screen"),), "work", input_digest="ab" * 32)
        with pytest.raises(DeniedError):
            door.admit(caller, call, Circumstances(misuse=97, misuse_categories=("malware",)))
        admission = door.admit(caller, call, Circumstances(misuse=41))
        door.conclude(admission, Outcome("done", "cd" * 32))
    entry = str(admission.request.index)
    glasshouse("assess", "commit")
    assert "core.misuse 1" in glasshouse("assess", "register", "screen")[1]  # the denial above, counted live
    opened = ("--title", "Exploit written", "--model", "screen", "--rule", "cop93_cyber")
    code, _, err = glasshouse("duty", "open", "inc-1", *opened)
    assert code == 0, err
    assert "duty link inc-1" in glasshouse("dossier", "incident-report", "--model", "screen")[1]
    assert glasshouse("duty", "link", "inc-1", entry)[0] == 0
    glasshouse("duty", "note", "inc-1", "harm", "--text", "none yet", "--name", "O. Owner", "--role", "owner")
    assert glasshouse("dossier", "incident-report", "--model", "screen", "--format", "json", "-o", "i.json")[0] == 0
    (section,) = json.loads((tmp_path / "i.json").read_text())["sections"]
    said = {field["id"]: field["value"] for field in section["fields"]}
    assert {name for name, value in said.items() if value["basis"] == "computed"} == {
        "dates.log", "chain.log", "model.log", "material.log", "root_cause.log", "patterns.log",
    }  # fmt: skip
    assert f"screen 1 ({DIGEST})" in said["model.log"]["text"]
    assert "ab" * 32 in said["material.log"]["text"]
    assert "cd" * 32 in said["material.log"]["text"]
    assert "screening scores 41 to 41 per cent" in said["root_cause.log"]["text"]
    assert "1 request of the same keys denied or held up" in said["patterns.log"]["text"]
    assert "core.misuse 1" in said["patterns.log"]["text"]
    assert said["harm"]["basis"] == "attested"
    assert said["recommendation"]["basis"] == "missing"
    rows = [[cell["text"] for cell in row] for row in section["tables"][0]["rows"]]
    assert [row[2] for row in rows] == ["near miss", "linked", "linked"]
    code, _, err = glasshouse("duty", "link", "inc-1", "40000")
    assert (code, "size of the log" in err) == (2, True)


def test_an_override_opens_a_new_assessment_once_and_a_new_verdict_ends_the_reason(
    glasshouse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: refused gate, four eyes, override, fail condition true, case with a clock."""
    glasshouse("duty", "scope", "--applies", "house")
    glasshouse("assess", "commit")
    glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
    assert glasshouse("assess", "watch", "screen")[0] == 0
    request = overridden(glasshouse)
    monkeypatch.setenv("GLASSHOUSE_APPROVAL", request)
    code, out, err = glasshouse("assess", "override", "screen", "--tier", "vetted", "--reason", "pilot")
    assert code == 0, err
    assert re.search(r"overridden by .*\beve\b", out)
    monkeypatch.delenv("GLASSHOUSE_APPROVAL")
    code, out, _ = glasshouse("assess", "watch", "screen")
    assert code == 1
    (opened,) = re.findall(r"opened (\S+):", out)
    assert opened.startswith("reassess-screen-overridden-")
    code, out, _ = glasshouse("assess", "watch", "screen")
    assert code == 1
    assert "TRUE overridden" in out
    assert "opened" not in out
    assert f"{opened}  house_reassess  due" in glasshouse("duty", "list")[1]
    glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
    assert glasshouse("assess", "watch", "screen")[0] == 0


def overridden(glasshouse: Run) -> str:
    """Asks for an override and has another person approve it; the id of the request."""
    glasshouse("access", "org", "apply", "acme", "--name", "Acme")
    glasshouse("access", "person", "add", "eve", "--organisation", "acme", "--name", "Eve", "--role", "approver")
    glasshouse("access", "person", "key", "eve", "--new", "eve.key")
    asked = glasshouse("assess", "override", "screen", "--tier", "vetted", "--reason", "pilot")[2]
    (request,) = set(re.findall(r"as request (\w+)", asked))
    code, _, err = glasshouse("approve", request, "--as", "eve", "--key", "eve.key", "--yes")
    assert code == 0, err
    return str(request)


def test_signed_answers_show_their_key_and_unsigned_ones_a_gap(glasshouse: Run, tmp_path: Path) -> None:
    glasshouse("assess", "model", "model.yaml")
    asked = glasshouse("classify", "--questions")[1]
    (tmp_path / "answers.yaml").write_text(asked.replace('name: ""', "name: me").replace('role: ""', "role: counsel"))
    glasshouse("classify", "screen", "--answers", "answers.yaml")
    assert "--answers FILE --key KEY" in glasshouse("dossier", "classification", "--model", "screen")[1]
    glasshouse("classify", "screen", "--answers", "answers.yaml", "--key", "me.key")
    record = glasshouse("dossier", "classification", "--model", "screen")[1]
    assert "--key KEY" not in record
    assert re.search(r"Answers signed with the key\*\*: [A-Za-z0-9+/]{43}=", record)


@pytest.mark.parametrize(
    ("file", "text", "arguments", "says"),
    [
        ("bad.yaml", MODEL + "licance: MIT\n", ("assess", "model", "bad.yaml"), "licance"),
        (
            "bad.yaml",
            MODEL.replace('version: "1"', 'version: "1\\n2"'),
            ("assess", "model", "bad.yaml"),
            "identity.version",
        ),
        ("bad.yaml", MODEL.replace(DIGEST, "sha256:12"), ("assess", "gate", "bad.yaml", "--tier", "vetted"), "64 hex"),
        (
            "bad.yaml",
            FRAMEWORK.replace("value: 0.20, margin: 0.05}]", "value: 0.20, margin: 0}]", 1),
            ("assess", "commit", "--framework", "bad.yaml"),
            "needs a margin above 0",
        ),
        (
            "bad.yaml",
            FRAMEWORK.replace(", margin: 0.05}]", "}]", 1),
            ("assess", "commit", "--framework", "bad.yaml"),
            "missing required field `margin`",
        ),
        (
            "bad.json",
            json.dumps(inspect_log(["C"])).replace(DIGEST, "sha256:" + "9" * 64),
            ("assess", "import", "bad.json", "--model", "model.yaml", "--suite", "imported-cyber-tasks"),
            f"not about {DIGEST}",
        ),
        ("bad.json", "{}", ("assess", "training", "bad.json"), "not a training record"),
        (
            "bad.yaml",
            "- {node: nowhere, name: me, role: counsel}\n",
            ("classify", "screen", "--answers", "bad.yaml"),
            "no question of this tree",
        ),
        (
            "bad.txt",
            "x",
            ("duty", "open", "i", "--title", "t", "--rule", "gdpr33", "--at", "controller_aware=2999-01-01T00:00Z"),
            "lies in the future",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_bad_input_is_one_clear_error_and_nothing_is_recorded_as_done(
    file: str, text: str, arguments: tuple[str, ...], says: str, glasshouse: Run, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(text)
    code, _, err = glasshouse(*arguments)
    assert code == 2, err
    assert says in err
    assert len(re.findall(r"^glasshouse: ", err, re.MULTILINE)) == 1
    assert not (tmp_path / "home" / "receipts").exists()


def test_no_output_says_that_a_rule_is_met(glasshouse: Run, tmp_path: Path) -> None:
    """Every document, export, list and help page, of a model about which much is recorded."""
    glasshouse("duty", "scope", "--applies", "gpai_code")
    glasshouse("assess", "commit")
    glasshouse("assess", "gate", "model.yaml", "--tier", "vetted")
    glasshouse("duty", "open", "i", "--title", "t", "--model", "screen", "--rule", "cop93_cyber")
    said = [glasshouse("dossier", kind, "--model", "screen")[1] for kind in (*KINDS, *EXPORTS)]
    for arguments in (
        ("dossier", "coverage", "--model", "screen"), ("duty", "rules"), ("duty", "list"), ("assess", "suites"),
        ("assess", "register", "screen"), ("classify", "--questions"),
        *((name, "--help") for name in ("assess", "dossier", "attest", "classify", "duty")),
    ):  # fmt: skip
        said.append(glasshouse(*arguments)[1])
    assert all(said)
    assert [banned_words(text) for text in said if banned_words(text)] == []


@pytest.mark.parametrize("kind", EXPORTS)
def test_a_word_that_slipped_into_a_record_stops_an_export(kind: str, glasshouse: Run, tmp_path: Path) -> None:
    hostile = MODEL.replace("intended_use: score requests", "intended_use: fully compliant scoring")
    (tmp_path / "model.yaml").write_text(hostile.replace("name: screen", "name: compliant"))
    glasshouse("assess", "model", "model.yaml")
    code, out, err = glasshouse("dossier", kind, "--model", "compliant")
    assert code == 2
    assert "compliant" in err
    assert out == ""


def test_a_record_that_a_rule_keeps_for_years_is_held_when_somebody_wants_it_erased(glasshouse: Run) -> None:
    glasshouse("assess", "commit")
    code, _, _ = glasshouse("log", "erase", "1", "--basis", "a wish")
    assert code == 3
    assert "legal hold under entry 3" in glasshouse("log", "show", "1")[1]


@contextmanager
def organisation(home: Path) -> Iterator[tuple[Tables, Door]]:
    """A vetted organisation with an operator, and its door."""
    with closing(open_database(StorePlace(file=home / "store.db"))) as database:
        tables = Tables(database)
        tables.organisations.add(Organisation("acme", "Acme", "FR", "vetted"))
        tables.people.add(Person("p", "acme", "P", ("operator",), "FR", "Acme"))
        with Door.open({"GLASSHOUSE_HOME": str(home)}) as door:
            yield tables, door


def key_of(tables: Tables, home: Path, tier: int) -> str:
    """A key under an engagement that grants calls to every model."""
    now = int(time.time())
    scope = Scope(models=("*",))
    register.draft(tables, Engagement("work", "acme", "w", scope, ("model.call",), tier, Term(now - 10, now + 1000)))
    register.move_engagement(tables, "work", "request")
    register.move_engagement(tables, "work", "activate")
    pepper = read_or_make(home / "keys" / "pepper")
    return register.issue_key(tables, pepper, "p", "work", now - 10, 1000)[0].text


def settled(door: Door, caller: Caller, act: Act, kind: type[Permit] | type[Deny]) -> Decision:
    """The decision once it is of a kind, at most a second later: that is how long a change may take to be seen."""
    until = time.monotonic() + 1
    while True:
        decision = door.decide(caller, act)
        if isinstance(decision, kind) or time.monotonic() > until:
            return decision
