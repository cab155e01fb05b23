"""Making entries from names and versions that strangers wrote."""

from __future__ import annotations

from typing import Any

from glasshouse.inventory.component import MAX_NAME, MAX_VERSION, Component, Entry, LeftOut


def entry(ecosystem: str, name: Any, version: Any, line: int = 0, direct: bool | None = None) -> Entry | LeftOut:
    """The entry, or what it lacks."""
    if not isinstance(name, str) or not name.strip():
        return LeftOut("entry", "no name", line)
    if not isinstance(version, str) or not version.strip():
        return LeftOut(name[:100], "no version", line)
    return Entry(Component(ecosystem, name.strip()[:MAX_NAME], version.strip()[:MAX_VERSION]), line, direct)
