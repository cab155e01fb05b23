"""TOML that others wrote: parsing takes the square of a key's parts in time, so their number is bounded first."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_PARTS = 200  # of a dotted key
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DOTTED = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART})++")


def plain_toml(text: str) -> dict[str, Any]:
    """The table of a text.  Raises ``tomllib.TOMLDecodeError`` for what is none, or has keys that nobody writes."""
    if any(found[0].count(".") >= MAX_PARTS for found in _DOTTED.finditer(text)):
        raise tomllib.TOMLDecodeError(f"a key of more than {MAX_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise tomllib.TOMLDecodeError("nested too deeply") from error
