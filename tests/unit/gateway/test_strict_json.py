"""A body that two parsers could read differently is refused before anyone screens it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.gateway.dialect.interface import RequestShapeError
from glasshouse.gateway.dialect.strict_json import MAX_DEPTH, decode_object, with_model

PLAIN = st.characters(exclude_categories=["Cs"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(PLAIN, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(PLAIN, max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.sampled_from('ab:"\\{}[],é'), max_size=6), VALUES, max_size=5), st.booleans())
def test_every_unambiguous_object_is_read_as_it_is(value: dict[str, Any], ascii_only: bool) -> None:
    if len({key.lower() for key in value}) == len(value):
        assert decode_object(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"good","model":"bad"}',
        b'{"model":"good","mod\\u0065l":"bad"}',
        b'{"messages":[{"role":"user","content":"hello","content":"evil"}]}',
        b'{"a":{"b":{"c":1,"c":2}}}',
    ],
)
def test_a_repeated_key_at_any_depth_is_refused(body: bytes) -> None:
    with pytest.raises(RequestShapeError, match="repeated"):
        decode_object(body)


def test_keys_that_differ_only_in_case_are_refused_because_some_servers_take_them_for_one() -> None:
    with pytest.raises(RequestShapeError, match="upper and lower case"):
        decode_object(b'{"messages":[],"Messages":[]}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"a":NaN}',
        b'{"a":1}{"b":2}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestShapeError):
        decode_object(body)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    with pytest.raises(RequestShapeError, match="deeper"):
        decode_object(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


@given(VALUES, VALUES, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_another_model_changes_nothing_else(before: Any, after: Any, name: str) -> None:
    body = json.dumps({"first": before, "model": 'asked: {"model": 1}', "last": {"model": after}}, indent=1).encode()
    changed = with_model(body, name)
    assert decode_object(changed) == decode_object(body) | {"model": name}
    assert len(changed) - len(body) == len(json.dumps(name)) - len(json.dumps('asked: {"model": 1}'))
