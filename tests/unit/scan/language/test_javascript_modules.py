"""How modules, exports, classes and TypeScript are lowered: one rule a test."""

from __future__ import annotations

import pytest
from tests.unit.scan.language.javascript_lowering import body, exported, function, inner, lower, shown

from glasshouse.scan import ir


def imports(code: str, path: str = "a.js") -> list[tuple[str, str, str]]:
    return [(each.local, each.module, each.name) for each in lower(code, path).imports]


def test_every_form_of_import_names_its_module_and_member() -> None:
    assert body("import d, {a as b, c} from 'm'; import * as n from 'o'; import 'p'") == [
        *["d = import m:default", "b = import m:a", "c = import m:c", "n = import o", "t0 = import p"],
    ]
    assert imports("import d, {a as b} from 'm'; import 'p'") == [
        *[("d", "m", "default"), ("b", "m", "a"), ("", "p", "")],
    ]


def test_require_is_an_import() -> None:
    assert body("const x = require('m')") == ["t0 = import m", "x = t0"]
    assert imports("const x = require('m')") == [("x", "m", "")]


def test_a_destructured_require_imports_its_members() -> None:
    assert body("const {a, b: c} = require('m')") == ["t0 = import m", "t1 = t0.a", "a = t1", "t2 = t0.b", "c = t2"]
    assert imports("const {a, b: c} = require('m')")[1:] == [("a", "m", "a"), ("c", "m", "b")]


def test_require_works_anywhere_in_an_expression() -> None:
    assert body("require('fs').readFile(p)") == ["t0 = import fs", "t1 = t0.readFile(p)"]


def test_a_parameter_called_require_is_not_an_import() -> None:
    assert inner("(function(require) { require('m') })(f)") == ['t0 = require("m")']


def test_a_dynamic_import_of_a_constant_is_an_import() -> None:
    assert body("import('m')") == ["t0 = import m"]
    assert body("import(x)") == ["t0 = import(x)"]


def test_common_js_exports_write_the_variable_of_exports() -> None:
    assert body("exports.a = 1; module.exports.b = 2; module.exports = c; f(module.exports.d)") == [
        *["$exports.a = 1", "$exports.b = 2", "$exports = c", "t0 = $exports.d", "t1 = f(t0)"],
    ]


def test_an_attribute_called_exports_is_an_ordinary_one() -> None:
    assert body("a.exports.b = 1") == ["t0 = a.exports", "t0.b = 1"]


def test_es_exports_write_the_variable_of_exports() -> None:
    assert body("export const a = 1; export {a as b}; export default c") == [
        *["a = 1", "$exports.a = a", "$exports.b = a", "$exports.default = c"],
    ]
    assert body("export class A {}") == ["t0 = class 0", "A = t0", "$exports.A = A"]
    assert body("export default function f() {}") == ["t0 = function 1", "f = t0", "$exports.default = f"]


def test_re_exports_import_first() -> None:
    assert body("export {a as b} from 'm'; export * from 'n'; export * as o from 'p'") == [
        *["t0 = import m:a", "$exports.b = t0", "t1 = import n", "t2 = $exports.$assign(t1)"],
        *["t3 = import p", "$exports.o = t3"],
    ]


def test_a_destructured_export_exports_every_name() -> None:
    assert body("export const {a, b} = c")[-2:] == ["$exports.a = a", "$exports.b = b"]


def test_typescript_import_and_export_assignments_are_common_js() -> None:
    assert body("import f = require('fs'); export = f", "a.ts") == ["f = import fs", "$exports = f"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("exports.a = function() {}; function b() {}", ["a"]),
        ("module.exports = {a() {}, b: () => 1, c}; function c() {} function d() {}", ["c", "a", "b"]),
        ("export default function a() {} function b() {}", ["a"]),
        ("export const a = () => 1; const b = () => 2", ["a"]),
        ("function F() {} F.prototype.m = function() {}; module.exports = F; function g() {}", ["F", "m"]),
        ("class A { m() {} #p() {} } module.exports = new A()", ["A.m"]),
        ("function a() {} var b = function() {}; f(function() {})", ["a", "b"]),
        ("(function() { exports.a = function() {} })()", ["<anonymous>.a"]),
        ("import x from 'y'; function a() {}", []),
    ],
)
def test_what_other_files_can_reach_is_marked(code: str, names: list[str]) -> None:
    assert exported(code) == names


def test_private_typescript_methods_are_not_reachable() -> None:
    assert exported("export class A { a() {} private b() {} protected c() {} public d() {} }", "a.ts") == ["A.a", "A.d"]


