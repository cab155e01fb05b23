"""The rules as data: every row has its citation and how well it was checked; a row that lacks one cannot be loaded."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from glasshouse.assess.yaml_file import decode
from glasshouse.words.errors import LawDataError

Unit = Literal["hours", "days", "weeks", "months", "years", "business_days"]
Certainty = Literal["verified", "secondary"]
SHIPPED = ("reporting_deadlines.yaml", "standing_duties.yaml")


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``value`` units after the event named ``anchor``; a ``role`` limits it to those who hold that role."""

    value: int
    unit: Unit
    anchor: str
    role: str = ""
    note: str = ""


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something is due.  Exactly one of the forms is given: a figure (``value``, ``unit``, ``anchor``), the
    earliest of several figures, or the words that stand where a figure would (``no_figure``, ``requested``, ``before``,
    ``moves_to``, ``none``).

    ``alone_when_later`` names the anchor whose period counts alone once its event comes after the other periods ended.
    """

    value: int | None = None
    unit: Unit | None = None
    anchor: str = ""
    earliest_of: tuple[Period, ...] = ()
    alone_when_later: str = ""
    variants: tuple[Period, ...] = ()
    no_figure: str = ""
    requested: str = ""
    before: str = ""
    moves_to: Literal["", "noon_of_next_working_day"] = ""
    not_for_stages: tuple[str, ...] = ()
    not_for_roles: tuple[str, ...] = ()
    none: str = ""
    direction: Literal["by", "not before"] = "by"
    recurring: bool = False
    also: str = ""
    softness: str = ""
    exception: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        forms = [self.value is not None, bool(self.earliest_of)]
        forms += [bool(text) for text in (self.no_figure, self.requested, self.before, self.moves_to, self.none)]
        if sum(forms) != 1:
            raise ValueError(
                "a deadline has exactly one form (a figure, earliest_of, or the words instead of a figure)"
            )
        if self.value is not None and (self.unit is None or not self.anchor):
            raise ValueError("a figure needs its unit and its anchor")

    def periods(self, roles: frozenset[str] = frozenset()) -> tuple[Period, ...]:
        """The figures that hold for somebody with these roles; empty when there is none."""
        special = tuple(each for each in self.variants if each.role in roles)
        if special:
            return special
        if self.value is not None and self.unit is not None:
            return (Period(self.value, self.unit, self.anchor),)
        return self.earliest_of

    def anchors(self) -> tuple[str, ...]:
        """The events that the deadline counts from, in order, each once."""
        named = [self.anchor, *(each.anchor for each in (*self.earliest_of, *self.variants))]
        return tuple(dict.fromkeys(name for name in named if name))


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One duty.  ``applies_from`` maps a kind of system (``all`` where there is one kind) to its first day."""

    id: str
    regime: str
    who: str
    trigger: str
    stage: str
    deadline: Deadline
    recipient: str
    content: tuple[str, ...]
    citation: str
    confidence: Certainty
    applies_from: dict[str, dt.date] = {}
    content_confidence: Certainty = "verified"
    special: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "citation", "recipient", "stage"):
            if not getattr(self, name).strip():
                raise ValueError(f"`{name}` is empty")


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long records of a kind are kept, and thus hold erasure."""

    id: str
    what: str
    value: int
    unit: Literal["months", "years"]
    anchor: str
    citation: str
    confidence: Certainty


class Regime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body of rules that an organisation declares to be under, or not."""

    id: str
    title: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    meta: dict[str, object]
    regimes: tuple[Regime, ...]
    rows: tuple[Rule, ...]
    retention: tuple[Retention, ...] = ()
    pending_changes: tuple[dict[str, str], ...] = ()
    not_covered: tuple[str, ...] = ()


class Law(msgspec.Struct, frozen=True):
    """All rules of the shipped files, or of files in their place.  ``as_of`` is the day the data was compiled."""

    rules: dict[str, Rule]
    regimes: dict[str, Regime]
    retention: dict[str, Retention]
    as_of: dt.date
    pending: tuple[dict[str, str], ...]


@cache
def shipped_law() -> Law:
    """The rules that come with the package.  Raises `LawDataError` when a row lacks what it must have."""
    folder = files("glasshouse.duties") / "data"
    return load_law([(name, (folder / name).read_bytes()) for name in SHIPPED])


def load_law(sources: list[tuple[str, bytes]]) -> Law:
    """Rules from YAML texts, each with the name used in errors.  Raises `LawDataError` naming file and row."""
    rules: dict[str, Rule] = {}
    regimes: dict[str, Regime] = {}
    retention: dict[str, Retention] = {}
    pending: list[dict[str, str]] = []
    as_of = dt.date.min
    for name, text in sources:
        file = decode(name, text, _File, LawDataError)
        regimes.update({each.id: each for each in file.regimes})
        retention.update({each.id: each for each in file.retention})
        pending += file.pending_changes
        as_of = max(as_of, _compiled(name, file.meta))
        for rule in file.rows:
            if rule.id in rules:
                raise LawDataError(f"row `{rule.id}` occurs twice", where=name)
            rules[rule.id] = rule
    for rule in rules.values():
        if rule.regime not in regimes:
            raise LawDataError(f"row `{rule.id}` names the regime `{rule.regime}`, which no file declares")
    return Law(rules, regimes, retention, as_of, tuple(pending))


def _compiled(name: str, meta: dict[str, object]) -> dt.date:
    try:
        return dt.date.fromisoformat(str(meta["compiled"]))
    except (KeyError, ValueError) as error:
        raise LawDataError("`meta.compiled` must be the day on which the data was compiled", where=name) from error
