"""What a response yields: detections, the links that join them, and incidents."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["informational", "low", "medium", "high", "critical"]

LEVELS: tuple[Level, ...] = ("informational", "low", "medium", "high", "critical")
LEVEL_RANK: dict[str, int] = {level: rank for rank, level in enumerate(LEVELS)}

EntityKind = Literal["host", "process", "user", "session", "address", "file", "domain", "key", "account", "service"]


class RuleRef(msgspec.Struct, frozen=True):
    """The rule behind a detection.

    ``author``, ``id`` and ``link`` travel with every detection and report: the Detection Rule Licence 1.1, under which
    most public Sigma rules stand, demands that messages based on a match keep the author.  A ``sign`` is no alarm: it
    only says which technique an event shows, and its title says why.
    """

    id: str
    title: str
    author: str
    link: str
    level: Level
    licence: str = ""
    tags: tuple[str, ...] = ()
    kind: Literal["event", "correlation", "sign"] = "event"

    @property
    def techniques(self) -> tuple[str, ...]:
        """ATT&CK technique ids among the tags, upper case, such as ``T1059.001``."""
        return tuple(tag[7:].upper() for tag in self.tags if tag.lower().startswith("attack.t") and tag[8:9].isdigit())


class Entity(msgspec.Struct, frozen=True, order=True):
    """A thing that took part; ``name`` is unique for its ``kind`` within ``scope`` (a host for processes, sessions)."""

    kind: EntityKind
    name: str
    scope: str = ""
    role: str = ""


class Detection(msgspec.Struct, frozen=True):
    """One rule matched one event (or, for a correlation, a group of events).

    ``time`` is seconds since 1970, UTC; None when the event carries none.  ``source`` and ``record`` (from 0) say where
    the event was read.  ``evidence`` holds the fields that the rule looked at and those that name entities, bounded.
    """

    rule: RuleRef
    time: float | None
    host: str
    source: str
    record: int
    entities: tuple[Entity, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    events: int = 1


class Sighting(msgspec.Struct, frozen=True):
    """A sign that was seen on a host in a minute, ``count`` times; ``time`` is the first."""

    sign: RuleRef
    host: str
    time: float
    count: int = 1


class Link(msgspec.Struct, frozen=True):
    """Why two detections of an incident belong together; ``weight`` in nats, ``first`` and ``second`` are positions."""

    first: int
    second: int
    reason: str
    weight: float


class Technique(msgspec.Struct, frozen=True):
    """An ATT&CK technique that an incident shows, with the model's probability, and what speaks for it.

    ``rules`` are ids of rules that detected something, ``signs`` the reasons of signs that were seen nearby.
    """

    id: str
    name: str
    tactics: tuple[str, ...]
    score: float
    rules: tuple[str, ...]
    signs: tuple[str, ...] = ()


class Threat(msgspec.Struct, frozen=True):
    """A vulnerability that an incident names, and what the forecast says of it.

    ``rules`` are the titles of the rules that name it, none when only events do.  ``listed_on`` is the day of its
    listing as exploited; else ``chance`` is that of being listed within 90 days of ``as_of``, between ``low`` and
    ``high`` with 90 % confidence.  All are None when nothing is known about it.
    """

    cve: str
    rules: tuple[str, ...] = ()
    listed_on: str | None = None
    chance: float | None = None
    low: float | None = None
    high: float | None = None
    as_of: str | None = None
    reasons: tuple[str, ...] = ()


class Stake(msgspec.Struct, frozen=True):
    """A service that runs on a host of an incident.

    ``criticality`` is its weight and ``critical`` the flag of a critical or important function, as in a table of
    services.  ``cves`` are vulnerabilities that its components have: of a host all, of an incident those it names.
    """

    host: str
    service: str
    owner: str = ""
    criticality: float = 1.0
    critical: bool = False
    cves: tuple[str, ...] = ()


class Incident(msgspec.Struct, frozen=True):
    """Detections that belong together, in order of time.

    ``score`` is the sum over distinct rules of level times rarity; ``severity`` follows from it by a threshold that was
    calibrated on benign logs.
    """

    id: str
    title: str
    severity: Level
    score: float
    first: float | None
    last: float | None
    hosts: tuple[str, ...]
    entities: tuple[Entity, ...]
    detections: tuple[Detection, ...]
    links: tuple[Link, ...]
    techniques: tuple[Technique, ...]
    tactics: tuple[str, ...]
    threats: tuple[Threat, ...] = ()
    stakes: tuple[Stake, ...] = ()


class NotRead(msgspec.Struct, frozen=True):
    """Input, or part of it, that was not analysed, and why; ``records`` is how many were read before (None: none)."""

    source: str
    code: str
    reason: str
    records: int = 0


class RuleProblem(msgspec.Struct, frozen=True):
    """A rule that could not be used, or not on every event, and why."""

    rule: str
    title: str
    code: str
    reason: str
