"""What a refused release gate does: the door lets no engagement of the tier call the model, in any process."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from glasshouse.words.halt import Halt

if TYPE_CHECKING:
    from glasshouse.store.records import Tables


def withhold(tables: Tables, model: str, tiers: Iterable[int], reason: str, by: str, now: int) -> None:
    """Blocks a model for engagements of these tiers, once each."""
    blocked = {each.value for each in _in_force(tables, model)}
    for tier in tiers:
        if f"{model}@{tier}" not in blocked:
            tables.halts.add(Halt(secrets.token_hex(6), "release", f"{model}@{tier}", reason, by, now))


def release(tables: Tables, model: str, tiers: Iterable[int], now: int) -> None:
    """Lifts the blocks of a model for these tiers."""
    wanted = {f"{model}@{tier}" for tier in tiers}
    for each in _in_force(tables, model):
        if each.value in wanted:
            tables.halts.change(each.id, lambda halt: msgspec.structs.replace(halt, lifted_at=now))


def _in_force(tables: Tables, model: str) -> list[Halt]:
    return [
        each
        for each in tables.halts.all(lifted_at=0)
        if each.kind == "release" and each.value.rpartition("@")[0] == model
    ]
