"""Which process started which, and which logons go together, over all events, so that a detection is tied to them.

Sysmon's identifiers (ProcessGuid) make the tree; where only the audit policy writes (4688), a start is known by its
number and moment.  A bare number is read as the last process that was started under it: numbers are used again.  A
logon of a person who may administer has two sessions, one of them raised (4624 names the other): both are one person's.
Where a session or a connection came from is a host when its address is that of one host only (which opened connections
from it), or when the logon names it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from glasshouse.respond.engine.entities import NOBODY, host_of, short_host
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
    """Its parent by identifier, or by number when it has none itself (``started`` says when); its session."""

    parent: str
    session: str
    started: float | None = None


class Lineage:
    """Parents and sessions of processes and pairs of sessions, up to a number; the first ones stay."""

    def __init__(self) -> None:
        self._processes: dict[tuple[str, str], _Process] = {}
        self._numbered: dict[tuple[str, str], list[tuple[float, str]]] = {}
        self._audited: dict[tuple[str, str], list[tuple[float, str]]] = {}
        self._paired: dict[tuple[str, str], str] = {}
        self._origins: dict[tuple[str, str], tuple[str, str]] = {}
        self._holders: dict[str, str] = {}

    def observe(self, tag: SourceTag, events: Sequence[Event]) -> None:
        """Takes note of the process starts and logons among some events."""
        if tag.event_id == "1" and tag.channel in (SYSMON, SYSMON_LINUX):
            take = self._start
        elif tag.channel == "security" and tag.event_id == "4688":
            take = self._audited_start
        elif tag.channel == "security" and tag.event_id == "4624":
            take = self._logon
        elif tag.event_id == "3" and tag.channel in (SYSMON, SYSMON_LINUX):
            take = self._connection
        else:
            return
        for event in events:
            if len(self._processes) + len(self._origins) + len(self._holders) < MAX_PROCESSES:
                take(event)

    def _start(self, event: Event) -> None:
        child, parent = event.get("ProcessGuid"), event.get("ParentProcessGuid")
        if type(child) is not str:
            return
        host, name = host_of(event), _plain(child)
        above = _plain(parent) if type(parent) is str else ""
        self._processes[host, name] = _Process(above, (text(event.get("LogonId")) or "").lower())
        number, time = text(event.get("ProcessId")), event_time(event)
        if number is not None and time is not None:
            insort(self._numbered.setdefault((host, f"pid {number}"), []), (time, name))

    def _audited_start(self, event: Event) -> None:
        number, time = _number(event.get("NewProcessId")), event_time(event)
        if not number or time is None:
            return
        host, name = host_of(event), f"{number[4:]} since {_moment(time)}"
        other = (text(event.get("TargetLogonId")) or "").lower()
        session = other if other not in NOBODY else (text(event.get("SubjectLogonId")) or "").lower()
        self._processes[host, name] = _Process(_number(event.get("ProcessId")), session, time)
        insort(self._audited.setdefault((host, number), []), (time, name))

    def _logon(self, event: Event) -> None:
        one = (text(event.get("TargetLogonId")) or "").lower()
        other = (text(event.get("TargetLinkedLogonId")) or "").lower()
        if one in NOBODY:
            return
        host = host_of(event)
        if other.strip("0x") and other not in NOBODY:
            self._paired[host, one], self._paired[host, other] = other, one
        address, name = _address(event.get("IpAddress")), short_host(text(event.get("WorkstationName")) or "")
        if address or name not in NOBODY:  # the name is what the caller says: it counts only where no address is known
            self._origins[host, one] = address, "" if address else name

    def _connection(self, event: Event) -> None:
        if str(event.get("Initiated")).lower() == "true":
            address, host = _address(event.get("SourceIp")), host_of(event)
            if address and self._holders.setdefault(address, host) != host:
                self._holders[address] = ""  # several hosts had it: it says nothing

    def with_ancestors(self, detection: Detection) -> Detection:
        """The detection with the identifiers, ancestors and sessions of its processes among its entities."""
        known = {(entity.kind, entity.name) for entity in detection.entities}
        added: dict[Entity, None] = {}

        def add(entity: Entity) -> None:
            if (entity.kind, entity.name) not in known:
                known.add((entity.kind, entity.name))
                added[entity] = None

        identified = list(self._identified(detection))
        for entity in identified:
            add(entity)
        for entity in (*detection.entities, *identified):
            if entity.kind == "process" and entity.role != "target":
                for each in self._above(entity, detection.host):
                    add(each)
        for entity in (*detection.entities, *added):
            other = self._paired.get((detection.host, entity.name)) if entity.kind == "session" else None
            if other is not None:
                add(Entity("session", other, detection.host, "linked"))
        for entity in self._other_hosts((*detection.entities, *added), detection.host):
            add(entity)
        if not added:
            return detection
        return msgspec.structs.replace(detection, entities=(*detection.entities, *added))

    def _other_hosts(self, entities: Iterable[Entity], host: str) -> Iterator[Entity]:
        """The hosts at the other end of the sessions and connections among some entities."""
        for entity in entities:
            role, name = "source", ""
            if entity.kind == "session":
                address, said = self._origins.get((host, entity.name), ("", ""))
                name = self._holders.get(address, "") or said
            elif entity.kind == "address":
                role, name = entity.role, self._holders.get(entity.name, "")
            if name and name != host:
                yield Entity("host", name, "", role)

    def _identified(self, detection: Detection) -> Iterator[Entity]:
        """The processes that bare numbers stand for, when no identifier says so itself."""
        roles = {entity.role for entity in detection.entities if entity.kind == "process" and "-" in entity.name}
        if detection.time is None:
            return
        for entity in detection.entities:
            if entity.kind != "process" or entity.role in roles or not entity.name.startswith("pid "):
                continue
            found = self._running(detection.host, entity.name, detection.time)
            if found:
                yield Entity("process", found, detection.host, entity.role)

    def _running(self, host: str, number: str, time: float) -> str:
        """The process that ran under a number; what Sysmon saw start goes before what the audit policy saw."""
        for book in (self._numbered, self._audited):
            started = book.get((host, number), [])
            at = bisect_right(started, (time + CLOCK_S, "~"))
            if at and time - started[at - 1][0] <= NUMBER_S:
                return started[at - 1][1]
        return ""

    def _above(self, entity: Entity, host: str) -> Iterator[Entity]:
        found = self._processes.get((host, entity.name))
        if found is not None and found.session and found.session not in NOBODY and entity.role == "self":
            yield Entity("session", found.session, host, "")
        for _ in range(MAX_GENERATIONS):
            if found is None:
                return
            name = found.parent
            if found.started is not None:  # a parent starts before its child, by the same clock
                name = self._running(host, name, found.started - CLOCK_S)
            if not name or name in NOBODY:
                return
            yield Entity("process", name, host, "ancestor")
            found = self._processes.get((host, name))


def _plain(guid: str) -> str:
    return guid.strip().strip("{}").lower()


def _address(value: object) -> str:
    found = (text(value) or "").lower().removeprefix("::ffff:")
    return "" if found in NOBODY else found


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _number(value: object) -> str:
    """A process number as entities name it, or nothing."""
    found = text(value)
    try:
        return f"pid {int(found, 0)}" if found and found not in NOBODY else ""
    except ValueError:
        return ""
