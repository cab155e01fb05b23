"""Records outlive a wish to erase them for as long as the rules say, and no longer."""

from __future__ import annotations

import datetime as dt

import pytest

from glasshouse.dossier.collect import RECORD_KINDS
from glasshouse.duties.law import shipped_law
from glasshouse.duties.retention import kept

LAW = shipped_law()
DAY = dt.date(2024, 2, 29)


@pytest.mark.parametrize(
    ("kind", "until"),
    [
        ("duty.open", dt.date(2029, 2, 28)),
        ("assess.run", dt.date(2034, 2, 28)),
        ("attest.statement", dt.date(2034, 2, 28)),
        ("dossier.made", dt.date(2034, 2, 28)),
    ],
)
def test_records_are_kept_for_the_years_of_their_rule(kind: str, until: dt.date) -> None:
    found = kept(kind, DAY, LAW)
    assert found is not None
    assert found.until == until
    assert until.isoformat() in found.basis()


def test_acts_are_kept_as_long_as_their_operator_wants() -> None:
    assert kept("act.request", DAY, LAW) is None


def test_every_record_of_assurance_has_a_rule() -> None:
    assert [kind for kind in RECORD_KINDS if kept(kind, DAY, LAW) is None] == []
