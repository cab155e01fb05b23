"""Data that one handler keeps for another, followed from who wrote it to where it is used.

When everything has run, each flow that begins at a place of a store (see ``interp.stores``) is joined with what was
kept at that place; places fit if one is the other or lies within it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glasshouse.scan.interp.findings import allowed, keep_flow
from glasshouse.scan.interp.stores import STORED
from glasshouse.scan.interp.values import Label, Mark, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from glasshouse.scan.interp.machine import Machine
    from glasshouse.scan.outcomes import Merged

HOPS = 3  # from one place to another
MAX_WAY = 200  # steps that are copied

Kept = dict[tuple[str, Label], Mark]


def link(machine: Machine, found: Merged) -> None:
    """Add to ``found.flows`` what reaches sinks through stores."""
    if not found.reads or not found.kept:
        return
    stores: dict[str, list[tuple[str, Label, Mark]]] = {}
    for (place, label), mark in sorted(found.kept.items(), key=lambda item: (item[0][0], item[0][1].key())):
        stores.setdefault(place.partition(".")[0], []).append((place, label, mark))
    for flow in found.reads.values():
        bit = machine.bit(flow.rule.taint)
        for label, step in origins(stores, flow.label.text, bit, flow.step, HOPS):
            if allowed(flow.rule, label):
                keep_flow(found.flows, flow._replace(label=label, step=step))


def origins(
    stores: dict[str, list[tuple[str, Label, Mark]]], place: str, bit: int, way: Step | None, hops: int
) -> Iterator[tuple[Label, Step | None]]:
    """Real sources of what is kept at a place and still dangerous, each with the whole way."""
    for written, label, (mask, step) in stores.get(place.partition(".")[0], ()):
        if not mask & bit or not fits(written, place):
            continue
        whole = continued(way, step)
        if label.source != STORED:
            yield label, whole
        elif hops > 1:
            yield from origins(stores, label.text, bit, whole, hops - 1)


def fits(written: str, read: str) -> bool:
    """Whether one place is the other, or lies within it (``*``: any name)."""
    pairs = zip(written.split("."), read.split("."), strict=False)
    return all(a == b or "*" in (a, b) for a, b in pairs)


def continued(way: Step | None, before: Step | None) -> Step | None:
    """A way that begins where another one ends."""
    steps: list[Step] = []
    while way is not None and len(steps) < MAX_WAY:
        steps.append(way)
        way = way.before
    for step in reversed(steps):
        before = step._replace(before=before)
    return before
