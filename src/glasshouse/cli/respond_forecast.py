"""What the forecast says about the vulnerabilities that incidents name, and what runs on their hosts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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
    from glasshouse.forecast import incidents

    return incidents.forecasts(default_store(os.environ), date.today(), cves)  # noqa: DTZ011 - the user's own day


def host_stakes(table: Path) -> Mapping[str, Sequence[Stake]]:
    """The services of a table by host; says which rows could not be read."""
    from glasshouse.forecast import incidents

    stakes, not_read = incidents.host_stakes(default_store(os.environ), table)
    for each in not_read:
        click.echo(f"glasshouse: not read: {each.source}: {each.reason}", err=True)
    return stakes
