"""Events of the door as documents read them: the fields that are counted or quoted, the rest passed over."""

from __future__ import annotations

import re

import msgspec

from glasshouse.words.errors import EvidenceError

VOTE = "approval.vote"
HELD_UP = frozenset({"act.denied", "act.asked"})
UPHOLDS = re.compile(r"appeal of .+: upheld", re.DOTALL)


class Input(msgspec.Struct, frozen=True):
    """What a prompt was made of."""

    characters: int = 0
    language: str = "unknown"
    code: int = 0


class Vote(msgspec.Struct, frozen=True):
    """Who voted."""

    approver: str = ""


class Terms(msgspec.Struct, frozen=True):
    """What was voted on: the request, and the policies that asked for it."""

    id: str = ""
    policies: tuple[str, ...] = ()


class Unmapped(msgspec.Struct, frozen=True):
    """What the door adds to an event beside the schema."""

    misuse: int | None = None
    misuse_categories: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    input: Input | None = None
    input_digest: str = ""
    result_digest: str = ""
    approval: str = ""
    describes: str = ""
    state: str = ""
    terms: Terms = Terms()
    vote: Vote = Vote()


class Resource(msgspec.Struct, frozen=True):
    """A target."""

    type: str = ""
    name: str = ""


class Policy(msgspec.Struct, frozen=True):
    """The set that decided, and the first policy of it."""

    version: str = ""
    uid: str = ""


class Api(msgspec.Struct, frozen=True):
    """What was asked for."""

    operation: str = ""


class Event(msgspec.Struct, frozen=True):
    """One event."""

    api: Api = Api()
    policy: Policy = Policy()
    resources: tuple[Resource, ...] = ()
    unmapped: Unmapped = Unmapped()

    @property
    def rules(self) -> tuple[str, ...]:
        """The policies that decided."""
        return self.unmapped.policies or ((self.policy.uid,) if self.policy.uid else ())

    @property
    def upholds_an_appeal(self) -> bool:
        """Whether an act is about to say that an organisation was refused or stopped wrongly."""
        return self.api.operation == "access.change" and UPHOLDS.fullmatch(self.unmapped.describes) is not None


_EVENT = msgspec.json.Decoder(Event)


def read_event(body: bytes, index: int) -> Event:
    """The event of an entry.  Raises `EvidenceError` naming the entry."""
    try:
        return _EVENT.decode(body)
    except msgspec.MsgspecError as error:
        raise EvidenceError(f"the event cannot be read: {error}", where=f"entry {index}") from error
