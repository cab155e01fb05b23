"""Inline suppressions: where they count, and which are reported."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan.suppress import MAX_IGNORES, Ignore, apply_ignores, find_ignores
from glasshouse.words.finding import Finding
from glasshouse.words.location import Location


def finding(line: int, rule: str = "sql", path: str = "a.py") -> Finding:
    return Finding(rule, "m", Location(path, line), "high", "high", (89,))


def suppressed(source: str, line: int, rule: str = "sql") -> str | None:
    findings, _ = apply_ignores([finding(line, rule)], {"a.py": find_ignores(source.encode())})
    return findings[0].suppressed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x()  # glasshouse: ignore[sql] checked above\n", "checked above"),
        ("x() // glasshouse: ignore[sql]: checked\r\n", "checked"),
        ("x() /* glasshouse: ignore[sql] checked */ + y()\n", "checked"),
        ("<p> <!-- glasshouse: ignore[sql] checked --> </p>\n", "checked"),
        ("x() # noqa: S608 # glasshouse: ignore[xss, sql] ok\n", "ok"),
        ("x() # glasshouse: ignore[sql]\n", ""),
        ("x() # glasshouse: ignore[*] generated SQL\n", "generated SQL"),
        ("x() # glasshouse: ignore[a] one # glasshouse: ignore[sql] two\n", "two"),
    ],
)
def test_a_comment_suppresses_on_its_own_line(source: str, reason: str) -> None:
    assert suppressed(source, 1) == reason


@pytest.mark.parametrize(
    "comment",
    ["# glasshouse: ignore[sql] r", "  {/* glasshouse: ignore[sql] r */}", "<%-- glasshouse: ignore[sql] r --%>"],
)
def test_a_comment_alone_on_its_line_suppresses_on_the_next(comment: str) -> None:
    assert suppressed(f"a\n{comment}\nx()\ny()\n", 3) == "r"
    assert suppressed(f"a\n{comment}\nx()\ny()\n", 4) is None


def test_comments_alone_on_their_lines_may_be_stacked() -> None:
    source = "# glasshouse: ignore[sql] r\n# glasshouse: ignore[xss] s\nx()\n"
    assert (suppressed(source, 3), suppressed(source, 3, "xss")) == ("r", "s")


def test_a_comment_after_code_does_not_reach_the_next_line() -> None:
    assert suppressed("x() # glasshouse: ignore[sql] r\ny()\n", 2) is None
    assert suppressed("/* glasshouse: ignore[sql] r */ x()\ny()\n", 2) is None


def test_another_rule_or_another_file_is_not_suppressed() -> None:
    ignores = {"a.py": find_ignores(b"x() # glasshouse: ignore[sql] r\n")}
    findings, unused = apply_ignores([finding(1, "xss"), finding(1, "sql", "b.py")], ignores)
    assert [each.suppressed for each in findings] == [None, None]
    assert [(each.location.line, each.rules) for each in unused] == [(1, ("sql",))]


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("# glasshouse: ignore[*]", "needs a reason"),
        ("# glasshouse: ignore", "names no rule"),
        ("# glasshouse: ignore[]", "names no rule"),
        ("# glasshouse: ignore[a b] r", "no rule id"),
    ],
)
def test_a_wrong_suppression_has_no_effect_and_is_reported(comment: str, problem: str) -> None:
    findings, unused = apply_ignores([finding(1)], {"a.py": find_ignores(comment.encode())})
    assert findings[0].suppressed is None
    assert problem in unused[0].problem


def test_only_the_idle_rules_of_a_suppression_are_unused_and_only_if_they_ran() -> None:
    ignores = {"a.py": find_ignores(b"x() # glasshouse: ignore[sql, xss, old] r\n")}
    _, unused = apply_ignores([finding(1)], ignores)
    assert unused[0].rules == ("xss", "old")
    _, unused = apply_ignores([finding(1)], ignores, active_rules={"sql", "xss"})
    assert unused[0].rules == ("xss",)


def test_text_without_a_comment_mark_is_no_suppression() -> None:
    assert find_ignores(b'say("glasshouse: ignore[sql] r")\n') == []


def test_columns_count_characters() -> None:
    assert find_ignores("s = '\u00fc\u00fc' # glasshouse: ignore[a]\n".encode())[0].column == 10


def test_suppressions_survive_messagepack() -> None:
    ignores = find_ignores(b"a\n# glasshouse: ignore[a, b] why\nx\n")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(ignores), type=list[Ignore]) == ignores


def test_suppressions_of_one_file_are_bounded() -> None:
    assert len(find_ignores(b"# glasshouse: ignore[a]\n" * (MAX_IGNORES + 5))) == MAX_IGNORES


@given(st.text(st.sampled_from("#/*<!->%\n []glashou:ine,r"), max_size=80))
def test_lines_and_targets_always_lie_in_the_file_or_just_below(text: str) -> None:
    source = (text + "# glasshouse: ignore[a]" + text).encode()
    for ignore in find_ignores(source):
        assert 1 <= ignore.line <= source.count(b"\n") + 1
        assert ignore.line <= ignore.target <= source.count(b"\n") + 2


@given(st.lists(st.sampled_from(["x = 1", "", "# note", "y() # other"]), max_size=10))
def test_lines_above_move_a_suppression_with_its_code(above: list[str]) -> None:
    source = "\n".join([*above, "# glasshouse: ignore[sql] r", "x()", ""])
    assert suppressed(source, len(above) + 2) == "r"
