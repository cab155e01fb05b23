"""Java statements in the intermediate representation: one rule a construct."""

from __future__ import annotations

from tests.unit.scan.language.java_lowering import body, method


def test_a_var_local_has_no_declared_type() -> None:
    assert method("var x = 1;") == ["MOVE x 1"]


def test_a_local_declaration_drops_generic_arguments() -> None:
    assert method("java.util.Map<String, List<Integer>>[] x;") == ["DECLARE x java.util.Map[]"]


def test_a_condition_is_computed_right_before_its_branch() -> None:
    assert method("if (Q == 1) f(); else g();") == [
        "BINOP %0 == Q 1",
        "IF %0",
        "  CALL_METHOD %1 this f [] []",
        "  --",
        "  CALL_METHOD %2 this g [] []",
    ]


def test_else_if_arms_nest() -> None:
    assert method("if (P) f(); else if (Q) g(); else h();") == [
        "IF P",
        "  CALL_METHOD %0 this f [] []",
        "  --",
        "  IF Q",
        "    CALL_METHOD %1 this g [] []",
        "    --",
        "    CALL_METHOD %2 this h [] []",
    ]


def test_a_for_loop_has_test_body_and_update() -> None:
    assert method("for (int i = 0; i < 3; i++) f(i);") == [
        "DECLARE i int",
        "MOVE i 0",
        "LOOP  %0",
        "  BINOP %0 < i 3",
        "  --",
        "  CALL_METHOD %1 this f [i] []",
        "  --",
        "  BINOP %2 + i 1",
        "  MOVE i %2",
    ]


def test_an_endless_for_loop_has_no_condition() -> None:
    assert method("for (;;) { break; }") == ["LOOP  ", "  --", "  BREAK ", "  --"]


def test_an_enhanced_for_loop_declares_its_element() -> None:
    assert method("for (String s : Q) f(s);") == [
        "FOREACH  %0 Q values",
        "  DECLARE s String",
        "  MOVE s %0",
        "  CALL_METHOD %1 this f [s] []",
    ]


def test_while_and_do_loops_test_before_and_after() -> None:
    assert method("while (f()) g();") == [
        "LOOP  %0",
        "  CALL_METHOD %0 this f [] []",
        "  --",
        "  CALL_METHOD %1 this g [] []",
        "  --",
    ]
    assert method("do g(); while (Q);") == ["DO_LOOP  Q", "  CALL_METHOD %0 this g [] []", "  --"]


def test_labels_name_loops_and_blocks() -> None:
    assert method("a: while (Q) { continue a; }")[0] == "LOOP a Q"
    assert method("a: { break a; }") == ["BLOCK a", "  BREAK a"]


def test_a_colon_switch_falls_through() -> None:
    assert method('switch (Q) { case "a": case "b": f(); break; default: g(); }') == [
        "SWITCH  Q",
        "  case ['a']",
        "  case ['b']",
        "    CALL_METHOD %0 this f [] []",
        "    BREAK ",
        "  case []",
        "    CALL_METHOD %1 this g [] []",
    ]


def test_an_arrow_switch_leaves_after_each_arm() -> None:
    assert method("switch (Q) { case 1, 2 -> f(); default -> g(); }") == [
        "SWITCH  Q",
        "  case [1, 2]",
        "    CALL_METHOD %0 this f [] []",
        "    BREAK ",
        "  case []",
        "    CALL_METHOD %1 this g [] []",
        "    BREAK ",
    ]


def test_a_switch_expression_writes_one_variable() -> None:
    assert method("f(switch (Q) { case A -> 1; default -> { yield 2; } });") == [
        "SWITCH $l1 Q",
        "  case [A]",
        "    MOVE $1 1",
        "    BREAK ",
        "  case []",
        "    MOVE $1 2",
        "    BREAK $l1",
        "    BREAK ",
        "CALL_METHOD %0 this f [$1] []",
    ]


def test_pattern_cases_are_type_tests_with_guards() -> None:
    assert method("switch (Q) { case String s when s.isEmpty() -> f(s); default -> g(); }") == [
        "SWITCH  Q",
        "  case []",
        "    CAST %0 String Q",
        "    DECLARE s String",
        "    MOVE s %0",
        "    IS_TYPE %1 Q [String]",
        "    IF %1",
        "      CALL_METHOD %2 s isEmpty [] []",
        "      IF %2",
        "        CALL_METHOD %3 this f [s] []",
        "        BREAK ",
        "        --",
        "      --",
        "    CALL_METHOD %4 this g [] []",
        "    BREAK ",
    ]


def test_try_has_handlers_with_their_types_and_a_finally_block() -> None:
    assert method("try { f(); } catch (A | b.B e) { g(e); } finally { h(); }") == [
        "TRY",
        "  CALL_METHOD %0 this f [] []",
        "  --",
        "  --",
        "  CALL_METHOD %2 this h [] []",
        "  catch A|b.B e",
        "    CALL_METHOD %1 this g [e] []",
    ]


def test_resources_are_set_up_inside_the_try() -> None:
    assert method("try (Reader r = open()) { r.read(); }")[:4] == [
        "TRY",
        "  CALL_METHOD %0 this open [] []",
        "  DECLARE r Reader",
        "  MOVE r %0",
    ]


def test_throw_and_return() -> None:
    assert body("class A { int m(Object o) { if (o) throw o; return 1; } }") == [
        "IF o",
        "  RAISE o",
        "  --",
        "RETURN 1",
    ]


def test_an_assertion_guards_nothing_but_its_detail() -> None:
    assert body("class A { void m(Object o) { assert o : f(o); } }") == [
        "IF o",
        "  --",
        "  CALL_METHOD %0 this f [o] []",
    ]


def test_a_synchronized_block_enters_and_leaves_the_monitor() -> None:
    assert method("synchronized (this) { f(); }") == [
        "CALL %0 $monitor_enter [this] []",
        "CALL_METHOD %1 this f [] []",
        "CALL %2 $monitor_exit [this] []",
    ]


def test_a_local_class_is_a_variable_where_it_is_declared() -> None:
    assert method("class L {} new L();") == ["CLASS %0 %1", "MOVE L %0", "NEW %1 L [] []"]
