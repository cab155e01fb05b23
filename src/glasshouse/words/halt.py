"""A halt: an order that shuts out a cohort, or everything, at once and in every process."""

from __future__ import annotations

from typing import Literal

import msgspec

CohortKind = Literal[
    "all", "organisation", "country", "employer", "tier", "engagement", "model", "key", "holder", "release"
]
COHORT_KINDS: tuple[CohortKind, ...] = (
    "all", "organisation", "country", "employer", "tier", "engagement", "model", "key", "holder",
)  # fmt: skip
"""What a person can shut out; ``release`` is for the release gate alone: MODEL@TIER, the tier that of engagements."""


class Halt(msgspec.Struct, frozen=True):
    """Stops whatever matches ``kind`` and ``value`` (``tier``: that tier and above) until it is lifted."""

    id: str
    kind: CohortKind
    value: str
    reason: str
    ordered_by: str
    ordered_at: int
    lifted_at: int = 0
