"""Who started whom: the process tree of all events, so that a detection is tied to its ancestors and its session.

Identifiers that are unique on a host (Sysmon's ProcessGuid) make the tree.  A bare process number is read as the last
process that was started under it: numbers are used again.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence

import msgspec

from glasshouse.respond.engine.entities import NOBODY, host_of
from glasshouse.respond.engine.route import SourceTag
from glasshouse.respond.engine.texts import Event, text
from glasshouse.respond.engine.times import event_time
from glasshouse.respond.sigma.sources import SYSMON, SYSMON_LINUX
from glasshouse.words.incident import Detection, Entity

MAX_PROCESSES = 500_000
MAX_GENERATIONS = 6
CLOCK_S = 2.0
"""Two channels write the same start this far apart."""
NUMBER_S = 7 * 86_400.0
"""A number stands for a process that started at most this long before."""


class _Process(msgspec.Struct, frozen=True):
    parent: str
    session: str


class Lineage:
    """Parents and sessions of processes, up to a number; the first ones stay."""

    def __init__(self) -> None:
        self._processes: dict[tuple[str, str], _Process] = {}
        self._numbered: dict[tuple[str, str], list[tuple[float, str]]] = {}

    def observe(self, tag: SourceTag, events: Sequence[Event]) -> None:
        """Takes note of the process starts among some events."""
        if tag.event_id != "1" or tag.channel not in (SYSMON, SYSMON_LINUX):
            return
        for event in events:
            child, parent = event.get("ProcessGuid"), event.get("ParentProcessGuid")
            if type(child) is not str or len(self._processes) >= MAX_PROCESSES:
                continue
            host, name = host_of(event), _plain(child)
            above = _plain(parent) if type(parent) is str else ""
            self._processes[host, name] = _Process(above, (text(event.get("LogonId")) or "").lower())
            number, time = text(event.get("ProcessId")), event_time(event)
            if number is not None and time is not None:
                insort(self._numbered.setdefault((host, f"pid {number}"), []), (time, name))

    def with_ancestors(self, detection: Detection) -> Detection:
        """The detection with the identifiers, ancestors and sessions of its processes among its entities."""
        known = {(entity.kind, entity.name) for entity in detection.entities}
        added: dict[Entity, None] = {}
        named = [*detection.entities, *self._identified(detection)]
        for entity in named[len(detection.entities) :]:
            if ("process", entity.name) not in known:
                known.add(("process", entity.name))
                added[entity] = None
        for entity in named:
            if entity.kind != "process" or entity.role == "target":
                continue
            for each in self._above(entity, detection.host):
                if (each.kind, each.name) not in known:
                    known.add((each.kind, each.name))
                    added[each] = None
        if not added:
            return detection
        return msgspec.structs.replace(detection, entities=(*detection.entities, *added))

    def _identified(self, detection: Detection) -> Iterator[Entity]:
        """The processes that bare numbers stand for, when no identifier says so itself."""
        roles = {entity.role for entity in detection.entities if entity.kind == "process" and "-" in entity.name}
        if detection.time is None:
            return
        for entity in detection.entities:
            if entity.kind != "process" or entity.role in roles or not entity.name.startswith("pid "):
                continue
            started = self._numbered.get((detection.host, entity.name), [])
            at = bisect_right(started, (detection.time + CLOCK_S, "~"))
            if at and detection.time - started[at - 1][0] <= NUMBER_S:
                yield Entity("process", started[at - 1][1], detection.host, entity.role)

    def _above(self, entity: Entity, host: str) -> Iterator[Entity]:
        found = self._processes.get((host, entity.name))
        if found is not None and found.session and found.session not in NOBODY and entity.role == "self":
            yield Entity("session", found.session, host, "")
        for _ in range(MAX_GENERATIONS):
            if found is None or not found.parent or found.parent in NOBODY:
                return
            yield Entity("process", found.parent, host, "ancestor")
            found = self._processes.get((host, found.parent))


def _plain(guid: str) -> str:
    return guid.strip().strip("{}").lower()
