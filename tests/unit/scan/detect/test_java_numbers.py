"""Ranges of numbers in Java code: what overflows, what is cut, what lies outside an array."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.scan import ir
from glasshouse.scan.detect.java.decisions import find_endless_loops, find_password_comparisons, find_predictable_seeds
from glasshouse.scan.detect.java.numbers import (
    Ranges,
    find_implicit_narrowing,
    find_outside_indexes,
    find_overflows,
    may_leave,
)
from glasshouse.scan.detect.mentions import mentions_of
from glasshouse.scan.language.interface import LowerLimits
from glasshouse.scan.languages import front_end


def lowered(body: str) -> ir.File:
    source = f"class Case {{\n  void run(int given, long wide, java.util.Random random) {{\n{body}\n  }}\n}}\n"
    return front_end("java").lower(source.encode(), "Case.java", LowerLimits())


@pytest.mark.parametrize(
    "body",
    [
        "int top = Integer.MAX_VALUE; int next = top + 1;",
        "long low = Long.MIN_VALUE; long next = low - 1;",
        "byte b = Byte.MAX_VALUE; byte next = (byte) (b + 1);",
        "int drawn = random.nextInt(); int next = drawn * 2;",
        "int units = 3000000; long product = units * 1000;",
        "int top = Integer.MAX_VALUE; if (top > 5) { int next = top + 1; }",
    ],
)
def test_a_result_outside_its_type_is_reported(body: str) -> None:
    assert len(list(find_overflows(lowered(body), {}))) == 1


@pytest.mark.parametrize(
    "body",
    [
        "int top = Integer.MAX_VALUE; long next = top + 1L;",
        "int top = Integer.MAX_VALUE; top = 0; int next = top + 1;",
        "int top = Integer.MAX_VALUE; while (given > 0) { top = given; given--; } int next = top + 1;",
        "int drawn = random.nextInt(); if (drawn < 100 && drawn > -100) { int next = drawn * 2; }",
        "int drawn = random.nextInt(100); int next = drawn * 1000;",
        "short s = Short.MAX_VALUE; int next = s + 1;",
        "int units = 3000000; long product = (long) units * 1000;",
        "int next = given + 1;",
        "int top = Integer.MAX_VALUE; if (fits(top)) { int next = top + 1; }",
    ],
)
def test_a_result_that_fits_or_is_not_known_is_not_reported(body: str) -> None:
    assert list(find_overflows(lowered(body), {})) == []


@pytest.mark.parametrize(("body", "count"), [("given += wide;", 1), ("given += 5;", 0), ("wide += given;", 0)])
def test_only_a_wider_number_is_cut_by_a_compound_assignment(body: str, count: int) -> None:
    assert len(list(find_implicit_narrowing(lowered(body), {}))) == count


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("int[] a = {1, 2}; int i = random.nextInt(3); given = a[i];", 1),
        ("int[] a = {1, 2}; int i = random.nextInt(2); given = a[i];", 0),
        ("int[] a = {1, 2}; int i = random.nextInt(3); if (i < a.length && a[i] > 0) { given = a[i]; }", 0),
        ("int[] a = new int[0]; given = a[0];", 1),
        ("int[] a = new int[0]; a = new int[1]; given = a[0];", 0),
        ("int[] a = new int[given]; given = a[7];", 0),
    ],
)
def test_an_index_is_reported_when_the_array_ends_before_it(body: str, count: int) -> None:
    assert len(list(find_outside_indexes(lowered(body), {}))) == count


def test_deep_nesting_is_walked_without_failing() -> None:
    body = "if (given > 0) { " * 150 + "given = Integer.MAX_VALUE; given = given + 1;" + " }" * 150
    assert list(find_overflows(lowered(body), {})) == []


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("for (int i = 0; i < 9; i++) { for (int j = 0; i < 9; j++) { step(j); } }", 1),
        ("for (int i = 0; i < 9; i++) { for (int j = 0; j < 9; j++) { step(j); } }", 0),
        ("while (given > 0) { step(given); }", 1),
        ("while (given > 0) { if (step(given)) { return; } }", 0),
        ("while (given > 0) { given = next(); }", 0),
        ("while (this.open) { step(given); }", 0),
    ],
)
def test_a_loop_is_endless_when_nothing_it_tests_changes(body: str, count: int) -> None:
    assert len(list(find_endless_loops(lowered(body), {}))) == count


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("java.security.SecureRandom r = new java.security.SecureRandom(); r.setSeed(7L); r.nextInt();", 1),
        (
            "java.security.SecureRandom r = new java.security.SecureRandom(); r.nextInt(); r.setSeed(7L); r.nextInt();",
            0,
        ),
        ("java.security.SecureRandom r = new java.security.SecureRandom(); r.setSeed(wide); r.nextInt();", 0),
    ],
)
def test_a_seed_others_know_counts_only_before_the_first_draw(body: str, count: int) -> None:
    assert len(list(find_predictable_seeds(lowered(body), {}))) == count


STATEMENTS = (
    "given += now();",
    "given += System.nanoTime();",
    "given += 0.5;",
    "given += 5000000000L;",
    "short small = 5; small += given;",
    "byte tiny = 1; tiny += (long) given;",
    "int top = Integer.MAX_VALUE;",
    "int next = top + 1;",
    "int units = 3000000; int product = units * 1000;",
    "int drawn = random.nextInt();",
    "int doubled = drawn + drawn;",
    "int[] made = {1, 2}; use(made[7]);",
    "int[] sized = new int[3]; sized[7] = 1;",
    "for (short at = 0; at < given; at++) { use(at); }",
    "if (given > 3) { given += now(); }",
)


def nothing_is_missed(body: str, parameter: str) -> None:
    source = f"class Case {{ long now() {{ return 1L; }} void run({parameter}) {{ {body} }} }}"
    file = front_end("java").lower(source.encode(), "Case.java", LowerLimits())
    returns = {function.name: function.returns for function in file.functions}
    wide = {name for name, kind in returns.items() if kind in ("long", "float", "double")}
    mentions = mentions_of(file)
    for function, ops, words in zip(file.functions, mentions.ops, mentions.words, strict=True):
        assert may_leave(function, ops, words, wide) or Ranges(function, returns).run() == []


PARAMETERS = ("int given", "long given", "String given")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_function_that_is_passed_over_holds_nothing_to_find(statement: str) -> None:
    for parameter in PARAMETERS:
        nothing_is_missed(statement, parameter)


@given(st.lists(st.sampled_from(STATEMENTS), min_size=2, max_size=6), st.sampled_from(PARAMETERS))
def test_several_statements_together_are_not_passed_over_either(body: list[str], parameter: str) -> None:
    nothing_is_missed(" ".join(body), parameter)


@pytest.mark.parametrize(
    "compared",
    [
        "password.equals(GIVEN)",
        "GIVEN.equals(password)",
        "this.password.equals(GIVEN)",
        "user.account().password.contentEquals(GIVEN)",
        "((String) password).equalsIgnoreCase(GIVEN)",
    ],
)
def test_a_password_is_compared_with_a_constant_whatever_holds_it(compared: str) -> None:
    source = (
        f"class Case {{ boolean run() {{ return {compared.replace('GIVEN', chr(34) + 'hunter2hunter' + chr(34))}; }} }}"
    )
    file = front_end("java").lower(source.encode(), "Case.java", LowerLimits())
    assert len(list(find_password_comparisons(file, {}))) == 1
    other = front_end("java").lower(source.replace("password", "colour").encode(), "Case.java", LowerLimits())
    assert list(find_password_comparisons(other, {})) == []
