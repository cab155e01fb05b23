"""Python modules, imports, functions and classes in the intermediate representation."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.python_lowering import body, function, lower, text

from glasshouse.scan import ir


def imports(code: str) -> list[tuple[str, str, str, int]]:
    return [(each.local, each.module, each.name, each.level) for each in lower(code).imports]


def test_import_binds_the_top_package_and_loads_the_whole_module() -> None:
    assert body("import a.b.c") == "$1 = import a.b.c\na = import a"
    assert imports("import a.b.c") == [("a", "a.b.c", "", 0), ("a", "a", "", 0)]


def test_import_as_binds_the_module_itself() -> None:
    assert body("import a.b as x, c") == "x = import a.b\nc = import c"


def test_from_import_binds_names_and_counts_the_dots() -> None:
    code = "from ..m.n import (a, b as c)\nfrom . import d\nfrom e import *"
    assert body(code) == text(
        """
        a = import ..m.n:a
        c = import ..m.n:b
        d = import .:d
        - = import e:*
        """
    )
    assert imports(code) == [("a", "m.n", "a", 2), ("c", "m.n", "b", 2), ("d", "", "d", 1), ("*", "e", "*", 0)]


def test_a_conditional_import_is_inside_of_its_condition() -> None:
    assert body("try: import a\nexcept ImportError: a = None") == text(
        """
        try
          a = import a
        except ImportError as -
          a = null
        """
    )


def test_an_import_of_a_constant_name_by_call_is_an_import() -> None:
    assert body('x = __import__("a.b")') == "$1 = import a.b\nt0 = import a\nx = t0"
    assert body('x = importlib.import_module("a.b")') == "t0 = import a.b\nx = t0"
    assert body("x = importlib.import_module(n)") == "t0 = importlib.import_module(n)\nx = t0"


def test_a_decorator_is_called_with_what_the_inner_one_gave() -> None:
    code = '@app.route("/x", methods=["GET"], n=a)\n@login\ndef f(): pass\n'
    assert body(code) == text(
        """
        t0 = function 1
        t1 = login(t0)
        t2 = list("GET")
        t3 = app.route("/x", methods=t2, n=a)
        t4 = t3(t1)
        f = t4
        """
    )
    route, login = lower(code).functions[1].decorators
    assert (route.name, route.args) == ("app.route", [("", "/x"), ("methods", ["GET"]), ("n", None)])
    assert (login.name, login.args) == ("login", [])
    assert ir.unpack_span(route.span)[:2] == (1, 0)


def test_parameters_have_kinds_types_and_defaults() -> None:
    file = lower("def f(a, b: 'm.B' = g(), /, *c: int, d, e=1, **h): pass")
    params = file.functions[1].params
    assert [(each.name, each.kind, each.type, each.has_default) for each in params] == [
        ("a", "pos", "", False),
        ("b", "pos", "m.B", True),
        ("c", "*", "int", False),
        ("d", "kw", "", False),
        ("e", "kw", "", True),
        ("h", "**", "", False),
    ]
    assert body("def f(b=g()): pass", "f") == "default b = t0\n  t0 = g()"


def test_a_tuple_parameter_of_python_2_is_unpacked() -> None:
    assert body("def f(a, (b, c)): pass", "f") == "t0 = $1[0]\nb = t0\nt1 = $1[1]\nc = t1"


def test_the_first_parameter_of_a_method_is_its_receiver_unless_it_is_static() -> None:
    file = lower("class A:\n def m(this, a): pass\n @classmethod\n def c(cls): pass\n @staticmethod\n def s(a): pass\n")
    kinds = {each.name: [param.kind for param in each.params] for each in file.functions if each.kind == "method"}
    assert kinds == {"m": ["self", "pos"], "c": ["self"], "s": ["pos"]}
    flags = {each.name: each.flags & (ir.STATIC | ir.CLASS_METHOD) for each in file.functions}
    assert (flags["m"], flags["c"], flags["s"]) == (0, ir.CLASS_METHOD, ir.STATIC)


def test_a_property_is_not_called_and_its_setter_does_not_replace_it() -> None:
    code = "class A:\n @property\n def p(self): pass\n @p.setter\n def p(self, v): pass\n"
    file = lower(code)
    assert file.classes[0].methods == [("p", 2), ("p.setter", 3)]
    assert [each.qualname for each in file.functions[2:]] == ["A.p", "A.p.setter"]
    assert file.functions[2].flags & ir.PROPERTY
    assert [instr[2] for instr in file.functions[1].body if instr[0] == ir.MOVE] == ["p"]
    assert not any(instr[0] == ir.CALL for instr in file.functions[1].body)


def test_a_class_has_bases_fields_methods_and_a_body_that_runs() -> None:
    code = "@d\nclass A(m.B, C[int], metaclass=M):\n x: int = 1\n y = f()\n def g(self): pass\n class D: pass\n"
    file = lower(code)
    first, inner = file.classes
    assert (first.name, first.bases, first.fields, first.methods) == (
        "A",
        ["m.B", "C"],
        [("x", "int"), ("y", "")],
        [("g", 2)],
    )
    assert (inner.qualname, inner.parent) == ("A.D", 0)
    assert file.functions[first.body].kind == "class"
    assert body(code) == "t0 = class 0\nt1 = d(t0)\nA = t1"


def test_a_method_does_not_see_the_variables_of_its_class() -> None:
    file = lower("def f():\n class A:\n  def m(self):\n   return lambda: 1\n")
    names = {each.qualname: index for index, each in enumerate(file.functions) if each.kind != "class"}
    assert function(file, "f.A.m").parent == names["f"]
    assert function(file, "f.A.m.<lambda>").parent == names["f.A.m"]
    assert function(file, "f").parent == 0


def test_public_names_are_exported_and_nested_ones_are_not() -> None:
    code = "def a():\n def b(): pass\ndef _c(): pass\nclass D:\n def e(self): pass\n def __f__(s): 0\n def _g(s): 0\n"
    exported = {each.qualname for each in lower(code).functions if each.flags & ir.EXPORTED}
    assert exported == {"a", "D.e", "D.__f__"}


def test_a_literal_all_decides_what_is_exported() -> None:
    code = "__all__ = ['a']\n__all__ += ['C']\ndef a(): 0\ndef b(): 0\nclass C:\n def d(s): 0\nclass E:\n def f(s): 0\n"
    file = lower(code)
    assert {each.qualname for each in file.functions if each.flags & ir.EXPORTED} == {"a", "C.d"}
    assert {each.qualname for each in file.classes if each.flags & ir.EXPORTED} == {"C"}


@pytest.mark.parametrize(
    ("path", "test"),
    [("a/tests/b.py", True), ("tests/b.py", True), ("a/test_b.py", True), ("a/b.py", False), ("latest/b.py", False)],
)
def test_functions_of_tests_are_marked(path: str, test: bool) -> None:
    assert bool(lower("def f(): pass", path).functions[1].flags & ir.TEST) is test


def test_async_generator_constructor_and_abstract_functions_are_marked() -> None:
    code = "class A:\n def __init__(self): yield 1\n @abc.abstractmethod\n async def m(self): pass\n"
    init, method = lower(code).functions[2:]
    assert init.flags & ir.CONSTRUCTOR
    assert init.flags & ir.GENERATOR
    assert method.flags & ir.ASYNC
    assert method.flags & ir.ABSTRACT


def test_the_module_comes_first_and_lines_are_counted() -> None:
    file = lower("a\nb\nc")
    assert (file.functions[0].kind, file.functions[0].parent, file.lines) == ("module", -1, 3)
    assert lower("").lines == 0
