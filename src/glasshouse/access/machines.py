"""State machines as tables: what may follow what, read by the code, drawn in the docs and walked by the tests."""

from __future__ import annotations

import msgspec

from glasshouse.words.errors import TransitionError


class Step(msgspec.Struct, frozen=True):
    """One legal step: from a state, by an event, to a state."""

    source: str
    event: str
    target: str


class Machine(msgspec.Struct, frozen=True):
    """A state machine.  ``live`` are the states in which its subject may be used."""

    name: str
    initial: str
    live: tuple[str, ...]
    steps: tuple[Step, ...]

    def states(self) -> tuple[str, ...]:
        """All states, in the order of the table."""
        named = [self.initial, *(state for step in self.steps for state in (step.source, step.target))]
        return tuple(dict.fromkeys(named))

    def after(self, state: str, event: str) -> str:
        """The state that ``event`` leads to, or `TransitionError` with the events that are legal."""
        for step in self.steps:
            if step.source == state and step.event == event:
                return step.target
        legal = [step.event for step in self.steps if step.source == state]
        possible = f"possible here: {', '.join(legal)}" if legal else "nothing leaves this state"
        raise TransitionError(f"{self.name} is {state}: cannot {event} it ({possible})")

    def diagram(self) -> str:
        """The machine as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        lines += [f"    {step.source} --> {step.target}: {step.event}" for step in self.steps]
        sources = {step.source for step in self.steps}
        lines += [f"    {state} --> [*]" for state in self.states() if state not in sources]
        return "\n".join(lines)


def _machine(name: str, initial: str, live: tuple[str, ...], *rows: tuple[str, str, str]) -> Machine:
    return Machine(name, initial, live, tuple(Step(*row) for row in rows))


ORGANISATION = _machine(
    "organisation",
    "applied",
    ("vetted",),
    ("applied", "vet", "vetted"),
    ("applied", "refuse", "revoked"),
    ("vetted", "suspend", "suspended"),
    ("vetted", "revoke", "revoked"),
    ("suspended", "reinstate", "vetted"),
    ("suspended", "revoke", "revoked"),
    ("revoked", "reapply", "applied"),
)

ENGAGEMENT = _machine(
    "engagement",
    "draft",
    ("active",),
    ("draft", "request", "requested"),
    ("draft", "revoke", "revoked"),
    ("requested", "return", "draft"),
    ("requested", "activate", "active"),
    ("requested", "revoke", "revoked"),
    ("active", "pause", "paused"),
    ("active", "expire", "expired"),
    ("active", "revoke", "revoked"),
    ("paused", "resume", "active"),
    ("paused", "expire", "expired"),
    ("paused", "revoke", "revoked"),
)

KEY = _machine(
    "key",
    "active",
    ("active", "rotated"),
    ("active", "rotate", "rotated"),
    ("active", "revoke", "revoked"),
    ("rotated", "revoke", "revoked"),
)

APPROVAL = _machine(
    "approval",
    "waiting",
    ("approved",),
    ("waiting", "approve", "approved"),
    ("waiting", "deny", "denied"),
    ("waiting", "lapse", "lapsed"),
    ("approved", "use", "used"),
    ("approved", "lapse", "lapsed"),
)

WITHDRAWING = {
    ORGANISATION.name: ("refuse", "suspend", "revoke"),
    ENGAGEMENT.name: ("pause", "expire", "revoke"),
    KEY.name: ("revoke",),
}
"""By machine, the events that only take rights away: none leads to a state in which its subject may be used."""


def changes_by(machine: Machine, event: str) -> str:
    """The capability that a step of the register asks for: one that only takes rights away passes under a halt."""
    return "access.withdraw" if event in WITHDRAWING.get(machine.name, ()) else "access.change"


MACHINES: tuple[Machine, ...] = (ORGANISATION, ENGAGEMENT, KEY, APPROVAL)