def test_a_class_lists_bases_methods_and_fields() -> None:
    file = lower(
        "class A extends b.C { constructor() { super(1); super.m(); } static s() {} get g() {} set g(v) {} #f }"
    )
    cls = file.classes[0]
    assert (cls.name, cls.bases, cls.fields) == ("A", ["b.C"], [("#f", "")])
    assert [(name, file.functions[index].flags & ~ir.EXPORTED) for name, index in cls.methods] == [
        ("constructor", ir.CONSTRUCTOR),
        ("s", ir.STATIC),
        ("g", ir.PROPERTY),
    ]
    assert "A.set g" in [each.qualname for each in file.functions]
    assert shown(file, 1) == ["t0 = super(1)", "t1 = super.m()"]


def test_a_method_of_an_object_inside_a_class_belongs_to_no_class() -> None:
    file = lower("class A { m() { return { n() {} } } }")
    assert (function(file, "m").cls, function(file, "n").cls) == (0, -1)


def test_instance_fields_are_set_on_this_and_static_ones_are_variables_of_the_class_body() -> None:
    file = lower("class A { x = f(); static y = g(); static { h(); } z }")
    cls = file.classes[0]
    assert shown(file, cls.init) == ["t0 = f()", "this.x = t0"]
    assert shown(file, cls.body) == ["t0 = g()", "y = t0", "t1 = h()"]
    assert file.functions[cls.init].kind == "fields"
    assert file.functions[cls.body].kind == "class"


def test_a_class_expression_takes_the_name_it_is_assigned_to() -> None:
    assert lower("const A = class { m() {} }").classes[0].qualname == "A"


def test_parameter_properties_are_set_on_this() -> None:
    file = lower("class A { constructor(private db: Db, x: number) {} }", "a.ts")
    assert shown(file, 1) == ["this.db = db"]
    assert file.classes[0].fields == [("db", "Db")]


def test_simple_types_are_kept_as_text() -> None:
    file = lower("function f(a: string, b?: Foo.Bar<T>, c: {x: 1}): Promise<X> { let d: D = a; }", "a.ts")
    lowered = function(file, "f")
    assert [each.type for each in lowered.params] == ["string", "Foo.Bar", ""]
    assert lowered.returns == "Promise"
    assert shown(file, 1) == ["declare d: D", "d = a"]


def test_casts_keep_the_type_and_other_assertions_the_value() -> None:
    assert body("f(a as B, <C>d, e!, g as any, h satisfies I)", "a.ts") == [
        *["t0 = (B) a", "t1 = (C) d", "t2 = (I) h", "t3 = f(t0, t1, e, g, t2)"],
    ]


def test_enums_are_objects() -> None:
    assert body("enum A { X, Y = 5, Z, S = 's' }", "a.ts") == ['t0 = dict("X": 0, "Y": 5, "Z": 6, "S": "s")', "A = t0"]


def test_a_namespace_is_an_object_that_its_exports_fill() -> None:
    assert body("namespace N { export const a = 1; const b = 2; }", "a.ts") == [
        *["t0 = dict()", "N = t0", "a = 1", "N.a = a", "b = 2"],
    ]


def test_types_and_signatures_leave_no_instructions() -> None:
    code = "interface A {} type B = string; function f(a: string): void; declare const x: number;"
    assert body(code, "a.ts") == []
    assert not lower(code, "a.ts").errors


def test_decorators_are_kept_with_their_constants() -> None:
    code = "@Controller('cats') class A { @Get({path: 'x', n: 1}) m(@Body('id') b: B, @Query() q: Q) {} }"
    file = lower(code, "a.ts")
    assert [(each.name, each.args) for each in file.classes[0].decorators] == [("Controller", [("", "cats")])]
    method = function(file, "m")
    assert [(each.name, each.args) for each in method.decorators] == [("Get", [("path", "x"), ("n", 1)])]
    assert [each.decorators[0].name for each in method.params] == ["Body", "Query"]


def test_the_suffix_chooses_the_grammar() -> None:
    assert not lower("let a = <T,>(x: T) => <div>{x}</div>;", "a.tsx").errors
    assert not lower("let a = <T>x;", "a.mts").errors
    assert not lower("let a = <div/>;", "a.jsx").errors


def test_types_in_a_javascript_file_are_read_as_types() -> None:
    file = lower("// @flow\nfunction f(a: string): number { return g(a) }", "a.js")
    assert not file.errors
    assert function(file, "f").params[0].type == "string"


def test_every_file_is_called_javascript() -> None:
    assert {lower("", path).language for path in ("a.js", "a.ts", "a.tsx", "a.mjs")} == {"javascript"}
