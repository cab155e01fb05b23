"""What every connector offers, and what may be done to a target's name on the way out."""

from __future__ import annotations

import re
from typing import Protocol

from glasshouse.words.errors import ConnectorError
from glasshouse.words.plan import ApprovedStep, StepResult

MAX_DETAIL = 2_000
TIMEOUT_S = 30.0
_SAFE = re.compile(r"[A-Za-z0-9._@:\\/ {}()$+=,~%-]{1,300}")


class Connector(Protocol):
    """Carries out steps of one kind on one system."""

    name: str

    def describe(self, approved: ApprovedStep) -> str:
        """What would be done, for a dry run; does nothing."""
        ...

    def carry_out(self, approved: ApprovedStep) -> StepResult:
        """Does it.  Raises ConnectorError when it is unknown whether it was done."""
        ...


def safe_name(approved: ApprovedStep) -> str:
    """The target's name when it may stand in an argument or a message; names come from hostile logs.

    A leading dash would be an option, a control character could forge a line.
    """
    name = approved.step.target.name
    if name.startswith(("-", "@")) or not _SAFE.fullmatch(name):
        raise ConnectorError(
            f"the target's name is not one that a connector may pass on: {name[:80]!r}",
            where=approved.step.id,
            hint="Carry this step out by hand.",
        )
    return name
