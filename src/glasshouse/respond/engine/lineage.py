"""Who started whom: the process tree of all events, so that a detection is tied to its ancestors too.

Only identifiers that are unique on a host count (Sysmon's ProcessGuid); numbers are used again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from glasshouse.respond.engine.entities import NOBODY, host_of
from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.texts import Event
from glasshouse.respond.sigma.sources import SYSMON, SYSMON_LINUX
from glasshouse.words.incident import Detection, Entity

MAX_PROCESSES = 500_000
MAX_GENERATIONS = 6


class Lineage:
    """Parents of processes, up to a number; the first ones stay."""

    def __init__(self) -> None:
        self._parents: dict[tuple[str, str], str] = {}

    def observe(self, tag: SourceTag, events: Sequence[Event]) -> None:
        """Takes note of the process starts among some events."""
        if tag.event_id != "1" or tag.channel not in (SYSMON, SYSMON_LINUX):
            return
        if len(self._parents) >= MAX_PROCESSES:
            return
        for event in events:
            child, parent = event.get("ProcessGuid"), event.get("ParentProcessGuid")
            if type(child) is str and type(parent) is str:
                self._parents[host_of(event), _plain(child)] = _plain(parent)

    def with_ancestors(self, detection: Detection) -> Detection:
        """The detection with the ancestors of its processes among its entities."""
        known = {entity.name for entity in detection.entities if entity.kind == "process"}
        added: dict[Entity, None] = {}
        for entity in detection.entities:
            if entity.kind != "process" or entity.role == "target":
                continue
            name = entity.name
            for _ in range(MAX_GENERATIONS):
                name = self._parents.get((detection.host, name), "")
                if not name or name in NOBODY or name in known:
                    break
                known.add(name)
                added[Entity("process", name, detection.host, "ancestor")] = None
        if not added:
            return detection
        return msgspec.structs.replace(detection, entities=(*detection.entities, *added))


def _plain(guid: str) -> str:
    return guid.strip().strip("{}").lower()
