"""Values in JavaScript: objects, arrays, maps, sets, destructuring and text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Reaches = Callable[[str], bool]


@pytest.mark.parametrize(("name", "expected"), [("bad", True), ("good", False)])
def test_fields_of_an_object_literal_are_kept_apart(runs: Reaches, name: str, expected: bool) -> None:
    assert runs(f"const box = {{ bad: data, good: 'ls' }};\nexecSync(box.{name});") is expected


@pytest.mark.parametrize(("name", "expected"), [("a", True), ("b", False), ("rest.c", True)])
def test_destructuring_takes_each_name_from_its_field(runs: Reaches, name: str, expected: bool) -> None:
    code = f"const {{ a, b, ...rest }} = {{ a: data, b: 'ls', c: data, d: 'pwd' }};\nexecSync({name});"
    assert runs(code) is expected


@pytest.mark.parametrize(("name", "expected"), [("first", False), ("second", True)])
def test_array_patterns_follow_the_order(runs: Reaches, name: str, expected: bool) -> None:
    assert runs(f"const [first, second] = ['ls', data];\nexecSync({name});") is expected


def test_a_default_in_a_pattern_does_not_hide_the_data(runs: Reaches) -> None:
    assert runs("const { value = 'ls' } = { value: data };\nexecSync(value);")


def test_spreading_copies_elements_in_order(runs: Reaches) -> None:
    assert runs("const list = ['ls', ...[data]];\nexecSync(list[1]);")
    assert not runs("const list = ['ls', ...[data]];\nexecSync(list[0]);")


def test_spreading_an_object_copies_its_fields(runs: Reaches) -> None:
    assert runs("const box = { ...{ value: data } };\nexecSync(box.value);")
    assert not runs("const box = { value: data, ...{ value: 'ls' } };\nexecSync(box.value);")


@pytest.mark.parametrize(("key", "expected"), [("a", True), ("b", False)])
def test_entries_of_a_map_are_kept_apart_by_key(runs: Reaches, key: str, expected: bool) -> None:
    assert runs(f"const m = new Map();\nm.set('a', data);\nm.set('b', 'ls');\nexecSync(m.get('{key}'));") is expected


def test_a_map_gives_its_values_and_not_its_keys(runs: Reaches) -> None:
    code = "const m = new Map();\nm.set(data, 'ls');\nexecSync(Array.from(m.{}()).join(' '));"
    assert runs(code.format("keys"))
    assert not runs(code.format("values"))


@pytest.mark.parametrize("step", ["m.delete('a');", "m.clear();", "m.set('a', 'ls');"])
def test_what_is_taken_out_of_a_map_is_gone(runs: Reaches, step: str) -> None:
    assert not runs(f"const m = new Map([['a', data]]);\n{step}\nexecSync([...m.values()].join(' '));")


def test_what_is_taken_out_of_a_set_is_gone(runs: Reaches) -> None:
    assert runs("const s = new Set([data]);\nexecSync([...s].join(' '));")
    assert not runs("const s = new Set([data, 'ls']);\ns.delete(data);\nexecSync([...s].join(' '));")


def test_iterating_a_map_gives_pairs(runs: Reaches) -> None:
    code = "for (const [key, value] of new Map([['ls', data]])) execSync({});"
    assert runs(code.format("value"))
    assert not runs(code.format("key"))


def test_a_filter_keeps_what_its_test_lets_through(runs: Reaches) -> None:
    assert not runs("execSync(['ls', data].filter((item) => item === 'ls').join(' '));")
    assert not runs("execSync([data].filter((item) => /^[a-z]+$/.test(item)).join(' '));")
    assert runs("execSync([data].filter((item) => item.length > 1).join(' '));")


def test_map_and_reduce_pass_elements_to_their_callbacks(runs: Reaches) -> None:
    assert runs("[data].map((item) => execSync(item));")
    assert runs("execSync(['ls', data].reduce((all, item) => all + item, ''));")
    assert not runs("execSync([data].map(() => 'ls').join(' '));")


def test_filling_an_array_replaces_its_elements(runs: Reaches) -> None:
    assert not runs("const list = [data, data];\nlist.fill('ls');\nexecSync(list[0]);")


def test_splice_takes_out_and_puts_in(runs: Reaches) -> None:
    assert not runs("const list = ['ls', data];\nlist.splice(1, 1);\nexecSync(list.join(' '));")
    assert runs("const list = ['ls'];\nlist.splice(0, 0, data);\nexecSync(list[0]);")


def test_built_in_functions_on_objects_follow_fields(runs: Reaches) -> None:
    assert runs("execSync(Object.values({ a: data })[0]);")
    assert not runs("execSync(Object.keys({ a: data })[0]);")
    assert runs("const box = Object.assign({}, { a: data });\nexecSync(box.a);")
    assert runs("const box = {};\nReflect.set(box, 'a', data);\nexecSync(Reflect.get(box, 'a'));")


def test_a_number_is_harmless_in_a_command(runs: Reaches) -> None:
    assert not runs("execSync('sleep ' + parseInt(data, 10));")


@pytest.mark.parametrize("text", ["`ls ${data}`", "'ls ' + data", "['ls', data].join(' ')", "'ls '.concat(data)"])
def test_text_made_with_data_carries_it(runs: Reaches, text: str) -> None:
    assert runs(f"execSync({text});")
