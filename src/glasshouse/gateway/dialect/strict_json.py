"""JSON objects that every parser reads the same way.

Parsers disagree on repeated keys (the first wins, the last wins) and some match keys without regard to case.  A body
that means one thing to the screen and another to the upstream is an attack, so such a body is refused.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from glasshouse.gateway.dialect.interface import RequestShapeError

MAX_DEPTH = 100
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def decode_object(body: bytes) -> dict[str, Any]:
    """The object; `RequestShapeError` for anything else, for ambiguous keys and for nesting deeper than `MAX_DEPTH`."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise RequestShapeError(f"the body is not valid JSON: {error}") from None
    except UnicodeDecodeError as error:
        raise RequestShapeError(f"the body is not UTF-8: {error.reason}") from None
    except RecursionError:
        raise RequestShapeError(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    if not isinstance(value, dict):
        raise RequestShapeError("the body must be a JSON object")
    keys = _count_keys(value)
    if keys != body.count(b":") and keys != _STRING.sub(b"", body).count(
        b":"
    ):  # no colon in strings: one count will do
        raise RequestShapeError("a key is repeated within one object")
    if len({key.lower() for key in value}) != len(value):
        raise RequestShapeError("two keys differ only in upper and lower case")
    return value


def _count_keys(value: dict[str, Any]) -> int:
    """Keys of all objects; every key of the text stands before one colon outside strings."""
    count = 0
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                count += len(each)
                each = each.values()
            for part in each:
                if isinstance(part, dict | list):
                    below.append(part)
        if not below:
            return count
        level = below
    raise RequestShapeError(f"the body is nested deeper than {MAX_DEPTH} levels")


def member_span(body: bytes, key: str) -> tuple[int, int]:
    """Where the value of a top-level ``key`` of an object stands in ``body``: first byte and the byte after the last.

    For string values.  ``body`` has passed `decode_object` and holds the key, in whatever way it is escaped.
    """
    depth = 0
    expecting_key = True
    found = False
    position = 0
    while position < len(body):
        byte = body[position]
        if byte == 0x22:
            match = _STRING.match(body, position)
            assert match is not None, "the body is valid JSON"
            if depth == 1 and found:
                return match.start(), match.end()
            if depth == 1 and expecting_key:
                found = msgspec.json.decode(match[0]) == key
            position = match.end()
            continue
        if byte in b"{[":
            depth += 1
        elif byte in b"}]":
            depth -= 1
        elif depth == 1 and byte == 0x3A:
            expecting_key = False
        elif depth == 1 and byte == 0x2C:
            expecting_key = True
        position += 1
    raise KeyError(key)


def with_model(body: bytes, model: str) -> bytes:
    """The same bytes with another name of the model, for aliases and fallbacks."""
    start, end = member_span(body, "model")
    return body[:start] + msgspec.json.encode(model) + body[end:]
