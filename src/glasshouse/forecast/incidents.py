"""What the store of imported facts says about incidents: forecasts of what they name, and what runs on their hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from glasshouse.forecast.facts import Day
from glasshouse.forecast.store import FactStore
from glasshouse.words.errors import UnknownVulnerabilityError
from glasshouse.words.forecast import Forecast
from glasshouse.words.incident import NotRead, Stake


def forecasts(place: Path, today: date, cves: Sequence[str]) -> dict[str, Forecast]:
    """The forecasts of today for those that the store at ``place`` knows; none where there is no store."""
    if not place.exists():
        return {}
    from glasshouse.forecast.model import shipped_model  # numpy: only where a vulnerability is named
    from glasshouse.forecast.score import Engine

    found: dict[str, Forecast] = {}
    with FactStore(place) as store:
        engine = Engine(store, shipped_model(), Day(today.toordinal()))
        for cve in cves:
            try:
                found[cve] = engine.about(cve)
            except UnknownVulnerabilityError:
                continue  # nothing is known about it, and the report says so
    return found


def host_stakes(place: Path, table: Path) -> tuple[Mapping[str, Sequence[Stake]], list[NotRead]]:
    """The services of a table by host, and the rows that could not be read.

    Vulnerabilities of their components are known where advisories were imported into the store at ``place``.
    """
    from glasshouse.forecast.exposure.hosts import cves_of, stakes_by_host
    from glasshouse.forecast.exposure.services import read_services

    services, left_out = read_services(table, ())
    not_read = [NotRead(each.where, "row", each.why) for each in left_out]
    if not place.exists():
        return stakes_by_host(services, {}), not_read
    with FactStore(place) as store:
        return stakes_by_host(services, cves_of(services, store)), not_read
