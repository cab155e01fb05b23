"""The Java front end on huge and broken files, beyond what every front end keeps to (`contract/test_front_ends`)."""

from __future__ import annotations

from tests.unit.scan.language.java_lowering import function, lower, shown

from glasshouse.scan.language.interface import LowerLimits


def test_a_huge_table_caps_its_function_and_the_next_function_is_whole() -> None:
    limits = LowerLimits(max_function_nodes=1_000)
    file = lower("class A { int[] t = {" + "1," * 20_000 + "1}; void m() { f(); } }", limits=limits)
    assert function(file, "<fields>").capped
    assert any("node limit" in note for note in file.notes)
    assert not function(file, "m").capped
    assert shown(function(file, "m")) == ["CALL_METHOD %0 this f [] []"]


def test_the_node_limit_of_a_file_ends_its_lowering() -> None:
    code = "class A { " + "".join(f"void m{i}() {{ f(); g(); }} " for i in range(2_000)) + "}"
    file = lower(code, limits=LowerLimits(max_nodes=500))
    assert any("node limit" in note for note in file.notes)


def test_methods_of_a_class_that_never_ends_are_lowered() -> None:
    file = lower("public class A {\n  public void a(String s) { f(s); }\n  public void b() {\n    if (x) {\n")
    assert file.errors
    assert "CALL_METHOD %0 this f [s] []" in shown(function(file, "a"))
