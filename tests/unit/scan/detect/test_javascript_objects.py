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


WALKS = [
    """module.exports = function set(object, path, value) {
      const key = path.shift(); GUARD
      if (!path.length) object[key] = value; else { object[key] = object[key] || {}; set(object[key], path, value); }
    };""",
    """const set = (object, [head, ...rest], value) => { GUARD
      if (!rest.length) { object[head] = value; return; }
      set(object[head], rest, value);
    };""",
    """exports.set = (root, keys, value) => keys.reduce((object, key, i) => { GUARD
      if (i === keys.length - 1) { object[key] = value; return object; }
      return object[key];
    }, root);""",
    """exports.parse = (text) => { const table = NEW; let section = table;
      text.split(';').forEach((line) => { GUARD
        const found = line.match(/(.*)=(.*)/);
        if (line[0] === '[') { section = table[found[1]] = table[found[1]] || NEW; return; }
        section[found[1]] = found[2];
      });
      return table;
    };""",
    """exports.set = function (object, path, value) { let at = object; const keys = path.split('.'); GUARD
      while (keys.length > 1) { const key = keys.shift(); at = at[key]; }
      at[keys[0]] = value;
    };""",
]
REFUSALS = [
    "if (['__proto__', 'constructor', 'prototype'].includes(key)) return;",
    "if (isUnsafe(key)) return;",
    "if (DENIED.indexOf(key) !== -1) return;",
    "if (/__proto__|constructor|prototype/.test(key)) return;",
]


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("refusal", ["", *REFUSALS])
def test_a_walk_along_a_given_path_is_safe_only_when_it_refuses_prototype_keys(walk: str, refusal: str) -> None:
    text = "const DENIED = ['__proto__', 'constructor', 'prototype'];\n" + walk.replace("GUARD", refusal).replace(
        "NEW", "{}"
    )
    assert bool(hits("proto-pollution", text)) == (refusal == "")


def test_objects_without_a_prototype_cannot_lead_to_one() -> None:
    assert hits("proto-pollution", WALKS[3].replace("GUARD", "").replace("NEW", "Object.create(null)")) == []


def test_keys_of_a_constant_list_do_not_come_from_outside() -> None:
    text = """exports.clear = (object, value) => ['first', 'second'].reduce((at, key, i) => {
      at[key] = value;
      return at[key];
    }, object);"""
    assert hits("proto-pollution", text) == []


def test_an_object_changed_in_place_is_not_merged() -> None:
    text = "function trim(node) { for (const key in node) { node[key] = trim(node[key]); } return node; }"
    assert hits("proto-pollution", text) == []


@pytest.mark.parametrize(
    "text",
    [
        """function extend() {
          var target = arguments[0];
          for (var i = 1; i < arguments.length; i++) {
            var given = arguments[i];
            for (var name in given) {
              if (isObject(given[name])) target[name] = extend(target[name] || {}, given[name]);
              else target[name] = given[name];
            }
          }
          return target;
        }""",
        """const forIn = require('for-in');
        function mix(target, given) { forIn(given, copy, target); return target; }
        function copy(value, key) {
          const old = this[key];
          if (isObject(value) && isObject(old)) mix(old, value); else this[key] = value;
        }
        module.exports = mix;""",
        """function defaults(target, given) {
          each(given, (value, key) => {
            if (target[key] == null) target[key] = value; else defaults(target[key], value);
          });
        }""",
    ],
)
def test_a_merge_is_found_however_its_arguments_arrive(text: str) -> None:
    assert hits("proto-pollution", text) != []


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
