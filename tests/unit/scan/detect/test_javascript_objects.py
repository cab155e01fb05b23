"""Request data whose shape or keys a program trusts."""

from __future__ import annotations

import pytest
from tests.unit.scan.detect.javascript_source import hits, lines

MERGE_HEADS = [
    "for (const key in src) {",
    "for (let key of Object.keys(src)) {",
    "for (const [key, val] of Object.entries(src)) {",
    "Object.keys(src).forEach((key) => {",
]


@pytest.mark.parametrize("head", MERGE_HEADS)
@pytest.mark.parametrize("guard", ["", "if (key === '__proto__' || key === 'constructor') return dst;"])
def test_a_recursive_merge_is_safe_only_when_it_refuses_prototype_keys(head: str, guard: str) -> None:
    end = "});" if head.endswith("=> {") else "}"
    text = f"""function merge(dst, src) {{
      {head}
        {guard}
        if (isObject(dst[key]) && isObject(src[key])) merge(dst[key], src[key]);
        else dst[key] = src[key];
      {end}
      return dst;
    }}"""
    assert bool(hits("proto-pollution", text)) == (guard == "")


def test_a_merge_into_a_new_object_is_silent() -> None:
    text = """function copy(src) {
      const out = {};
      for (const key in src) { out[key] = typeof src[key] === 'object' ? copy(src[key]) : src[key]; }
      return out;
    }"""
    assert hits("proto-pollution", text) == []


def test_a_merge_that_writes_the_result_of_the_recursion_is_reported() -> None:
    text = """function extend(target, source) {
      for (var key in source) {
        target[key] = typeof source[key] === 'object' ? extend(target[key], source[key]) : source[key];
      }
      return target;
    }"""
    assert len(hits("proto-pollution", text)) == 1


def test_own_properties_of_the_target_protect_and_those_of_the_source_do_not() -> None:
    text = """function merge(dst, src) {{
      for (let key in src) {{
        if (!{who}.hasOwnProperty(key)) continue;
        if (dst[key]) merge(dst[key], src[key]); else dst[key] = src[key];
      }}
    }}"""
    assert hits("proto-pollution", text.format(who="dst")) == []
    assert len(hits("proto-pollution", text.format(who="src"))) == 1


def test_writing_below_a_request_key_is_reported_and_a_map_is_not() -> None:
    text = "app.post('/x', (req, res) => {{\n  const o = {{}}; const item = {read};\n  item.name = req.body.name;\n}});"
    assert lines("proto-pollution", text.format(read="store[req.params.id]")) == [3]
    assert hits("proto-pollution", text.format(read="store.get(req.params.id)")) == []


@pytest.mark.parametrize(
    "check", ["q.indexOf('x') < 0", "q.includes('..')", "q.length > 9", "req.query.q.includes('<')"]
)
def test_a_string_check_on_a_parsed_field_is_type_confusion(check: str) -> None:
    assert (
        len(hits("type-confusion", f"app.get('/x', (req, res) => {{ const q = req.query.q; if ({check}) stop(q); }});"))
        == 1
    )


@pytest.mark.parametrize(
    "body",
    [
        "if (typeof q === 'string' && q.includes('..')) stop(q);",
        "if (Array.isArray(q)) return; if (q.length > 9) stop(q);",
        "const t = q + ''; if (t.includes('..')) stop(t);",
        "if (q.length === 0) stop(q);",
        "if (req.params.q.includes('..')) stop(q);",
    ],
)
def test_a_checked_or_converted_value_is_no_type_confusion(body: str) -> None:
    assert hits("type-confusion", f"app.get('/x', (req, res) => {{ const q = req.query.q; {body} }});") == []


@pytest.mark.parametrize(
    "body",
    [
        "for (var i = 0; i < req.body.length; i++) out.push(req.body[i]);",
        "var l = req.body.list.length; for (var i = 0; i < l; i++) out.push(i);",
        "var list = req.body.list, i = 0; while (i < list.length) { out.push(list[i]); i++; }",
        "var i = 0, list = req.body; do { out.push(list[i]); i++; } while (i < list.length);",
    ],
)
def test_a_loop_to_the_length_of_parsed_data_is_reported(body: str) -> None:
    assert len(hits("loop-bound", f"app.post('/x', (req, res) => {{ const out = []; {body} }});")) == 1


@pytest.mark.parametrize(
    "body",
    [
        "if (!(list instanceof Array)) return; for (var i = 0; i < list.length; i++) out.push(list[i]);",
        "for (var i = 0; i < list.length; i++) { if (!list[i]) break; out.push(list[i]); }",
        "for (var i = 0; i < list.length; i++) out.push(list[i].name);",
        "for (const item of list) out.push(item);",
    ],
)
def test_a_loop_that_is_checked_or_fails_on_missing_elements_is_silent(body: str) -> None:
    assert (
        hits("loop-bound", f"app.post('/x', (req, res) => {{ const out = [], list = req.body.list; {body} }});") == []
    )


def test_a_library_loop_over_parsed_data_is_reported() -> None:
    text = "const _ = require('lodash');\napp.post('/x', (req, res) => { _.each(req.body, (x) => out.push(x)); });"
    assert lines("loop-bound", text) == [2]


def test_a_method_named_by_a_request_needs_a_check() -> None:
    text = "app.get('/x', (req, res) => {{ const f = table[req.query.name]; {call} }});"
    assert len(hits("dynamic-method-call", text.format(call="f(1);"))) == 1
    assert hits("dynamic-method-call", text.format(call="if (typeof f === 'function') f(1);")) == []
    assert hits("dynamic-method-call", "app.get('/x', (req, res) => { table['run'](req.query.name); });") == []
