"""Response plans: steps that name a target, what they do to it, how to take it back and who must agree."""

from __future__ import annotations

from typing import Literal

import msgspec

from glasshouse.words.incident import Entity

Phase = Literal["contain", "preserve", "eradicate", "recover"]

PHASES: tuple[Phase, ...] = ("contain", "preserve", "eradicate", "recover")
APPROVALS_REVERSIBLE, APPROVALS_IRREVERSIBLE = 1, 2


class PlanStep(msgspec.Struct, frozen=True):
    """One step of a plan.

    ``target`` is an entity of the incident's evidence.  ``rollback`` says how to take the step back and is empty
    exactly when it cannot be taken back; then ``approvals`` is two.  ``expires`` (seconds since 1970) is when the step
    must no longer be carried out.  ``mitigations`` are ATT&CK ids, ``countermeasures`` D3FEND ids.
    """

    id: str
    phase: Phase
    action: str
    title: str
    target: Entity
    because: str
    blast_radius: str
    precondition: str
    rollback: str
    approvals: int
    expires: int
    mitigations: tuple[str, ...] = ()
    countermeasures: tuple[str, ...] = ()

    @property
    def reversible(self) -> bool:
        """Whether the step can be taken back."""
        return bool(self.rollback)


class Plan(msgspec.Struct, frozen=True):
    """A proposal for one incident; nothing in it is done before people have approved it step by step.

    ``created`` and ``expires`` are seconds since 1970.  ``rules`` are (id, author, link) of the rules behind it.
    """

    id: str
    incident: str
    title: str
    severity: str
    created: int
    expires: int
    steps: tuple[PlanStep, ...]
    techniques: tuple[str, ...] = ()
    rules: tuple[tuple[str, str, str], ...] = ()


class ApprovedStep(msgspec.Struct, frozen=True):
    """A step that the door let through: under which request, with how many approvals, recorded as which entry."""

    step: PlanStep
    request: str
    approvals: int
    entry: int


class StepResult(msgspec.Struct, frozen=True):
    """What a connector answered; ``detail`` is bounded."""

    step: str
    connector: str
    done: bool
    detail: str
