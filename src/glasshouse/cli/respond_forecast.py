"""What the forecast says about the vulnerabilities that incidents name, and what runs on their hosts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glasshouse.words.places import default_store

if TYPE_CHECKING:
    from glasshouse.words.forecast import Forecast
    from glasshouse.words.incident import Stake


def forecasts(cves: Sequence[str]) -> dict[str, Forecast]:
    """The forecasts of today for those that the store of the forecast knows; none where there is no store."""
    file = default_store(os.environ)
    if not file.exists():
        return {}
    from glasshouse.forecast.facts import Day
    from glasshouse.forecast.model import shipped_model
    from glasshouse.forecast.score import Engine
    from glasshouse.forecast.store import FactStore
    from glasshouse.words.errors import UnknownVulnerabilityError

    found: dict[str, Forecast] = {}
    with FactStore(file) as store:
        engine = Engine(store, shipped_model(), Day(date.today().toordinal()))  # noqa: DTZ011 - the user's own day
        for cve in cves:
            try:
                found[cve] = engine.about(cve)
            except UnknownVulnerabilityError:
                continue  # nothing is known about it, and the report says so
    return found


def host_stakes(table: Path) -> dict[str, list[Stake]]:
    """The services of a table by host, with the vulnerabilities of their components where advisories were imported."""
    from glasshouse.forecast.exposure.hosts import cves_of, stakes_by_host
    from glasshouse.forecast.exposure.services import read_services
    from glasshouse.forecast.store import FactStore

    services, left_out = read_services(table, ())
    for each in left_out:
        click.echo(f"glasshouse: not read: {each.where}: {each.why}", err=True)
    file = default_store(os.environ)
    if not file.exists():
        return stakes_by_host(services, {})
    with FactStore(file) as store:
        return stakes_by_host(services, cves_of(services, store))
