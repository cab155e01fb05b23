"""Engagements as files that people write: YAML or JSON, dates instead of seconds, every unknown field refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from glasshouse.access.register import check_engagement
from glasshouse.words.engagement import MISUSE_DENIES_AT, ApprovalRule, Engagement, Keeps, Quota, Scope, Term
from glasshouse.words.errors import AccessError, PathError
from glasshouse.words.named_file import read_named
from glasshouse.words.yaml_text import one_plain_yaml

MAX_BYTES = 1_000_000


class EngagementFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an engagement file; the term runs from ``starts`` to the day before ``ends``, in UTC."""

    id: str
    organisation: str
    purpose: str
    capabilities: tuple[str, ...]
    starts: date
    ends: date
    scope: Scope
    tier: int = 0
    operators: tuple[str, ...] = ()
    approvals: tuple[ApprovalRule, ...] = ()
    quota: Quota = Quota()
    misuse_asks_at: int = 101
    misuse_denies_at: int = MISUSE_DENIES_AT
    fallback_model: str = ""
    keeps: Keeps = "nothing"


def read_engagement(file: Path) -> Engagement:
    """The engagement in a file; `AccessError` names what is wrong with it."""
    import yaml

    try:
        data = read_named(file, MAX_BYTES)
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(file)) from error
    if len(data) > MAX_BYTES:
        raise AccessError(f"larger than {MAX_BYTES:,} bytes", where=str(file))
    try:
        raw = one_plain_yaml(data)
        _refuse_unknown(raw)
        given = msgspec.convert(raw, EngagementFile, builtin_types=(datetime, date))
    except (msgspec.MsgspecError, yaml.YAMLError, ValueError) as error:
        hint = "`glasshouse access engagement template` prints a complete example."
        raise AccessError(f"not an engagement: {' '.join(str(error).split())}", where=str(file), hint=hint) from error
    engagement = Engagement(
        id=given.id,
        organisation=given.organisation,
        purpose=given.purpose,
        scope=given.scope,
        capabilities=given.capabilities,
        tier=given.tier,
        term=Term(_seconds(given.starts), _seconds(given.ends)),
        operators=given.operators,
        approvals=given.approvals,
        quota=given.quota,
        misuse_asks_at=given.misuse_asks_at,
        misuse_denies_at=given.misuse_denies_at,
        fallback_model=given.fallback_model,
        keeps=given.keeps,
    )
    check_engagement(engagement)
    return engagement


def _refuse_unknown(value: object) -> None:
    """A misspelt part of a scope must not pass as an empty one."""
    known = {"scope": Scope, "quota": Quota}
    if not isinstance(value, dict):
        return
    for name, kind in known.items():
        part = value.get(name)
        unknown = set(part) - set(kind.__struct_fields__) if isinstance(part, dict) else set()
        if unknown:
            raise msgspec.ValidationError(f"{name} has no field {min(map(str, unknown))}")


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
