"""One exposure analysis: inventories and facts in, the report out.  The only place where matching and forecast meet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glasshouse.forecast.exposure import analyse
from glasshouse.forecast.exposure.match import Matches, match
from glasshouse.forecast.exposure.model import Exposure, Service
from glasshouse.forecast.exposure.services import read_services, services_of
from glasshouse.forecast.facts import Day, iso
from glasshouse.forecast.model import Horizon, Model, shipped_model
from glasshouse.forecast.score import Engine
from glasshouse.forecast.store import FactStore
from glasshouse.inventory.component import Component, LeftOut
from glasshouse.inventory.read import find_inventories, read_inventory
from glasshouse.words.errors import InventoryError

MAX_CRITICALITY_NOTE = "every service weighs the same: give --services to say which are critical"


def read_everything(paths: Sequence[Path], table: Path | None) -> tuple[list[Service], list[LeftOut]]:
    """Services with their components, and what could not be read."""
    files = [file for path in paths for file in find_inventories(path)]
    inventories = [read_inventory(file) for file in files]
    left_out = [item for inventory in inventories for item in inventory.left_out]
    if table is None:
        services = services_of(inventories, [_service_name(file, files) for file in files])
    else:
        services, more = read_services(table, inventories)
        left_out += more
    if not services:
        raise InventoryError(
            "no service and no component in what was given", where=", ".join(str(path) for path in paths)
        )
    return services, left_out


def _service_name(file: Path, files: Sequence[Path]) -> str:
    """The file's name, with its folder where names would be alike."""
    alike = sum(other.name == file.name for other in files) > 1
    return f"{file.parent.name}/{file.name}" if alike else file.name


def analyse_exposure(
    store: FactStore,
    services: Sequence[Service],
    left_out: Sequence[LeftOut],
    day: Day,
    *,
    horizon: Horizon = 90,
    suppose: Sequence[str] = (),
    model: Model | None = None,
) -> Exposure:
    """What is vulnerable in the services, and what its exploitation within ``horizon`` days would hit."""
    model = model or shipped_model()
    engine = Engine(store, model, day)
    components = sorted({component for service in services for component in service.components})
    found = _matches(engine, components, horizon)
    web = analyse.weave(services, found.found)
    expected = web.loss()
    rows = analyse.exposed(web, found.found, expected)
    loss, hit = analyse.simulate(web)
    return Exposure(
        day=iso(day),
        horizon_days=horizon,
        services=tuple(services),
        components=len(components),
        vulnerable=rows,
        expected_loss=expected,
        total_weight=sum(service.criticality for service in services),
        loss=loss,
        services_hit=hit,
        concentrations=analyse.concentrations(services),
        single_points=analyse.single_points(services),
        plan=analyse.plan(web, expected, rows),
        what_if=analyse.what_if(services, suppose),
        unknown=(*left_out, *found.unknown),
        model=model.version,
        caveats=tuple(_caveats(engine, services, found)),
    )


def _matches(engine: Engine, components: Sequence[Component], horizon: Horizon) -> Matches:
    """Matching needs the chances of the CVEs that match: so match once to learn which, then with their chances."""
    store = engine.store
    covered = store.ecosystems()
    base = engine.model.base_rate(horizon)
    first = match(components, store.advisories, covered, {}, frozenset(), base)
    cves = sorted({cve for found in first.found.values() for each in found for cve in each.cves})
    chances, listed = engine.chances(cves, horizon)
    return match(components, store.advisories, covered, chances, listed, base)


def _caveats(engine: Engine, services: Sequence[Service], found: Matches) -> list[str]:
    notes = []
    if len({service.criticality for service in services}) == 1 and not any(service.critical for service in services):
        notes.append(MAX_CRITICALITY_NOTE)
    assumed = sum(each.assumed for list_ in found.found.values() for each in list_)
    if assumed:
        notes.append(f"{assumed:,} vulnerabilities without a forecast count with the overall rate")
    if not engine.own_listings:
        notes.append("no catalogue of listings (KEV) was imported: none of the vulnerabilities counts as listed")
    return notes
