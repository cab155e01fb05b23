"""YAML to a checked value, with one kind of error that names the file, the field and what is wrong."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from glasshouse.words.errors import GlasshouseError

T = TypeVar("T")
MAX_BYTES = 4_000_000


def decode(name: str, text: bytes, kind: type[T], error: type[GlasshouseError]) -> T:
    """The value of a YAML text.  Unknown fields, wrong types and oversized texts raise ``error``."""
    import yaml

    if len(text) > MAX_BYTES:
        raise error(f"larger than {MAX_BYTES:,} bytes", where=name)
    try:
        raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
        return msgspec.convert(raw, kind, strict=False)
    except yaml.YAMLError as problem:
        raise error(f"not YAML: {str(problem)[:300]}", where=name) from problem
    except (msgspec.ValidationError, ValueError, RecursionError) as problem:
        raise error(str(problem)[:300], where=name) from problem
