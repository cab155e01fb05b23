"""What the loader accepts, refuses and keeps."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.rules import loader
from glasshouse.scan.rules.loader import COMPILED, LANGUAGES, RuleSet, compile_shipped, load_rules
from glasshouse.scan.rules.parse import MAX_BYTES, MAX_DEPTH, parse_rules
from glasshouse.scan.rules.reference import example
from glasshouse.words.errors import RuleError


def rule(**changes: object) -> dict[str, object]:
    """A complete rule; a change to None leaves the key out."""
    complete: dict[str, object] = {
        "id": "own-rule",
        "title": "A title",
        "languages": ["python"],
        "cwe": [20],
        "owasp": "A03:2021 Injection",
        "severity": "low",
        "confidence": "low",
        "message": "{sink} is called",
        "why": "Because.",
        "fix": {"text": "Do not.", "before": "bad()", "after": "good()"},
        "matches": [{"call": ["bad"]}],
        "tests": {"positive": ["bad()"], "negative": ["good()"]},
    }
    complete.update(changes)
    return {key: value for key, value in complete.items() if value is not None}


def parsed(**changes: object) -> object:
    text = yaml.safe_dump({"rules": [rule(**changes)]}).encode()
    return parse_rules(text, "own.yaml", ("sql",), built_in=False)


def test_every_language_has_rules_and_models() -> None:
    for language in LANGUAGES:
        loaded = load_rules([language])
        assert loaded.rules
        assert loaded.models or language in ("c", "cobol")  # what is known of their libraries is part of their analyses
        assert all(language in item.languages for item in loaded.rules.values())


def test_the_shipped_file_is_that_of_the_rule_files() -> None:
    """Run `python -m glasshouse.scan.rules.compile --docs` after a change of rules."""
    stored = msgspec.msgpack.decode(COMPILED.read_bytes(), type=dict[str, loader.Stored])
    wanted = msgspec.msgpack.decode(compile_shipped(), type=dict[str, loader.Stored])
    assert {name: item.digest for name, item in stored.items()} == {name: item.digest for name, item in wanted.items()}


def test_shipped_rules_and_parsed_rules_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = load_rules()
    monkeypatch.setattr(loader, "COMPILED", tmp_path / "none.msgpack")
    assert load_rules() == shipped


def test_shipped_rules_load_without_parsing_yaml() -> None:
    """Rules that are up to date come from the compiled file."""
    code = "import sys; from glasshouse.scan.rules.loader import load_rules; load_rules(); print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_shipped_rules_load_quickly() -> None:
    """The best of five, by CPU time; a slow machine gets ten times what was measured."""
    took = []
    for _ in range(5):
        start = time.process_time()
        load_rules()
        took.append(time.process_time() - start)
    assert min(took) < 0.15


def test_taint_classes_keep_the_order_of_their_file() -> None:
    """Bits are given by order, so the order is part of the contract."""
    classes = load_rules().taint_classes
    assert classes[:3] == ("command", "code", "sql")
    assert load_rules(["java"]).taint_classes == classes


def test_the_digest_changes_with_languages_selection_and_extra_files(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"rules": [rule()]}))
    digests = {
        load_rules().digest,
        load_rules(["python"]).digest,
        load_rules(["python"], select=["py-command-injection"]).digest,
        load_rules(["python"], [own]).digest,
    }
    assert len(digests) == 4
    assert load_rules(["python"]).digest == load_rules(["python"]).digest


def test_a_selection_names_ids_patterns_and_weaknesses() -> None:
    def chosen(*words: str) -> set[str]:
        return set(load_rules(["python"], select=words).rules)

    assert chosen("py-sql-injection") == {"py-sql-injection"}
    assert "py-command-injection" in chosen("py-command-*")
    assert "py-sql-injection" in chosen("cwe-89")
    assert "py-sql-injection" not in chosen("-py-sql-injection")
    assert chosen("-py-*") == set(load_rules(["python"], select=["gen-*"]).rules)


def test_a_selection_that_names_nothing_is_refused_with_a_suggestion() -> None:
    with pytest.raises(RuleError, match="did you mean 'py-sql-injection'"):
        load_rules(["python"], select=["py-sql-injecton"])


def test_the_example_of_the_manual_is_a_valid_rule_file(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(example())
    assert "py-shop-raw-price" in load_rules(["python"], [own]).rules


def test_folders_of_rule_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yaml").write_text(yaml.safe_dump({"rules": [rule()]}))
    (tmp_path / "two.yml").write_text(yaml.safe_dump({"rules": [rule(id="own-other")]}))
    assert {"own-rule", "own-other"} <= set(load_rules(["python"], [tmp_path]).rules)


def test_parsed_files_are_kept_in_the_cache(tmp_path: Path) -> None:
    own, cache = tmp_path / "own.yaml", tmp_path / "cache"
    own.write_text(yaml.safe_dump({"rules": [rule()]}))
    first = load_rules(["python"], [own], cache_dir=cache)
    assert len(list(cache.glob("rules-*.msgpack"))) == 1
    assert load_rules(["python"], [own], cache_dir=cache) == first


def test_a_damaged_cache_file_is_as_good_as_none(tmp_path: Path) -> None:
    own, cache = tmp_path / "own.yaml", tmp_path / "cache"
    own.write_text(yaml.safe_dump({"rules": [rule()]}))
    first = load_rules(["python"], [own], cache_dir=cache)
    for file in cache.glob("rules-*.msgpack"):
        file.write_bytes(b"\xff\x00not msgpack")
    assert load_rules(["python"], [own], cache_dir=cache) == first


def test_two_rules_may_not_share_an_id(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"rules": [rule(), rule()]}))
    with pytest.raises(RuleError, match="'own-rule': the id is used twice"):
        load_rules(["python"], [own])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        load_rules(["python"], [tmp_path / "none.yaml"])
    assert caught.value.where.endswith("none.yaml")


WRONG = [
    ({"id": "Own Rule"}, "field id"),
    ({"severity": "huge"}, "severity"),
    ({"cwe": []}, "field cwe"),
    ({"cwe": [0]}, "field cwe: 0"),
    ({"cwe": ["CWE-89"]}, "cwe"),
    ({"owasp": "Injection"}, "field owasp"),
    ({"why": " "}, "field why"),
    ({"fix": {"text": "", "before": "a", "after": "b"}}, "field fix.text"),
    ({"fix": {"text": "x", "before": "a"}}, "after"),
    ({"tests": {"positive": ["bad()"], "negative": []}}, "field tests.negative"),
    ({"tests": None}, "tests"),
    ({"matches": None}, "exactly one of"),
    ({"taint": "sql"}, "exactly one of"),
    ({"matches": None, "taint": "nothing", "sinks": [{"call": ["a.b"]}]}, "not a taint class"),
    ({"message": "{nothing} is bad"}, "unknown placeholder"),
    ({"message": "{sink is bad"}, "field message"),
    ({"matches": [{"call": ["os.system(x)"]}]}, "not a dotted path"),
    ({"matches": [{"call": ["os system"]}]}, "not a dotted path"),
    ({"matches": [{"where": [{"arg": "0", "absent": True}]}]}, "expected one of call"),
    ({"matches": [{"call": ["a.b"], "where": [{"arg": "0..x", "absent": True}]}]}, "not an argument selector"),
    ({"matches": [{"call": ["a.b"], "where": [{"arg": "0"}]}]}, "expected a test"),
    ({"matches": [{"call": ["a.b"], "where": [{"arg": "0", "matches": "("}]}]}, "not a regular expression"),
    ({"matches": [{"assign": ["("]}]}, "not a regular expression"),
    ({"matches": None, "literal": ["("]}, "not a regular expression"),
    ({"matches": None, "detector": "Two Words"}, "field detector"),
    ({"sinks": [{"call": ["a.b"]}]}, "only rules with `taint`"),
    ({"colour": "red"}, "colour"),
    ({"languages": ["fortran"]}, "languages"),
    ({"matches": None, "taint": "sql", "sinks": [{"call": ["a.b"], "args": ["0 1"]}]}, "not an argument selector"),
]


@pytest.mark.parametrize(("changes", "expected"), WRONG)
def test_an_incomplete_or_wrong_rule_is_refused_with_its_place(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        parsed(**changes)
    assert expected in caught.value.what
    assert caught.value.where == "own.yaml"
    assert caught.value.what.startswith("line ")
    assert "rule" in caught.value.what


def test_the_error_names_the_line_of_the_field() -> None:
    text = b"rules:\n  - id: own-rule\n    title: x\n    severity: huge\n"
    with pytest.raises(RuleError, match=r"line 4: rule 'own-rule': field rules\[0\]\.severity"):
        parse_rules(text, "own.yaml", built_in=False)


def test_built_in_ids_begin_with_their_language() -> None:
    text = yaml.safe_dump({"rules": [rule()]}).encode()
    with pytest.raises(RuleError, match="field id"):
        parse_rules(text, "own.yaml", built_in=True)


def test_a_taint_rule_without_a_sink_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"rules": [rule(matches=None, taint="sql")]}))
    with pytest.raises(RuleError, match="at least one sink"):
        load_rules(["python"], [own])


def test_what_becomes_of_a_result_is_a_call_that_no_program_can_make(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    entry = {"id": "e", "description": "d", "decorator": ["*.x"], "result": "page"}
    own.write_text(yaml.safe_dump({"models": {"languages": ["python"], "entries": [entry]}}))
    with pytest.raises(RuleError, match=r"starts with \$"):
        load_rules(["python"], [own])


HOSTILE = {
    "deep": b"[" * (MAX_DEPTH + 1),
    "very deep": b"[" * 100_000,
    "large": b"a" * (MAX_BYTES + 1),
    "expanding": b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 10)) for n in range(ord("b"), ord("h"))),
    "circular": b"a: &a [*a]",
    "object": b"!!python/object/apply:os.getcwd []",
    "not text": b"\xff\xfe\x00",
    "unclosed": b"rules: [",
    "list": b"- 1",
    "number keys": b"1: 2",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(RuleError):
        parse_rules(HOSTILE[name], "own.yaml", built_in=False)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_rules_or_a_rule_error(data: bytes) -> None:
    with contextlib.suppress(RuleError):
        assert parse_rules(data, "own.yaml", built_in=False).rules == ()


def test_a_key_that_is_there_twice_is_refused_with_its_line() -> None:
    with pytest.raises(RuleError, match="line 3: not YAML: the key 'rules' is there twice"):
        parse_rules(b"rules: []\n# again\nrules: []\n", "own.yaml", built_in=False)


def test_an_empty_file_holds_no_rules() -> None:
    assert parse_rules(b"", "own.yaml", built_in=False).rules == ()


def test_a_rule_set_is_a_value() -> None:
    loaded: RuleSet = load_rules(["python"])
    with pytest.raises(AttributeError):
        loaded.digest = "x"  # type: ignore[misc]
