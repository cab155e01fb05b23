"""Permits that were given a moment ago: the same request is answered from them for as long as nothing has changed."""

from __future__ import annotations

import msgspec

from glasshouse.access.facts import record_is_live
from glasshouse.guard.decide import Guard
from glasshouse.words.act import Act, Circumstances
from glasshouse.words.decision import Permit
from glasshouse.words.halt import Halt
from glasshouse.words.party import Caller

MAX_PERMITS = 10_000


class Ground(msgspec.Struct, frozen=True):
    """What a permit rests on beside what was asked for: these very objects, from this time on."""

    caller: Caller
    guard: Guard
    halts: tuple[Halt, ...]
    since: int


class Permits:
    """Permits that were given to the same caller for the same targets, for as long as nothing they rest on changes.

    The directory gives the same caller and halts as long as the store's generation stays, and new ones after that.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Ground, Permit]] = {}

    def find(
        self, caller: Caller, act: Act, circumstances: Circumstances, guard: Guard, halts: tuple[Halt, ...], now: int
    ) -> Permit | None:
        """The permit that was given, if all that it rests on is still the same."""
        found = self._known.get(_asked_for(caller, act, circumstances))
        if found is None or circumstances.approval:
            return None
        ground, permit = found
        same = ground.caller is caller and ground.guard is guard and ground.halts is halts and ground.since <= now
        return permit if same and _in_time(caller, now) else None

    def keep(self, caller: Caller, act: Act, circumstances: Circumstances, ground: Ground, permit: Permit) -> None:
        """Remembers a permit; one that rests on an approval, which is used up, or on many targets is not kept."""
        if circumstances.approval or caller.key is None or len(act.targets) > 1:
            return
        if len(self._known) >= MAX_PERMITS:
            self._known.clear()
        self._known[_asked_for(caller, act, circumstances)] = (ground, permit)


def _asked_for(caller: Caller, act: Act, circumstances: Circumstances) -> tuple[object, ...]:
    """What a decision depends on, of the parts that differ between one caller's requests."""
    return caller.key_id, act.capability, act.targets, act.engagement, circumstances.misuse


def _in_time(caller: Caller, now: int) -> bool:
    return caller.engagement.term.holds(now) and caller.key is not None and record_is_live(caller.key, now)
