"""The engine says what a plain evaluator says, whatever the events; rules that misbehave are named."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.respond.support import Event, detection_rule, matched, run_of, sysmon

from glasshouse.respond.engine.times import seconds
from glasshouse.respond.run import Settings, detect
from glasshouse.respond.sigma.compile import RuleFile, compile_rules

letters = st.text("abAB*?.\\ ", min_size=1, max_size=5)
values = st.one_of(
    st.text("abAB.\\ ", max_size=8), st.integers(0, 9), st.none(), st.lists(st.sampled_from("abc"), max_size=3)
)
events = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("A", "B", "C"), values)), max_size=12)
leaves = st.tuples(st.sampled_from("ABC"), st.sampled_from(["", "|contains", "|startswith", "|endswith"]), letters)


def holds(event: Event, leaf: tuple[str, str, str]) -> bool:
    """A plain evaluator: Sigma's wildcards as a regular expression."""
    field, modifier, text = leaf
    pattern = {"": "{}", "|contains": "*{}*", "|startswith": "{}*", "|endswith": "*{}"}[modifier].format(text)
    expression = sigma_expression(pattern)
    value = event.get(field)
    items = value if isinstance(value, list) else [value]
    texts = [str(item) for item in items if item not in (None, "")]
    return any(re.fullmatch(expression, item, re.DOTALL | re.IGNORECASE) for item in texts)


def sigma_expression(pattern: str) -> str:
    """Escapes as in the specification: a backslash before a wildcard or a backslash makes it plain."""
    out, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\" and at + 1 < len(pattern) and pattern[at + 1] in "*?\\":
            out, at = out + re.escape(pattern[at + 1]), at + 1
        elif letter == "*":
            out += ".*"
        elif letter == "?":
            out += "."
        else:
            out += re.escape(letter)
        at += 1
    return out


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@settings(max_examples=120, deadline=None)
@given(events, st.lists(leaves, min_size=2, max_size=4), st.booleans())
def test_the_engine_agrees_with_a_plain_evaluator(
    found: list[Event], parts: list[tuple[str, str, str]], any_of: bool
) -> None:
    parts = [part for part in parts if not part[2].endswith("\\")] or [("A", "", "a")]
    body = "\n".join(f"s{n}: {{{field}{modifier}: {quoted(text)}}}" for n, (field, modifier, text) in enumerate(parts))
    names = [f"s{n}" for n in range(len(parts))]
    condition = " or ".join(names) if any_of else f"{names[0]} and not ({' and '.join(names[1:]) or names[0]})"
    rules = detection_rule(f"{body}\ncondition: {condition}")
    rows = [sysmon(**event) for event in found]
    truth = []
    for number, event in enumerate(rows):
        each = [holds(event, part) for part in parts]
        if any(each) if any_of else each[0] and not all(each[1:] or each[:1]):
            truth.append(number)
    assert matched(rules, rows) == truth


def test_a_regular_expression_without_end_is_stopped_and_its_rule_named() -> None:
    rules = detection_rule("sel: {CommandLine|re: '^(a|aa)+(?<!b)$'}\ncondition: sel")
    run = run_of(rules, [sysmon(CommandLine="a" * 5_000 + "!")])
    assert [each.code for each in run.problems] in ([], ["regex-timeout"])
    bomb = detection_rule("sel: {CommandLine|re: '^(([a-z])+.)+[A-Z]([a-z])+$'}\ncondition: sel")
    run = run_of(bomb, [sysmon(CommandLine="a" * 4_000)])
    assert [each.code for each in run.problems] == ["regex-timeout"]


def test_rules_that_cannot_be_compiled_are_listed_with_their_reason() -> None:
    texts = {
        "yaml": "a: [",
        "not-a-rule": "just text",
        "invalid": "title: x\ndetection: {condition: sel}\n",
        "not-compiled": "title: x\nlogsource: {product: windows}\ndetection: {sel: {A|re: '('}, condition: sel}\n",
        "placeholder": "title: x\nlogsource: {product: windows}\ndetection: {s: {A|expand: '%who%'}, condition: s}\n",
    }
    for code, text in texts.items():
        made = compile_rules([RuleFile(f"{code}.yml", text)])
        assert made.rules == ()
        assert len(made.problems) == 1, code
        assert made.problems[0].reason


def test_placeholders_take_their_values() -> None:
    text = "title: x\nlogsource: {product: windows}\ndetection: {s: {User|expand: '%who%'}, condition: s}\n"
    rules = compile_rules([RuleFile("a.yml", text)], {"who": ("eve", "mallory")})
    assert matched(rules, [sysmon(User="mallory"), sysmon(User="bob")]) == [0]


def test_ctrl_c_leaves_what_was_found_marked_partial() -> None:
    from glasshouse.respond.read.interface import Chunk

    def chunks() -> Any:
        yield Chunk("a", 0, [sysmon(Image="x")] * 20_000, 0)
        raise KeyboardInterrupt

    run = detect(chunks(), detection_rule("sel: {Image: x}\ncondition: sel"), Settings(max_per_rule=3))
    assert run.partial
    assert len(run.detections) == 3
    assert run.left_out == 19_997


def test_a_detection_carries_author_id_and_place() -> None:
    rules = detection_rule("sel: {Image: x}\ncondition: sel")
    found = run_of(rules, [sysmon(Image="y"), sysmon(Image="x", User="CORP\\Eve", TimeCreated="2024-05-01T00:00:00Z")])
    (each,) = found.detections
    assert (each.rule.author, each.rule.id[-1], each.record, each.host) == ("A. Tester", "1", 1, "ws1")
    assert ("user", "eve") in {(entity.kind, entity.name) for entity in each.entities}
    assert each.time == seconds("2024-05-01T00:00:00Z")


def test_times_are_read_in_the_ways_logs_write_them() -> None:
    noon = 1714564800.0
    for text in (
        "2024-05-01T12:00:00Z",
        "2024-05-01 12:00:00",
        "2024-05-01T14:00:00+02:00",
        "1714564800",
        "2024-05-01T12:00:00.000000000Z",
    ):
        assert seconds(text) == noon
    for number in (1714564800, 1714564800_000, 1714564800_000_000, 1714564800_000_000_000):
        assert seconds(number) == noon
    for wrong in ("", "yesterday", "9" * 30, None, True, float("nan")):
        assert seconds(wrong) is None


def test_the_plain_evaluator_itself_knows_wildcards() -> None:
    assert fnmatch.fnmatch("abc", "a*c")
    assert re.fullmatch(sigma_expression("a*c"), "abc")
