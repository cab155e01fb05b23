"""Java expressions in the intermediate representation: one rule a construct."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.java_lowering import body, function, lower, method, shown


def test_a_bare_name_that_is_a_local_is_a_variable() -> None:
    assert method("int x = 1; int y = x;") == ["DECLARE x int", "MOVE x 1", "DECLARE y int", "MOVE y x"]


def test_a_bare_name_that_is_an_instance_field_is_read_from_this() -> None:
    assert method("int y = x;", "int x;")[0] == "ATTR %0 this x"


def test_a_bare_name_that_is_a_static_field_is_read_from_the_class() -> None:
    assert method("int y = x;", "static int x;")[0] == "ATTR %0 A x"


def test_an_assignment_to_a_field_writes_this() -> None:
    assert method("x = 1;", "int x;") == ["SET_ATTR this x 1"]


def test_a_local_of_an_inner_block_does_not_hide_the_field_after_the_block() -> None:
    assert method("{ int x = 1; } f(x);", "int x;")[-2:] == ["ATTR %0 this x", "CALL_METHOD %1 this f [%0] []"]


def test_an_unknown_capitalised_name_is_a_variable() -> None:
    assert method("f(Config);") == ["CALL_METHOD %0 this f [Config] []"]


def test_an_outer_instance_field_is_read_from_the_outer_this() -> None:
    code = "class Outer { int x; class Inner { int m() { return x; } } }"
    assert body(code)[0] == "ATTR %0 Outer.this x"


def test_a_captured_local_of_an_anonymous_class_is_a_variable() -> None:
    code = "class A { void f(String p) { new Thread() { public void m() { g(p); } }; } }"
    assert body(code) == ["CALL_METHOD %0 this g [p] []"]


def test_a_bare_call_goes_to_the_class_when_the_method_is_static() -> None:
    assert method("s(1);", "static void s(int x) {}") == ["CALL_METHOD %0 A s [1] []"]


def test_a_bare_call_in_a_static_method_goes_to_the_class() -> None:
    assert body("class A { static void m() { other(); } }") == ["CALL_METHOD %0 A other [] []"]


def test_a_bare_call_of_a_statically_imported_name_is_a_function_call() -> None:
    assert body("import static a.B.f; class A { void m() { f(1); } }") == ["CALL %0 f [1] []"]


def test_a_bare_call_of_an_outer_method_uses_the_outer_this() -> None:
    code = "class Outer { void f() {} class Inner { void m() { f(); } } }"
    assert body(code) == ["CALL_METHOD %0 Outer.this f [] []"]


def test_calls_and_fields_chain_from_the_innermost_receiver() -> None:
    assert method("x = a.b(1).c.d();", "int x, a;") == [
        "ATTR %0 this a",
        "CALL_METHOD %1 %0 b [1] []",
        "ATTR %2 %1 c",
        "CALL_METHOD %3 %2 d [] []",
        "SET_ATTR this x %3",
    ]


def test_a_qualified_class_name_is_read_from_its_package() -> None:
    assert method("java.util.List.of();")[:2] == ["ATTR %0 java util", "ATTR %1 %0 List"]


def test_a_qualified_type_in_new_is_read_from_its_package() -> None:
    assert method("new java.io.File(1);")[-1] == "NEW %2 %1 [1] []"


def test_super_calls_have_super_as_receiver() -> None:
    assert method("super.m(); A.super.m();") == ["CALL_METHOD %0 super m [] []", "CALL_METHOD %1 super m [] []"]


def test_constructor_calls_are_calls_of_this_and_super() -> None:
    file = lower("class A { A() { this(1); } } class B { B(int x) { super(x); } }")
    assert shown(function(file, "A.<init>")) == ["CALL %0 this [1] []"]
    assert shown(function(file, "B.<init>")) == ["CALL %0 super [x] []"]


def test_comments_between_arguments_change_nothing() -> None:
    assert method("f(/* a */ 1, 2 /* b */);") == ["CALL_METHOD %0 this f [1, 2] []"]
    assert method("f(1 /* a */, /* b */ 2);") == ["CALL_METHOD %0 this f [1, 2] []"]
    assert method("f(/* only */);") == ["CALL_METHOD %0 this f [] []"]


def test_string_concatenation_is_a_chain_of_binary_operations() -> None:
    assert method('f("a" + 1 + "b");') == [
        "BINOP %0 + 'a' 1",
        "BINOP %1 + %0 'b'",
        "CALL_METHOD %2 this f [%1] []",
    ]


def test_short_circuit_and_evaluates_the_right_side_only_when_the_left_holds() -> None:
    assert method("f(Q && g());") == [
        "MOVE $1 Q",
        "IF Q",
        "  CALL_METHOD %0 this g [] []",
        "  MOVE $1 %0",
        "  --",
        "CALL_METHOD %1 this f [$1] []",
    ]


def test_a_conditional_expression_writes_one_variable_in_both_arms() -> None:
    assert method("f(Q ? 1 : 2);") == [
        "IF Q",
        "  MOVE $1 1",
        "  --",
        "  MOVE $1 2",
        "CALL_METHOD %0 this f [$1] []",
    ]


def test_an_instanceof_pattern_casts_and_binds_its_variable() -> None:
    assert method("f(Q instanceof String s);")[:4] == [
        "CAST %0 String Q",
        "DECLARE s String",
        "MOVE s %0",
        "IS_TYPE %1 Q [String]",
    ]


def test_a_record_pattern_reads_the_components_of_a_known_record() -> None:
    code = "record P(int x, int y) {} class A { boolean m(Object o) { return o instanceof P(int a, var b); } }"
    assert body(code)[:2] == ["ATTR %0 o x", "CAST %1 int %0"]


def test_arrays_are_lists_and_sized_arrays_are_calls() -> None:
    assert method("int[] a = {1, 2}; a = new int[]{3}; a = new int[4]; a[0] = a[1];") == [
        "MAKE %0 list [1, 2]",
        "DECLARE a int[]",
        "MOVE a %0",
        "MAKE %1 list [3]",
        "MOVE a %1",
        "CALL %2 $array [4] []",
        "MOVE a %2",
        "ITEM %3 a 1",
        "SET_ITEM a 0 %3",
    ]


def test_a_compound_assignment_reads_computes_and_writes() -> None:
    assert method("int i = 0; i += 2;")[2:] == ["BINOP %0 + i 2", "MOVE i %0"]


def test_a_postfix_update_gives_the_value_before() -> None:
    assert method("int i = 0; f(i++);")[2:] == [
        "MOVE %0 i",
        "BINOP %1 + %0 1",
        "MOVE i %1",
        "CALL_METHOD %2 this f [%0] []",
    ]


def test_a_class_literal_is_the_class_attribute() -> None:
    assert method("f(String.class);")[0] == "ATTR %0 String class"


def test_a_lambda_is_a_closure_that_returns_its_expression() -> None:
    code = "class A { void m(String p) { F f = x -> p + x; } }"
    assert body(code, "A.m") == ["CLOSURE %0 %2", "DECLARE f F", "MOVE f %0"]
    assert body(code, "<lambda>") == ["BINOP %0 + p x", "RETURN %0"]


def test_a_bound_method_reference_passes_all_arguments_on() -> None:
    code = "class A { void m() { F f = this::go; } }"
    assert body(code, "<lambda>") == ["CALL_METHOD %0 this go [[*, args]] []", "RETURN %0"]


def test_a_method_reference_on_a_type_is_the_member() -> None:
    assert method("F f = String::trim;")[0] == "ATTR %0 String trim"


def test_a_constructor_reference_creates() -> None:
    assert body("class A { void m() { F f = B::new; } }", "<lambda>") == ["NEW %0 B [[*, args]] []", "RETURN %0"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("42", 42),
        ("1_000L", 1000),
        ("0xFF", 255),
        ("0xFFFFFFFF", -1),
        ("0b101", 5),
        ("017", 15),
        ("-7", -7),
        ("1.5f", 1.5),
        ("1e3", 1000.0),
        ("99999999999999999999999", 1e23),
        ("true", True),
        ("null", None),
        ("'c'", "c"),
        ("'\\u0041'", "A"),
        ('"a\\tb\\"c\\101"', 'a\tb"cA'),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\ud83d"', "\ufffd"),
        ('"h\u00e9"', "h\u00e9"),
    ],
)
def test_literals_have_their_java_value(written: str, value: object) -> None:
    lowered = function(lower(f"class A {{ void m() {{ x = {written}; }} }}"), "m")
    assert lowered.consts[-1] == value
    assert type(lowered.consts[-1]) is type(value)


def test_a_text_block_loses_its_common_indentation() -> None:
    lowered = function(lower('class A { String m() { return """\n      a\n        b\n      """; } }'), "m")
    assert lowered.consts == ["a\n  b\n"]


def test_long_text_is_cut() -> None:
    lowered = function(lower('class A { String m() { return "' + "x" * 100_000 + '"; } }'), "m")
    assert len(lowered.consts[0]) == 4096
