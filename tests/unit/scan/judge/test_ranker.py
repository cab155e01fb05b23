"""The ranker orders findings, says why, looks at no name, and never loses one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan import scan_tree
from glasshouse.scan.judge.evidence import Candidate, Evidence
from glasshouse.scan.judge.features import features_of
from glasshouse.scan.judge.model import MAX_BYTES, Manifest, Model, Weights, decode, shipped
from glasshouse.scan.judge.ranking import judged
from glasshouse.scan.judge.reasons import EVEN, reasons
from glasshouse.scan.judge.surroundings import MAX_LINES_BEFORE, plain, surroundings
from glasshouse.scan.settings import ScanSettings
from glasshouse.words.errors import ModelError
from glasshouse.words.finding import CONFIDENCES, SEVERITIES, Finding
from glasshouse.words.location import Location

PROGRAM = """\
import os, sqlite3
from flask import Flask, request

app = Flask(__name__)

@app.route("/a")
def first_view():
    # {comment}
    {value} = request.args["{value}"]
    if len({value}) > 8:
        return "no"
    os.system("echo " + {value})
    return "{text}"

@app.route("/b")
def {function}():
    {other} = request.args["q"]
    {db} = sqlite3.connect("x")
    return str({db}.execute("select * from t where a = '" + {other} + "'").fetchall())
