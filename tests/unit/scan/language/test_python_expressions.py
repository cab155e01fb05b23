"""Python expressions in the intermediate representation."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.python_lowering import body, lower, text

from glasshouse.scan import ir


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("'a'", "a"),
        ('"""a\nb"""', "a\nb"),
        (r"'\x41\n\101\u00e9\N{BULLET}\q'", "A\nA\u00e9\u2022\\q"),
        (r"r'\n'", "\\n"),
        (r"b'\xff\n'", "\xff\n"),
        (r"'\ud800'", "\ufffd"),
        ("'a' \"b\" u'c'", "abc"),
        ("f'a{{b'", "a{b"),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0777", 511),
        ("10L", 10),
        ("1.5e3", 1500.0),
        ("-3", -3),
        ("True", True),
        ("None", None),
        ("2j", "2j"),
        ("36893488147419103232", 36893488147419103232.0),
    ],
)
def test_a_literal_is_a_constant_with_its_value(literal: str, value: object) -> None:
    module = lower(f"x = {literal}\n").functions[0]
    (move,) = module.body
    assert move[0] == ir.MOVE
    found = module.consts[-1 - move[3]]
    assert found == value
    assert type(found) is type(value)


def test_a_long_text_constant_is_cut() -> None:
    assert len(lower("x = '" + "a" * 10_000 + "'").functions[0].consts[0]) == 4096


def test_a_call_of_an_attribute_is_a_method_call_and_a_chain_is_followed_from_the_inside() -> None:
    assert body("x = a.b.c(1, *d, k=e, **f).g[h]") == text(
        """
        t0 = a.b
        t1 = t0.c(1, *d, k=e, **f)
        t2 = t1.g
        t3 = t2[h]
        x = t3
        """
    )


def test_comments_inside_of_expressions_do_not_matter() -> None:
    code = "x = f(  # one\n  a,  # two\n  b  # three\n  .c,\n  d \\\n  + e)\n"
    assert body(code) == "t0 = b.c\nt1 = d + e\nt2 = f(a, t0, t1)\nx = t2"


def test_a_slice_is_a_method_of_the_object() -> None:
    assert body("x = a[1:]") == "t0 = a.$slice(1, null, null)\nx = t0"


def test_a_subscript_with_several_keys_has_a_tuple_as_key() -> None:
    assert body("x = a[b, 1]") == "t0 = tuple(b, 1)\nt1 = a[t0]\nx = t1"


def test_operators_are_applied_from_left_to_right() -> None:
    assert body("x = a + b % c + d") == "t0 = b % c\nt1 = a + t0\nt2 = t1 + d\nx = t2"


def test_a_chain_of_comparisons_stops_at_the_first_that_fails() -> None:
    assert body("x = a < b <= c") == text(
        """
        t0 = a < b
        $1 = t0
        if $1
          t1 = b <= c
          $1 = t1
        x = $1
        """
    )


@pytest.mark.parametrize(
    ("operator", "name"), [("is not", "is not"), ("not  in", "not in"), ("<>", "!="), ("is", "is"), ("@", "*")]
)
def test_an_operator_has_one_name(operator: str, name: str) -> None:
    assert body(f"x = a {operator} b") == f"t0 = a {name} b\nx = t0"


def test_or_gives_the_first_true_operand_and_and_the_first_false_one() -> None:
    assert body("x = a or b") == "$1 = a\nif $1\nelse\n  $1 = b\nx = $1"
    assert body("x = a and b") == "$1 = a\nif $1\n  $1 = b\nx = $1"


def test_a_conditional_expression_computes_only_the_chosen_arm() -> None:
    assert body("x = f() if c == 1 else g()") == text(
        """
        t0 = c == 1
        if t0
          t1 = f()
          $1 = t1
        else
          t2 = g()
          $1 = t2
        x = $1
        """
    )


def test_a_walrus_binds_its_name() -> None:
    assert body("f(y := g())") == "t0 = g()\ny = t0\nt1 = f(y)"


def test_an_f_string_is_a_template_of_constant_and_computed_parts() -> None:
    assert body("""x = f"a{b!r}c{d.e:>{w}}" 'f' f'{g}'""") == text(
        """
        t0 = d.e
        t1 = template("a", b, "c", t0, "f", g)
        x = t1
        """
    )


def test_a_numeric_format_makes_a_number_of_the_value() -> None:
    assert body('x = f"{a:05d}"') == "t0 = + a\nt1 = template(t0)\nx = t1"


def test_a_display_spreads_starred_elements() -> None:
    assert body("x = [1, *a], {2: b, **c}, {d}") == text(
        """
        t0 = list(1, *a)
        t1 = dict(2: b, *c)
        t2 = set(d)
        t3 = tuple(t0, t1, t2)
        x = t3
        """
    )


def test_a_comprehension_is_a_loop_whose_variables_are_its_own() -> None:
    assert body("x = [f(y, z) for y in y if y if y.a for z in y]") == text(
        """
        t0 = list()
        $1 = t0
        for t1 in y values
          y$2 = t1
          if y$2
            t2 = y$2.a
            if t2
              for t3 in y$2 values
                z$3 = t3
                t4 = f(y$2, z$3)
                t5 = $1.append(t4)
        x = $1
        """
    )


def test_a_comprehension_ends_the_names_of_its_variables() -> None:
    assert body("x = {y for y in a}\nf(y)").endswith("x = $1\nt3 = f(y)")


def test_a_dict_comprehension_sets_items_and_a_generator_appends() -> None:
    assert "$1[k$2] = v$3" in body("x = {k: v for k, v in a}")
    assert "t2 = $1.append(y$2)" in body("f(y for y in a)")


def test_a_lambda_inside_of_a_comprehension_keeps_its_own_parameters() -> None:
    file = lower("x = [lambda y, w=y: y + z + w for y, z in a]")
    assert file.functions[1].params[0].name == "y"
    add = [instr for instr in file.functions[1].body if instr[0] == ir.BINOP]
    assert add[0][4:] == ["y", "z$3"]


def test_a_lambda_is_a_function_that_returns_its_expression() -> None:
    file = lower("x = lambda a, *b, c=1, **d: a.e")
    assert [(each.name, each.kind) for each in file.functions[1].params] == [
        ("a", "pos"),
        ("b", "*"),
        ("c", "kw"),
        ("d", "**"),
    ]
    assert body("x = lambda a: a.e", "<lambda>") == "t0 = a.e\nreturn t0"


def test_isinstance_is_a_type_test() -> None:
    assert body("x = isinstance(a, str)") == "t0 = a is a str\nx = t0"
    assert body("x = isinstance(a.b, (str, m.B))") == "t0 = a.b\nt1 = t0 is a str | m.B\nx = t1"


def test_isinstance_with_computed_types_is_an_ordinary_call() -> None:
    assert body("x = isinstance(a, f())") == "t0 = f()\nt1 = isinstance(a, t0)\nx = t1"


def test_await_and_yield_have_values() -> None:
    code = "async def f():\n    x = await g()\n    y = yield x\n    z = yield from y\n"
    assert body(code, "f") == text(
        """
        t0 = g()
        t1 = await t0
        x = t1
        t2 = yield x
        y = t2
        t3 = yield from y
        z = t3
        """
    )


def test_super_is_called_without_arguments() -> None:
    assert body("super().m(a)") == "t0 = super()\nt1 = t0.m(a)"


def test_the_span_of_a_call_is_the_whole_expression_and_of_a_binding_the_name() -> None:
    call, move = lower("\nabc = f(\n  1)\n").functions[0].body
    assert ir.unpack_span(call[1]) == (2, 6, 3, 4)
    assert ir.unpack_span(move[1]) == (2, 0, 2, 3)


def test_columns_are_counted_in_bytes_and_clamped() -> None:
    call = lower("é = 'éé' + f()\n").functions[0].body[0]
    assert ir.unpack_span(call[1]) == (1, 14, 1, 17)
    far = lower("x = '" + "a" * 6000 + "' + f()\n").functions[0].body[0]
    assert ir.unpack_span(far[1]) == (1, 4095, 1, 4095)
