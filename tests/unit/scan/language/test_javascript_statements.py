"""How JavaScript statements, patterns and scopes are lowered: one rule a test."""

from __future__ import annotations

from tests.unit.scan.language.javascript_lowering import body, function, inner, lower


def test_a_function_declaration_exists_before_the_first_statement() -> None:
    assert body("f(); function f() {}") == ["t0 = function 1", "f = t0", "t1 = f()"]


def test_a_block_name_that_hides_an_outer_one_is_renamed() -> None:
    assert inner("function f(x) { { let x = 1; g(x); } h(x); }") == ["x$1 = 1", "t0 = g(x$1)", "t1 = h(x)"]


def test_a_block_name_that_hides_nothing_keeps_its_name() -> None:
    assert inner("function f() { { let x = 1; } { let x = 2; } }") == ["x = 1", "x = 2"]


def test_a_closure_sees_the_renamed_variable_of_its_block() -> None:
    assert inner("let y; { const y = 1; f(() => y); }") == ["return y$1"]


def test_a_parameter_hides_a_renamed_variable() -> None:
    assert inner("let y; { const y = 1; f(y => y); }") == ["return y"]


def test_a_loop_variable_that_hides_an_outer_one_is_renamed() -> None:
    lines = body("let i = 0; for (let i = 1; i < 2; i++) f(i); g(i)")
    assert lines == [
        *["i = 0", "i$1 = 1", "loop", "test", "  t0 = i$1 < 2", "while t0", "  t1 = f(i$1)"],
        *["update", "  t2 = i$1 + 1", "  i$1 = t2", "t3 = g(i)"],
    ]


def test_a_variable_of_an_enclosing_function_that_is_written_is_named_as_outer() -> None:
    code = "let a; function f() { a = 1; var b; b = 2; let c = 3; for (const d of e) c = d; }"
    assert function(lower(code), "f").outer == ["a"]


def test_a_declaration_without_a_value_is_undefined() -> None:
    assert body("let a; var b;") == ["a = null", "b = null"]


def test_a_repeated_var_keeps_the_value() -> None:
    assert body("var a = 1; var a;") == ["a = 1"]


def test_object_patterns_read_properties() -> None:
    assert body("const {a, b: c, d: {e}, ...r} = o") == [
        *["t0 = o.a", "a = t0", "t1 = o.b", "c = t1", "t2 = o.d", "t3 = t2.e", "e = t3"],
        *['t4 = o.$rest("a", "b", "d")', "r = t4"],
    ]


def test_array_patterns_read_items_by_position() -> None:
    assert body("const [a, , b, ...c] = o") == [
        *["t0 = o[0]", "a = t0", "t1 = o[2]", "b = t1", "t2 = o.$slice(3, null, null)", "c = t2"],
    ]


def test_a_default_in_a_pattern_replaces_undefined() -> None:
    assert body("const {a = 1} = o") == [
        *["t0 = o.a", "$1 = t0", "t1 = $1 === null", "if t1", "  $1 = 1", "a = $1"],
    ]


def test_an_assignment_pattern_writes_properties() -> None:
    assert body("({a: b.c, d} = o)") == ["t0 = o.a", "b.c = t0", "t1 = o.d", "d = t1"]


def test_a_computed_pattern_key_reads_an_item() -> None:
    assert body("const {[k]: v} = o") == ["t0 = o[k]", "v = t0"]


def test_a_destructured_parameter_is_bound_in_the_body() -> None:
    lowered = lower("function f({a}, [b] = [], c = 1, ...d) {}").functions[1]
    assert [(each.name, each.kind, each.has_default) for each in lowered.params] == [
        ("$p0", "pos", False),
        ("$p1", "pos", True),
        ("c", "pos", True),
        ("d", "*", False),
    ]
    assert inner("function f({a}, [b] = [], c = 1) {}") == [
        *["t0 = $p0.a", "a = t0", "default $p1 = t1", "  t1 = list()", "t2 = $p1[0]", "b = t2", "default c = 1"],
    ]


def test_a_chain_of_else_if_nests_in_the_else_blocks() -> None:
    assert body("if (a) f(); else if (b) g(); else h()") == [
        *["if a", "  t0 = f()", "else", "  if b", "    t1 = g()", "  else", "    t2 = h()"],
    ]


