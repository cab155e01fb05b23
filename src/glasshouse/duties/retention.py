"""How long entries are kept, by kind: what rules of law say about records that must outlive a wish to erase them."""

from __future__ import annotations

import datetime as dt

import msgspec

from glasshouse.duties.law import Law, Retention
from glasshouse.duties.periods import add_months

KINDS = {
    "duty": "keep_incidents",
    "assess": "keep_documentation",
    "attest": "keep_documentation",
    "dossier": "keep_documentation",
}
"""First part of an entry's kind -> the rule that holds it; others are kept as long as their operator wants."""


class Kept(msgspec.Struct, frozen=True):
    """Until when an entry is kept (that day included), and by which rule."""

    until: dt.date
    rule: Retention

    def basis(self) -> str:
        """The words of the hold."""
        return (
            f"{self.rule.id}: {self.rule.value} {self.rule.unit}, until {self.until.isoformat()} ({self.rule.citation})"
        )


def kept(kind: str, written: dt.date, law: Law) -> Kept | None:
    """Until when an entry of a kind is kept, counted from the day it was written; None for kinds without a rule.

    The law counts documentation from market placement, which is later than most records: operators hold those longer.
    """
    name = KINDS.get(kind.partition(".")[0])
    if name is None:
        return None
    rule = law.retention[name]
    return Kept(add_months(written, rule.value * (12 if rule.unit == "years" else 1)), rule)
