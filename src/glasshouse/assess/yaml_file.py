"""YAML to a checked value, with one kind of error that names the file, the field and what is wrong."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from glasshouse.words.errors import GlasshouseError
from glasshouse.words.yaml_text import one_plain_yaml

T = TypeVar("T")
MAX_BYTES = 4_000_000
_ROW = re.compile(r"\$\.(\w+)\[(\d+)\]")


def decode(name: str, text: bytes, kind: type[T], error: type[GlasshouseError]) -> T:
    """The value of a YAML text.

    Unknown fields, wrong types and oversized texts raise ``error``, which names the row by its id where it has one.
    """
    import yaml

    if len(text) > MAX_BYTES:
        raise error(f"larger than {MAX_BYTES:,} bytes", where=name)
    try:
        raw = one_plain_yaml(text)
        return msgspec.convert(raw, kind, strict=False)
    except yaml.YAMLError as problem:
        raise error(f"not YAML: {str(problem)[:300]}", where=name) from problem
    except msgspec.ValidationError as problem:
        raise error(f"{_row(raw, str(problem))}{str(problem)[:300]}", where=name) from problem
    except (ValueError, RecursionError) as problem:
        raise error(str(problem)[:300], where=name) from problem


def _row(raw: object, message: str) -> str:
    """The id of the row that a message is about, which msgspec gives only as a number."""
    found = _ROW.search(message)
    rows = raw.get(found[1]) if found is not None and isinstance(raw, dict) else None
    if found is None or not isinstance(rows, list) or int(found[2]) >= len(rows):
        return ""
    row = rows[int(found[2])]
    return f"row `{str(row['id'])[:80]}`: " if isinstance(row, dict) and "id" in row else ""
