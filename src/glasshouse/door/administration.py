"""Changing the register through the door: each change is an act, with the record before and after in the log.

with administration(os.environ) as admin:
    admin.change("access.change", "organisation:acme", "vet acme", lambda tables: move_organisation(...))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from glasshouse.door import events
from glasshouse.door.door import Door
from glasshouse.door.local import command_caller
from glasshouse.words.act import Act, Target

if TYPE_CHECKING:
    from glasshouse.door.passage import Passage
    from glasshouse.store.records import Tables
    from glasshouse.words.party import Caller

T = TypeVar("T")


class Administration:
    """The register as somebody with the right to change it sees it."""

    def __init__(self, door: Door, caller: Caller) -> None:
        self.door, self.caller = door, caller

    @property
    def tables(self) -> Tables:
        """The records, for reading."""
        return self.door.tables

    def change(
        self, capability: str, record: str, describes: str, edit: Callable[[Tables], T], before: object = None
    ) -> T:
        """Makes one change and records it: who, what, before and after.  A change that is refused is recorded too."""
        act = Act(capability, (Target("record", record),), self.caller.engagement.id, describes=describes)
        passage: Passage[Any] = self.door.passage(self.caller, act)
        with passage:
            after = edit(self.door.tables)
            shown = after[-1] if isinstance(after, tuple) else after
            event = events.change_event(self.caller, act, before, shown, self.door.now_ms(), passage.admission.uid)
            passage.events.append(event)
        return after


@contextmanager
def administration(environ: Mapping[str, str]) -> Iterator[Administration]:
    """The register of the home that the environment names, for the user of this machine or the holder of a key."""
    with Door.open(environ) as door:
        yield Administration(door, command_caller(door, (), environ))
