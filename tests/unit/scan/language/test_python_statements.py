"""Python statements in the intermediate representation."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.python_lowering import body, function, lower, text


def test_a_docstring_and_other_bare_constants_emit_nothing() -> None:
    assert body('"""doc"""\n1\nNone\n...\npass\n') == ""


def test_an_assignment_to_an_attribute_or_item_writes_into_the_object() -> None:
    assert body("a.b = c\na['k'] = d\na[1:2] = e") == text(
        """
        a.b = c
        a["k"] = d
        t0 = tuple(1, 2, null)
        a[t0] = e
        """
    )


def test_unpacking_reads_items_and_a_star_takes_the_slice_between() -> None:
    assert body("a, (b, *c), d = x") == text(
        """
        t0 = x[0]
        a = t0
        t1 = x[1]
        t2 = t1[0]
        b = t2
        t3 = t1.$slice(1, null, null)
        c = t3
        t4 = x[2]
        d = t4
        """
    )
    assert "$slice(0, -1, null)" in body("*a, b = x")
    assert "t1 = x[-1]" in body("*a, b = x")


def test_a_swap_reads_both_sides_before_it_writes() -> None:
    assert body("a, b = b, a") == "t0 = tuple(b, a)\nt1 = t0[0]\na = t1\nt2 = t0[1]\nb = t2"


def test_a_chained_assignment_evaluates_its_value_once() -> None:
    assert body("a = b.c = f()") == "t0 = f()\na = t0\nb.c = t0"
    assert body("a = b = a") == "t0 = a\na = t0\nb = t0"


def test_an_augmented_assignment_reads_then_writes() -> None:
    assert body("a += b") == "t0 = a + b\na = t0"
    assert body("a.b -= c") == "t0 = a.b\nt1 = t0 - c\na.b = t1"
    assert body("f()[k] //= c") == "t0 = f()\nt1 = t0[k]\nt2 = t1 // c\nt0[k] = t2"


def test_an_annotated_assignment_declares_the_type() -> None:
    assert body("a: Optional[m.T] = b\nc: int") == "declare a: m.T\na = b\ndeclare c: int"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("'a.B'", "a.B"),
        ("typing.Optional['B']", "B"),
        ("B | None", "B"),
        ("None | B", "B"),
        ("Union[B, None]", "B"),
        ("Union[A, B]", "Union[A, B]"),
        ("Annotated[B, x(1)]", "B"),
        ("list[str]", "list[str]"),
        ("A | B", "A | B"),
        ("Literal['|']", "Literal['|']"),
    ],
)
def test_a_type_text_is_the_plain_type_inside(written: str, plain: str) -> None:
    assert lower(f"def f(a: {written}): pass").functions[1].params[0].type == plain


def test_del_removes_items_and_attributes_and_forgets_names() -> None:
    assert body("del a, b.c, d[e]") == 'a = null\ndel b["c"]\ndel d[e]'


def test_if_elif_else_nest_in_the_else_block() -> None:
    assert body("if a == 1: f()\nelif b: g()\nelse: h()") == text(
        """
        t0 = a == 1
        if t0
          t1 = f()
        else
          if b
            t2 = g()
          else
            t3 = h()
        """
    )


def test_not_swaps_the_arms() -> None:
    assert body("if not a: f()") == "if a\nelse\n  t0 = f()"


def test_the_operands_of_and_are_tested_one_inside_the_other() -> None:
    assert body("if a and b: f()") == "if a\n  if b\n    t0 = f()"


def test_an_else_of_and_runs_where_any_operand_fails() -> None:
    assert body("if a and b: f()\nelse: g()") == text(
        """
        block $1
          if a
            if b
              t0 = f()
              break $1
          t1 = g()
        """
    )


def test_or_runs_its_arm_unless_every_operand_fails() -> None:
    assert body("if a or b: f()") == text(
        """
        block $1
          if a
          else
            if b
            else
              break $1
          t0 = f()
        """
    )


def test_a_long_chain_of_elifs_is_flat() -> None:
    code = "if a: f()\n" + "elif b: g()\n" * 6 + "else: h()\n"
    lines = body(code).split("\n")
    assert lines[0] == "block $1"
    assert lines.count("  if b") == 6
    assert lines[-1] == "  t7 = h()"


def test_while_recomputes_its_test_and_true_is_forever() -> None:
    assert body("while f(): g()") == "loop\ntest\n  t0 = f()\nwhile t0\n  t1 = g()"
    assert body("while True: break") == "loop\nwhile -\n  break"
    assert body("while 1: continue") == "loop\nwhile -\n  continue"


def test_for_binds_an_element_and_its_else_follows() -> None:
    assert body("for a, b in f(): g()\nelse: h()") == text(
        """
        t0 = f()
        for t1 in t0 values
          t2 = t1[0]
          a = t2
          t3 = t1[1]
          b = t3
          t4 = g()
        t5 = h()
        """
    )


def test_with_enters_each_manager_and_binds_what_it_gives() -> None:
    expected = text(
        """
        t0 = open(p)
        t1 = t0.__enter__()
        f = t1
        t2 = g()
        t3 = t2.__enter__()
        t4 = f.read()
        """
    )
    assert body("with open(p) as f, g(): f.read()") == expected
    assert body("with (open(p) as f, g()): f.read()") == expected
    assert body("async def h():\n async with open(p) as f, g(): f.read()", "h") == expected


def test_try_has_handlers_with_types_and_a_variable() -> None:
    code = "try: a()\nexcept (X, m.Y) as e: b()\nexcept Z: c()\nexcept: d()\nelse: f()\nfinally: g()"
    assert body(code) == text(
        """
        try
          t0 = a()
        except X | m.Y as e
          t1 = b()
        except Z as -
          t2 = c()
        except  as -
          t3 = d()
        else
          t4 = f()
        finally
          t5 = g()
        """
    )


def test_assert_asserts_each_operand_of_and() -> None:
    assert body("assert a and b == 1, f()") == "assert a\nt0 = b == 1\nassert t0"


def test_return_without_a_value_returns_none() -> None:
    assert body("def f():\n return", "f") == "return null"


def test_global_and_nonlocal_names_belong_outside() -> None:
    file = lower("def f():\n global a, b\n def g():\n  nonlocal c\n")
    assert function(file, "f").outer == ["a", "b"]
    assert function(file, "f.g").outer == ["c"]


def test_python_2_statements_are_calls() -> None:
    assert body('print "a", b\nprint >>f, c\nexec d in e\n`x`\nraise E, "m"') == text(
        """
        t0 = print("a", b)
        t1 = f.write(c)
        t2 = exec(d, e)
        t3 = repr(x)
        t4 = E("m")
        raise t4
        """
    )
    assert "except A as e" in body("try: f()\nexcept A, e: g()")


def test_match_on_constants_is_a_switch_without_fall_through() -> None:
    assert body("match a:\n case 1 | 'b': f()\n case -2: g()\n case _: h()") == text(
        """
        switch a $1
        case 1, "b"
          t0 = f()
          break $1
        case -2
          t1 = g()
          break $1
        case _
          t2 = h()
          break $1
        """
    )


def test_break_inside_of_a_match_leaves_the_loop() -> None:
    assert body("for x in y:\n match x:\n  case 1: break\n  case _: continue") == text(
        """
        for t0 in y values $2
          x = t0
          switch x $1
          case 1
            break $2
            break $1
          case _
            continue
            break $1
        """
    )


def test_match_patterns_test_then_bind() -> None:
    code = "match a:\n case [1, *b] if b: f()\n case P(x=c): g()\n case {'k': v}: h()\n case m.N: i()\n case d: j()"
    assert body(code) == text(
        """
        block $1
          t0 = a is a list | tuple
          if t0
            t1 = a[0]
            t2 = t1 == 1
            if t2
              t3 = a.$slice(1, null, null)
              b = t3
              if b
                t4 = f()
                break $1
          t5 = a is a P
          if t5
            t6 = a.x
            c = t6
            t7 = g()
            break $1
          t8 = a is a dict
          if t8
            t9 = "k" in a
            if t9
              t10 = a["k"]
              v = t10
              t11 = h()
              break $1
          t12 = m.N
          t13 = a == t12
          if t13
            t14 = i()
            break $1
          d = a
          t15 = j()
          break $1
        """
    )


def test_a_pattern_with_alternatives_matches_if_any_of_them_does() -> None:
    assert "$2 = false" in body("match a:\n case P() | None as b: f(b)")
    assert body("match a:\n case P() | None as b: f(b)").endswith("if $2\n    b = a\n    t2 = f(b)\n    break $1")
