"""Event values as the text that rules compare with, and the values of fields by name or by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

MAX_DEPTH = 12
MAX_ITEMS = 1_000

Event = Mapping[str, Any]


def text(value: Any) -> str | None:
    """A scalar or object as text; None when it counts as null.  Lists are taken apart by `texts`."""
    if type(value) is str:
        return value or None
    if value is None:
        return None
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else None
    return str(value)


def texts(value: Any) -> Iterator[str]:
    """The texts of a value: one for a scalar, several for a list (a rule matches when it matches one of them)."""
    if isinstance(value, list):
        for each in value[:MAX_ITEMS]:
            yield from texts(each) if not isinstance(each, list) else map(str, each[:MAX_ITEMS])
    else:
        found = text(value)
        if found is not None:
            yield found


def lookup(event: Event, name: str) -> Any:
    """The value of a field; ``a.b.c`` goes into nested objects, lists of objects and JSON kept as text."""
    value = event.get(name)
    if value is not None or "." not in name:
        return value
    return _walk(event, name.split("."), 0)


def _walk(node: Any, path: list[str], at: int) -> Any:
    while at < len(path):
        if isinstance(node, list):
            found = [_walk(each, path, at) for each in node[:MAX_ITEMS]]
            found = [each for each in found if each is not None]
            return found or None
        if type(node) is str and node[:1] in ("{", "["):
            node = _parsed(node)
            if isinstance(node, list):
                continue
        if not isinstance(node, Mapping):
            return None
        # names may contain dots themselves: try the longest rest first
        rest = ".".join(path[at:])
        if rest in node:
            return node[rest]
        node = node.get(path[at])
        at += 1
    return node


def _parsed(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None


def everything(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in an event, without its keys: what a keyword is searched in."""
    if isinstance(value, Mapping):
        if depth < MAX_DEPTH:
            for each in value.values():
                yield from everything(each, depth + 1)
    elif isinstance(value, list):
        if depth < MAX_DEPTH:
            for each in value[:MAX_ITEMS]:
                yield from everything(each, depth + 1)
    else:
        found = text(value)
        if found is not None:
            yield found


def joined(event: Event) -> str:
    """Every text in an event, one per line."""
    parts: list[str] = []
    for value in event.values():
        kind = type(value)
        if kind is str:
            parts.append(value)
        elif kind is int:
            parts.append(str(value))
        else:
            parts.extend(everything(value))
    return "\n".join(parts)
