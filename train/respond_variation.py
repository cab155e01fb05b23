"""Recordings and fleets made different from what was recorded, so that no laboratory is learned by heart.

What varies is what differs between logs in life: the pace; which rules there are, and how much of an attack they see;
whether starts of processes and logons were logged; and how often the next step runs below another parent, in another
session, as another user (a service, a task, COM, a token that was raised).  In half of the fleets, what people start on
a host hangs below one shell in one session, as it does in life and not in recordings of one attack each.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec.structs import replace
from respond_fleet import Fleet

from glasshouse.respond.group.rarity import ties
from glasshouse.words.incident import Detection, Entity

PACE, LEFT_OUT = 0.7, 0.25
SMALL, SMALL_RULES, SMALL_SIZE = 0.3, 2.5, 6.0
"""The chance that rules see little of an attack, and how many rules and detections are left then, on average."""
UNLOGGED, BROKEN = 0.5, 0.5
"""Chances that ancestors are not known, and that the identities of a recording break off."""
BREAKS = (1, 1, 2, 3)
Recordings = dict[str, list[Detection]]


def varied(found: Recordings, seed: int) -> Recordings:
    """The recordings as other logs and other rules might have shown them."""
    generator = random.Random(seed)  # noqa: S311 - augmentation
    return {name: _other(found[name], generator) for name in sorted(found)}


def _other(recording: list[Detection], generator: random.Random) -> list[Detection]:
    pace = math.exp(generator.gauss(0, PACE))
    begin = recording[0].time or 0.0
    kept = _broken(_unlogged(_seen(recording, generator), generator), generator)
    return [replace(each, time=begin + ((each.time or 0.0) - begin) * pace) for each in kept]


def _seen(recording: list[Detection], generator: random.Random) -> list[Detection]:
    """What fewer rules see: most of it, or a short stretch by few rules."""
    rules = sorted({each.rule.id for each in recording})
    if generator.random() >= SMALL:
        missing = {each for each in rules if generator.random() < LEFT_OUT}
        return [each for each in recording if each.rule.id not in missing] or recording
    few = set(generator.sample(rules, 1 + min(int(generator.expovariate(1 / SMALL_RULES)), len(rules) - 1)))
    kept = [each for each in recording if each.rule.id in few]
    at = generator.randrange(len(kept))
    return kept[at : at + 1 + int(generator.expovariate(1 / SMALL_SIZE))]


def _unlogged(recording: list[Detection], generator: random.Random) -> list[Detection]:
    """Ancestors, parents or sessions of which the logs say nothing."""
    gone: set[str] = set()
    gone |= {"ancestor"} if generator.random() < UNLOGGED else set()
    gone |= {"parent"} if generator.random() < UNLOGGED / 2 else set()
    sessions = generator.random() >= UNLOGGED / 2
    return [
        replace(
            each,
            entities=tuple(
                entity
                for entity in each.entities
                if not (entity.kind == "process" and entity.role in gone) and (sessions or entity.kind != "session")
            ),
        )
        for each in recording
    ]


def _broken(recording: list[Detection], generator: random.Random) -> list[Detection]:
    """From some moments on nothing that ran before is named again."""
    if generator.random() >= BROKEN or len(recording) < 2:
        return recording
    many = min(len(recording) - 1, generator.choice(BREAKS))
    cuts = sorted(generator.sample(range(1, len(recording)), many))
    as_system = [generator.random() < 0.5 for _ in cuts]
    made = recording[: cuts[0]]
    for number, (first, end) in enumerate(zip(cuts, [*cuts[1:], len(recording)], strict=True)):
        for each in recording[first:end]:
            changed = (_of_part(entity, number + 1, as_system[number]) for entity in each.entities)
            made.append(replace(each, entities=tuple(dict.fromkeys(changed))))
    return made


def _of_part(entity: Entity, part: int, as_system: bool) -> Entity:
    if entity.kind in ("process", "session") and ties(entity):
        return Entity(entity.kind, f"{entity.name}.{part}", entity.scope, entity.role)
    if entity.kind == "user" and as_system and entity.role != "target":
        return Entity("user", "system", entity.scope, entity.role)
    return entity


def with_shared_desks(one: Fleet) -> Fleet:
    """The fleet with one shell and one session per host, of which all recordings there are part."""
    detections, truth = one
    names = _shells_and_sessions(detections, truth)
    moved: list[Detection] = []
    for each, recording in zip(detections, truth, strict=True):
        entities = (
            Entity(e.kind, names.get((recording, e.kind, e.scope, e.name), e.name), e.scope, e.role)
            for e in each.entities
        )
        moved.append(replace(each, entities=tuple(dict.fromkeys(entities))))
    return moved, truth


def _shells_and_sessions(detections: Sequence[Detection], truth: Sequence[int]) -> dict[tuple[int, str, str, str], str]:
    """New names: of the process above most of a recording that does nothing itself, and of its commonest session."""
    above: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    sessions: defaultdict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    acting: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for each, recording in zip(detections, truth, strict=True):
        for entity in filter(ties, each.entities):
            place = recording, entity.scope
            if entity.kind == "session":
                sessions[place][entity.name] += 1
            elif entity.kind == "process" and not entity.name.startswith("pid "):
                if entity.role in ("parent", "ancestor"):
                    above[place][entity.name] += 1
                else:
                    acting[place].add(entity.name)
    names: dict[tuple[int, str, str, str], str] = {}
    for (recording, host), counts in above.items():
        shell = next((name for name, _ in counts.most_common() if name not in acting[recording, host]), None)
        if shell is not None:
            names[recording, "process", host, shell] = f"shell of {host}"
    for (recording, host), counts in sessions.items():
        names[recording, "session", host, counts.most_common(1)[0][0]] = f"desk of {host}"
    return names