"""
NEUTRAL = {"comment": "look", "value": "word", "function": "second", "other": "key", "db": "store", "text": "done"}
CANDIDATES = st.builds(
    Candidate,
    st.builds(
        Finding,
        rule_id=st.sampled_from(["py-a", "c-b"]),
        message=st.text(max_size=9),
        location=st.builds(Location, path=st.sampled_from(["a.py", "tests/b.c"]), line=st.integers(0, 30)),
        severity=st.sampled_from(SEVERITIES),
        confidence=st.sampled_from(CONFIDENCES),
        cwe=st.lists(st.integers(1, 1400), max_size=3).map(tuple),
        language=st.sampled_from(["python", "c", "klingon", ""]),
    ),
    st.builds(
        Evidence,
        kind=st.sampled_from(["flow", "pattern", "detector", "literal"]),
        origin=st.sampled_from(["", "request", "parameter", "private", "odd"]),
        built=st.booleans(),
        function=st.tuples(st.integers(0, 40), st.integers(0, 40)),
        capped=st.booleans(),
        widened=st.booleans(),
        broken=st.integers(-1, 100),
    ),
)


def ranked(folder: Path, **names: str) -> list[tuple[str, float | None, tuple[str, ...]]]:
    """Rule, probability and reasons of every finding in the program with other names."""
    folder.mkdir()
    (folder / "app.py").write_text(PROGRAM.format(**(NEUTRAL | names)))
    found = [item for item in scan_tree([folder], ScanSettings(jobs=1)) if isinstance(item, Finding)]
    return [(item.rule_id, item.probability, item.because) for item in found]


@pytest.mark.parametrize("word", ["good", "bad", "safe", "unsafe", "vulnerable", "fixed"])
def test_names_and_comments_and_texts_change_nothing(tmp_path: Path, word: str) -> None:
    plainly = ranked(tmp_path / "plain")
    assert len(plainly) >= 2
    named = ranked(
        tmp_path / "named",
        comment=f"{word.upper()}: if (word) this is {word}",
        value=f"{word}_value",
        function=f"test_{word}",
        other=word,
        db=f"{word}db",
        text=f"if {word} return {word}",
    )
    assert named == plainly


def test_every_finding_is_judged_and_says_why(tmp_path: Path) -> None:
    for _, probability, because in ranked(tmp_path / "tree"):
        assert probability is not None
        assert 0 < probability < 1
        assert all(reason.startswith(("+ ", "- ")) for reason in because)


@given(st.lists(CANDIDATES, max_size=8), st.lists(st.binary(max_size=60), max_size=30))
def test_no_finding_is_lost_whatever_the_code_looks_like(found: list[Candidate], code: list[bytes]) -> None:
    result = judged(found, lambda _: code)
    plainly = [msgspec.structs.replace(item, probability=None, because=()) for item in result]
    assert plainly == [item.finding for item in found]
    assert all(item.probability is not None and 0 <= item.probability <= 1 for item in result)


@given(CANDIDATES, st.lists(st.binary(max_size=60), max_size=30))
def test_features_are_between_0_and_1(candidate: Candidate, code: list[bytes]) -> None:
    (features,) = features_of([candidate], lambda _: code)
    assert all(0 <= value <= 1 for value in features.values())


@given(CANDIDATES)
def test_reasons_that_the_rank_follows_come_first(candidate: Candidate) -> None:
    (features,) = features_of([candidate], lambda _: [])
    signs = [text[0] for text in reasons(shipped(), features)]
    follows = "+" if shipped().probability(features) >= EVEN else "-"
    assert signs == sorted(signs, key=lambda sign: sign != follows)


def test_code_in_tests_and_examples_ranks_below_the_same_code_elsewhere() -> None:
    def probability(path: str) -> float:
        finding = Finding("py-a", "m", Location(path, 1), "high", "high", (78,), language="python")
        (found,) = judged([Candidate(finding, Evidence("flow", "request"))], lambda _: [b"run(x)"])
        assert found.probability is not None
        return found.probability

    assert probability("app/tests/a.py") < probability("app/examples/a.py") < probability("app/main/a.py")


def test_a_condition_counts_only_if_it_tests_the_data() -> None:
    code = b"void f(char *p, int n) {\n  if (n > 8)\n    return;\n  if (q) x();\n  copy(buf, p, n);\n}".split(b"\n")
    found = surroundings(code, "c", (1, 6), 5, 5)
    assert (found.guards, found.ordered, found.leaving, found.inside) == (1, 1, 1, False)


def test_a_condition_around_the_place_is_seen() -> None:
    code = b"def f(a):\n    if a in known:\n        run(a)\n".split(b"\n")
    assert surroundings(code, "python", (1, 3), 3, 3).inside
    assert not surroundings(code, "python", (1, 3), 2, 2).inside


def test_what_stands_in_comments_and_strings_is_no_condition() -> None:
    code = b'f(p) {\n  /* if (p > 2)\n  return */\n  log("if (p < 3)"); // if (p)\n  use(p);'.split(b"\n")
    assert surroundings(code, "c", (1, 5), 5, 5).guards == 0


@given(st.text(max_size=300), st.sampled_from(["python", "c", "javascript"]))
def test_blanking_keeps_every_line_where_it_was(text: str, language: str) -> None:
    assert plain(text, language).count("\n") == text.count("\n")


def test_only_a_bounded_number_of_lines_before_a_place_is_read() -> None:
    code = [b"if (p) {"] * 10_000 + [b"use(p)"]
    assert surroundings(code, "c", (1, 10_001), 10_001, 10_001).guards == MAX_LINES_BEFORE


# Weights


def weights(**changes: object) -> bytes:
    """A weights file."""
    plainly = {"format": 1, "name": "n", "bias": 0.0, "learned": {"guards": -1.0}, "by_hand": {}, "usual": {}}
    return msgspec.json.encode(plainly | changes)


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not JSON",
        weights(format=2),
        weights(bias=1e9),
        weights(learned={"guards": 99}),
        weights(extra=1),
        b"\xff" * 10,
        b" " * (MAX_BYTES + 1),
    ],
)
def test_weights_that_are_not_as_expected_are_refused(raw: bytes) -> None:
    with pytest.raises(ModelError):
        decode(raw, sha256(raw), "weights.json")


def test_weights_with_another_digest_are_refused() -> None:
    with pytest.raises(ModelError, match="digest"):
        decode(weights(), sha256(weights(bias=0.5)), "weights.json")


def test_a_feature_without_a_weight_counts_nothing() -> None:
    model = Model(decode(weights(), sha256(weights()), "weights.json"))
    assert model.probability({"new": 1.0}) == model.probability({}) == 0.5
    assert model.probability({"guards": 1.0}) < 0.5


def test_the_shipped_weights_name_no_code() -> None:
    folder = Path(__file__).resolve().parents[4] / "src" / "glasshouse" / "scan" / "judge" / "data"
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    found = msgspec.json.decode((folder / manifest.file).read_bytes(), type=Weights)
    classes = {name.split()[0] for name in found.learned if " " in name} - {"same", "test"}
    assert classes == {"group", "kind", "language"}
    by_hand = {"broken", "capped", "developer's script", "example", "library", "own", "test code", "widened"}
    assert set(found.by_hand) == by_hand
