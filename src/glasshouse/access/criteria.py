"""Admission criteria as data, and whether an organisation's checks meet them."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

from glasshouse.words.party import CriterionCheck, Organisation

FILE = Path(__file__).parent / "criteria.yaml"


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One admission criterion: what is asked, and what counts as evidence."""

    id: str
    title: str
    asks: str
    evidence: str
    required: bool


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    criteria: tuple[Criterion, ...]


@functools.lru_cache(maxsize=1)
def criteria() -> tuple[Criterion, ...]:
    """The criteria, in the order in which they are checked."""
    return msgspec.yaml.decode(FILE.read_bytes(), type=_File).criteria


def latest_checks(organisation: Organisation) -> dict[str, CriterionCheck]:
    """The last check of each criterion."""
    return {check.criterion: check for check in organisation.checks}


def unmet(organisation: Organisation) -> tuple[Criterion, ...]:
    """The required criteria that were not checked, or whose last check failed."""
    checks = latest_checks(organisation)
    return tuple(each for each in criteria() if each.required and not (each.id in checks and checks[each.id].met))
