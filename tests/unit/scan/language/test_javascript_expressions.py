"""How JavaScript expressions are lowered: one rule a test."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.javascript_lowering import body, inner, lower

from glasshouse.scan import ir


def test_addition_of_several_operands_becomes_a_run_of_binary_operations() -> None:
    assert body("f(a + 'x' + b)") == ['t0 = a + "x"', "t1 = t0 + b", "t2 = f(t1)"]


def test_a_dotted_name_reads_one_attribute_after_another() -> None:
    assert body("f(req.query.id)") == ["t0 = req.query", "t1 = t0.id", "t2 = f(t1)"]


def test_each_attribute_of_a_dotted_name_ends_where_it_is_written() -> None:
    spans = [ir.unpack_span(each[1]) for each in lower("x = req.query.id").functions[0].body[:2]]
    assert spans == [(1, 4, 1, 13), (1, 4, 1, 16)]


def test_a_method_call_keeps_its_receiver() -> None:
    assert body("db.users.find(q)") == ["t0 = db.users", "t1 = t0.find(q)"]


def test_a_call_by_constant_key_is_a_method_call() -> None:
    assert body("a['b'](c)") == ["t0 = a.b(c)"]


def test_a_call_by_computed_key_calls_the_item() -> None:
    assert body("a[k](c)") == ["t0 = a[k]", "t1 = t0(c)"]


def test_optional_chaining_reads_like_plain_access() -> None:
    assert body("a?.b?.[0]?.c(1)") == ["t0 = a.b", "t1 = t0[0]", "t2 = t1.c(1)"]


def test_chained_calls_run_from_the_inside_out() -> None:
    assert body("p.then(f)\n  .catch(g)") == ["t0 = p.then(f)", "t1 = t0.catch(g)"]


def test_spread_arguments_and_elements_are_marked() -> None:
    assert body("f(...a, [1, ...b])") == ["t0 = list(1, *b)", "t1 = f(*a, t0)"]


def test_a_template_literal_holds_texts_and_values_in_order() -> None:
    assert body("f(`a${b}c\\n${d}`)") == ['t0 = template("a", b, "c\\n", d)', "t1 = f(t0)"]


def test_a_template_literal_without_values_is_a_constant() -> None:
    assert body("f(`plain`)") == ['t0 = f("plain")']


def test_a_tagged_template_passes_the_texts_as_a_list() -> None:
    assert body("sql`a${b}c`") == ['t0 = list("a", "c")', "t1 = sql(t0, b)"]


@pytest.mark.parametrize(
    ("operator", "test", "arms"),
    [
        ("&&", [], ["if $1", "  $1 = b"]),
        ("||", [], ["if $1", "else", "  $1 = b"]),
        ("??", ["t0 = $1 == null"], ["if t0", "  $1 = b"]),
    ],
)
def test_the_right_side_of_a_logical_operator_runs_only_when_needed(
    operator: str, test: list[str], arms: list[str]
) -> None:
    assert body(f"x = a {operator} b") == ["$1 = a", *test, *arms, "x = $1"]


def test_a_run_of_one_logical_operator_writes_one_variable() -> None:
    assert body("x = a || b || c") == [
        *["$1 = a", "if $1", "else", "  $1 = b", "if $1", "else", "  $1 = c", "x = $1"],
    ]


def test_a_conditional_expression_writes_one_variable_in_both_arms() -> None:
    assert body("x = a ? 1 : 2") == ["if a", "  $1 = 1", "else", "  $1 = 2", "x = $1"]


def test_a_comparison_stands_right_before_the_branch_it_decides() -> None:
    assert body("if (typeof x === 'string') f()") == ["t0 = typeof x", 't1 = t0 === "string"', "if t1", "  t2 = f()"]


def test_instanceof_names_the_type_as_written() -> None:
    assert body("x = a instanceof B.C") == ["t0 = a is a B.C", "x = t0"]


def test_negation_is_not() -> None:
    assert body("x = !a") == ["t0 = not a", "x = t0"]


def test_a_regular_expression_literal_is_a_new_regexp() -> None:
    assert body(r"x = /a\/b+/gi") == [r't0 = new RegExp("a\\/b+", "gi")', "x = t0"]


def test_an_object_literal_holds_keys_values_spreads_and_methods() -> None:
    code = "x = {a: 1, 'b-c': 2, [k]: 3, ...r, s, m() {}, set t(v) {}, 4: f}"
    assert body(code) == [
        "t0 = function 1",
        "t1 = function 2",
        't2 = dict("a": 1, "b-c": 2, k: 3, *r, "s": s, "m": t0, 4: f)',
        "x = t2",
    ]


def test_an_assignment_is_worth_what_it_assigns() -> None:
    assert body("a = b.c = 1") == ["b.c = 1", "a = 1"]


def test_an_augmented_assignment_reads_then_writes() -> None:
    assert body("a.b += c") == ["t0 = a.b", "t1 = t0 + c", "a.b = t1"]


def test_a_logical_assignment_writes_back() -> None:
    assert body("a ||= b") == ["$1 = a", "if $1", "else", "  $1 = b", "a = $1"]


def test_a_postfix_increment_is_worth_the_old_value() -> None:
    assert body("x = i++") == ["t0 = i", "t1 = t0 + 1", "i = t1", "x = t0"]


def test_a_prefix_increment_is_worth_the_new_value() -> None:
    assert body("x = ++i") == ["t0 = i + 1", "i = t0", "x = t0"]


def test_delete_removes_an_item() -> None:
    assert body("delete a.b; delete a[k]") == ['del a["b"]', "del a[k]"]


def test_a_sequence_is_worth_its_last_expression() -> None:
    assert body("x = (f(), g())") == ["t0 = f()", "t1 = g()", "x = t1"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1_000", 1000),
        ("0xff", 255),
        ("0b101", 5),
        ("017", 15),
        ("1.5", 1.5),
        ("1e3", 1000),
        ("10n", 10),
        ("9007199254740993n", "9007199254740993"),
        ("9007199254740993", 9007199254740992.0),
        ("-3", -3),
        ("null", None),
        ("undefined", None),
        ("void 0", None),
        ("true", True),
        (r"'\x41\u{42}\u0043\n\q'", "ABC\nq"),
        (
            r"'a\
b'",
            "ab",
        ),
    ],
)
def test_literals_have_the_value_they_denote(written: str, value: object) -> None:
    function = lower(f"x = {written}").functions[0]
    source = function.body[-1][3]
    assert function.consts[-1 - source] == value
    assert type(function.consts[-1 - source]) is type(value)


def test_a_long_constant_is_cut() -> None:
    assert max(len(each) for each in lower("x = '" + "a" * 9000 + "'").functions[0].consts) == 4096


def test_new_passes_its_arguments_to_the_class() -> None:
    assert body("x = new a.B(c); new D") == ["t0 = a.B", "t1 = new t0(c)", "x = t1", "t2 = new D()"]


def test_await_and_yield_pass_their_operand() -> None:
    assert inner("async function* f() { await a; yield b; yield* c; }") == [
        "t0 = await a",
        "t1 = yield b",
        "t2 = yield from c",
    ]


def test_an_element_of_lower_case_is_a_text_and_another_is_a_variable() -> None:
    assert body("x = <div a={b} {...c} d>{e} text<Foo.Bar/></div>") == [
        't0 = dict("a": b, *c, "d": true)',
        "t1 = Foo.Bar",
        "t2 = dict()",
        "t3 = $jsx(t1, t2)",
        't4 = $jsx("div", t0, e, "text", t3)',
        "x = t4",
    ]


def test_a_component_is_passed_as_a_value() -> None:
    assert body("x = <Page dangerouslySetInnerHTML={{__html: y}}/>") == [
        't0 = dict("__html": y)',
        't1 = dict("dangerouslySetInnerHTML": t0)',
        "t2 = $jsx(Page, t1)",
        "x = t2",
    ]
