"""Java files, classes and members in the intermediate representation."""

from __future__ import annotations

from tests.unit.scan.language.java_lowering import function, lower, shown

from glasshouse.scan import ir


def test_a_file_has_its_package_and_imports() -> None:
    file = lower("package a.b;\nimport c.D;\nimport e.*;\nimport static f.G.h;\nimport static i.J.*;\nclass A {}")
    assert file.package == "a.b"
    assert [(each.local, each.module, each.name, each.static) for each in file.imports] == [
        ("D", "c.D", "", False),
        ("*", "e", "", False),
        ("h", "f.G", "h", True),
        ("*", "i.J", "*", True),
    ]
    assert shown(file.functions[0]) == ["IMPORT D c.D  %0", "IMPORT h f.G h %0", "CLASS %0 %0", "MOVE A %0"]


def test_bases_are_superclass_then_interfaces_without_generics() -> None:
    assert lower("class A<T> extends B<T> implements C, d.E<T> {}").classes[0].bases == ["B", "C", "d.E"]
    assert lower("interface A extends B, C {}").classes[0].bases == ["B", "C"]


def test_static_initialisers_run_in_the_class_body_and_instance_ones_on_each_instance() -> None:
    file = lower("class A { static int x = 1; int y = 2; static { x = 3; } { y = 4; } }")
    cls = file.classes[0]
    assert shown(file.functions[cls.body]) == ["MOVE x 1", "MOVE x 3"]
    assert shown(file.functions[cls.init]) == ["SET_ATTR this y 2", "SET_ATTR this y 4"]
    assert cls.fields == [("x", "int"), ("y", "int")]


def test_overloads_are_all_listed() -> None:
    methods = lower("class A { A() {} void m() {} void m(int x) {} }").classes[0].methods
    assert [name for name, _ in methods] == ["<init>", "m", "m"]


def test_parameters_carry_types_and_annotations() -> None:
    code = (
        'class A { void m(@RequestParam(value = "q", required = false) List<String> a, final int b[], Object... c) {} }'
    )
    params = function(lower(code), "m").params
    assert [(each.name, each.kind, each.type) for each in params] == [
        ("a", "pos", "List"),
        ("b", "pos", "int[]"),
        ("c", "*", "Object[]"),
    ]
    assert [(each.name, each.args) for each in params[0].decorators] == [
        ("RequestParam", [("value", "q"), ("required", False)])
    ]


def test_annotation_arguments_are_constants_lists_and_names() -> None:
    code = '@A({"x", "y" + "z"}) @B(method = M.POST, n = 3) @C class K {}'
    assert [(each.name, each.args) for each in lower(code).classes[0].decorators] == [
        ("A", [("", ["x", "yz"])]),
        ("B", [("method", "M.POST"), ("n", 3)]),
        ("C", []),
    ]


def test_public_members_of_public_classes_are_exported() -> None:
    file = lower(
        "package p; public class A { public void a() {} protected void b() {} void c() {} private void d() {} }"
    )
    flags = {each.name: bool(each.flags & ir.EXPORTED) for each in file.functions[1:]}
    assert flags == {"a": True, "b": True, "c": False, "d": False}


def test_members_of_package_private_classes_are_not_exported() -> None:
    file = lower("package p; class A { public void a() {} }")
    assert not function(file, "a").flags & ir.EXPORTED


def test_a_snippet_without_package_and_public_class_is_exported() -> None:
    assert function(lower("class A { public void a() {} }"), "a").flags & ir.EXPORTED


def test_interface_methods_are_exported_and_abstract() -> None:
    flags = function(lower("public interface A { void a(); }"), "a").flags
    assert flags & ir.EXPORTED
    assert flags & ir.ABSTRACT


def test_method_flags_follow_the_modifiers() -> None:
    file = lower("abstract class A { static void a() {} synchronized void b() {} abstract void c(); A() {} }")
    assert function(file, "a").flags & ir.STATIC
    assert function(file, "b").flags & ir.SYNCHRONIZED
    assert function(file, "c").flags & ir.ABSTRACT
    assert function(file, "<init>").flags & ir.CONSTRUCTOR


def test_enum_constants_are_instances_in_the_class_body() -> None:
    file = lower("enum E { A(1), B { void m() {} }; E(int x) {} }")
    assert shown(file.functions[file.classes[0].body]) == [
        "NEW %0 E [1] []",
        "MOVE A %0",
        "CLASS %1 %1",
        "NEW %2 %1 [] []",
        "MOVE B %2",
    ]
    assert file.classes[1].bases == ["E"]


def test_a_record_has_fields_accessors_and_a_constructor() -> None:
    file = lower("record R(String a, int b) { public int b() { return 1; } }")
    cls = file.classes[0]
    assert cls.fields == [("a", "String"), ("b", "int")]
    assert sorted(name for name, _ in cls.methods) == ["<init>", "a", "b"]
    assert shown(function(file, "R.a")) == ["ATTR %0 this a", "RETURN %0"]
    assert shown(function(file, "<init>")) == ["SET_ATTR this a a", "SET_ATTR this b b"]


def test_a_compact_constructor_stores_the_components_at_its_end() -> None:
    file = lower("record R(String a) { R { a = a.trim(); } }")
    assert shown(function(file, "<init>")) == ["CALL_METHOD %0 a trim [] []", "MOVE a %0", "SET_ATTR this a a"]


def test_member_classes_are_bound_in_the_body_of_their_outer_class() -> None:
    file = lower("class A { static class B { void m() {} } }")
    inner = next(each for each in file.classes if each.name == "B")
    assert inner.qualname == "A.B"
    assert inner.parent == 0
    assert shown(file.functions[file.classes[0].body]) == ["CLASS %0 %1", "MOVE B %0"]


def test_an_anonymous_class_has_the_created_type_as_base() -> None:
    file = lower("class A { Object o = new Runnable() { public void run() {} }; }")
    assert file.classes[1].bases == ["Runnable"]


def test_methods_without_a_class_are_exported_functions() -> None:
    file = lower("String run(String cmd) { return exec(cmd); }")
    lowered = function(file, "run")
    assert (lowered.kind, lowered.params[0].type, lowered.returns) == ("function", "String", "String")
    assert lowered.flags & ir.EXPORTED
    assert shown(lowered) == ["CALL %0 exec [cmd] []", "RETURN %0"]


def test_statements_without_a_class_are_the_module_body() -> None:
    assert shown(lower("String a = b(); c.d(a);").functions[0]) == [
        "CALL %0 b [] []",
        "DECLARE a String",
        "MOVE a %0",
        "CALL_METHOD %1 c d [a] []",
    ]


def test_files_of_a_test_tree_are_marked() -> None:
    assert lower("class A {}", "src/test/java/A.java").classes[0].flags & ir.TEST
    assert lower("class A {}", "x/FooTest.java").functions[0].flags & ir.TEST
    assert not lower("class A {}", "x/Foo.java").functions[0].flags & ir.TEST


def test_spans_point_at_lines_from_one_and_byte_columns_from_zero() -> None:
    file = lower("class A {\n  void m() {\n    f();\n  }\n}\n")
    assert ir.unpack_span(function(file, "m").body[0][1]) == (3, 4, 3, 7)
    assert ir.unpack_span(function(file, "m").span) == (2, 2, 4, 3)
    assert file.lines == 5


def test_columns_count_bytes() -> None:
    file = lower('class A { void m() { "\u00e9\u00e9".f(); } }')
    assert ir.unpack_span(function(file, "m").body[0][1])[3] == 21 + 10