def test_a_long_chain_of_else_if_becomes_a_flat_block() -> None:
    lines = body("if (a) f();" + " else if (b) g();" * 40 + " else h();")
    assert lines[:4] == ["block $1", "  if a", "    t0 = f()", "    break $1"]
    assert lines[-1] == "  t41 = h()"
    assert max(len(line) - len(line.lstrip()) for line in lines) == 4


def test_a_for_loop_runs_its_initialiser_before() -> None:
    assert body("for (var i = 0; i < n; i++) f(i)") == [
        *["i = 0", "loop", "test", "  t0 = i < n", "while t0", "  t1 = f(i)", "update", "  t2 = i + 1", "  i = t2"],
    ]


def test_an_endless_loop_has_no_condition() -> None:
    assert body("for (;;) break;") == ["loop", "while -", "  break"]


def test_a_while_loop_evaluates_its_condition_each_time() -> None:
    assert body("while (x = f()) continue") == ["loop", "test", "  t0 = f()", "  x = t0", "while t0", "  continue"]


def test_a_do_loop_runs_its_body_first() -> None:
    assert body("do f(); while (g())") == ["do", "  t0 = f()", "test", "  t1 = g()", "while t1"]


def test_for_of_binds_values_and_for_in_binds_keys() -> None:
    assert body("for (const [a] of b) f(a)") == ["for t0 in b values", "  t1 = t0[0]", "  a = t1", "  t2 = f(a)"]
    assert body("for (k in o) f(k)") == ["for t0 in o keys", "  k = t0", "  t1 = f(k)"]


def test_labels_go_to_loops_and_jumps() -> None:
    assert body("l: for (const a of b) { while (1) { continue l } }") == [
        *["for t0 in b values l", "  a = t0", "  loop", "  while 1", "    continue l"],
    ]
    assert body("l: { f(); break l }") == ["block l", "  t0 = f()", "  break l"]


def test_switch_cases_keep_their_order_and_fall_through() -> None:
    assert body("switch (x) { case 1: case 'b': f(); break; default: g() }") == [
        *["switch x", "case 1", 'case "b"', "  t0 = f()", "  break", "case _", "  t1 = g()"],
    ]


def test_try_has_one_handler_for_everything() -> None:
    assert body("try { f() } catch (e) { g(e) } finally { h() }") == [
        *["try", "  t0 = f()", "except  as e", "  t1 = g(e)", "finally", "  t2 = h()"],
    ]


def test_a_destructured_exception_is_bound_in_the_handler() -> None:
    assert body("try {} catch ({message}) { f(message) }") == [
        *["try", "except  as $1", "  t0 = $1.message", "  message = t0", "  t1 = f(message)"],
    ]


def test_throw_raises_and_return_without_a_value_is_undefined() -> None:
    assert inner("function f() { if (a) return; throw b }") == ["if a", "  return null", "raise b"]


def test_an_arrow_with_an_expression_returns_it() -> None:
    lowered = lower("const f = async x => x.y").functions[1]
    assert (lowered.name, lowered.kind, lowered.flags & 8) == ("f", "lambda", 8)
    assert inner("const f = x => x.y") == ["t0 = x.y", "return t0"]


def test_functions_take_the_name_they_are_assigned_to() -> None:
    names = [each.name for each in lower("a.b = function() {}; x = {c: () => 1}; f(function() {})").functions]
    assert names == ["", "b", "c", "<anonymous>"]


def test_a_function_expression_can_call_itself_by_name() -> None:
    assert body("f(function g() { g(); })") == ["t0 = function 1", "g = t0", "t1 = f(t0)"]


def test_a_prototype_assignment_stays_an_attribute_assignment() -> None:
    assert body("function F() {} F.prototype.m = function() {}")[2:] == [
        *["t1 = function 2", "t2 = F.prototype", "t2.m = t1"],
    ]


def test_functions_in_test_files_are_marked() -> None:
    for path in ("test/a.js", "src/__tests__/a.ts", "a.spec.tsx", "a.test.mjs"):
        assert all(each.flags & 2048 for each in lower("function f() {}", path).functions)
    assert not any(each.flags & 2048 for each in lower("function f() {}", "src/contest/a.js").functions)
