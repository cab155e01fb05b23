"""One exposure analysis: inventories and facts in, the report out.  The only place where matching and forecast meet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glasshouse.forecast.exposure import analyse
from glasshouse.forecast.exposure.match import Matches, weighed
from glasshouse.forecast.exposure.model import Exposure, Service
from glasshouse.forecast.exposure.services import read_services, services_of
from glasshouse.forecast.facts import Day, iso
from glasshouse.forecast.model import Horizon, Model, shipped_model
from glasshouse.forecast.score import Engine
from glasshouse.forecast.store import FactStore
from glasshouse.inventory.component import Component, Inventory, LeftOut
from glasshouse.inventory.match import match
from glasshouse.inventory.places import find_inventories, is_system, of_system
from glasshouse.inventory.read import read_inventory
from glasshouse.words.errors import InventoryError

SAID = 3
"""Reasons that an error names when nothing is left."""
MAX_CRITICALITY_NOTE = "every service weighs the same: give --services to say which are critical"


def read_everything(paths: Sequence[Path], table: Path | None) -> tuple[list[Service], list[LeftOut]]:
    """Services with their components, and what could not be read."""
    systems = [path for path in paths if is_system(path)]
    named = [file for path in paths if path not in systems for file in find_inventories(path)]
    files, inventories, left_out = _read(named)
    files += systems
    inventories += [of_system(path) for path in systems]
    left_out += [item for inventory in inventories for item in inventory.left_out]
    if table is None:
        services = services_of(inventories, [_service_name(file, files) for file in files])
    else:
        services, more = read_services(table, inventories)
        left_out = [*more, *left_out]
    if not services:
        why = "".join(f"; {item.where}: {item.why}" for item in left_out[:SAID])
        raise InventoryError(
            f"no service and no component in what was given{why}", where=", ".join(str(path) for path in paths)
        )
    return services, left_out


def _read(files: Sequence[Path]) -> tuple[list[Path], list[Inventory], list[LeftOut]]:
    """The files that could be read.  One that cannot is left out and named, unless there is no other."""
    read: list[tuple[Path, Inventory]] = []
    left_out: list[LeftOut] = []
    for file in files:
        try:
            read.append((file, read_inventory(file)))
        except InventoryError as error:
            if len(files) == 1:
                raise
            left_out.append(LeftOut(str(file), error.what))
    return [file for file, _ in read], [inventory for _, inventory in read], left_out


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
    """Only the CVEs of what matches are scored."""
    matched = match(components, engine.store.advisories_about, engine.store.ecosystems())
    cves = sorted({cve for found in matched.found.values() for each in found for cve in each.cves})
    chances, listed = engine.chances(cves, horizon)
    return weighed(matched, chances, listed, engine.model.base_rate(horizon))


def _caveats(engine: Engine, services: Sequence[Service], found: Matches) -> list[str]:
    notes = []
    if len({service.criticality for service in services}) == 1 and not any(service.critical for service in services):
        notes.append(MAX_CRITICALITY_NOTE)
    assumed = sum(each.assumed for list_ in found.found.values() for each in list_)
    if assumed:
        many = f"{assumed:,} vulnerabilities" if assumed > 1 else "a vulnerability"
        notes.append(f"{many} without a forecast: counted with the overall rate")
    if not engine.own_listings:
        notes.append("no catalogue of listings (KEV) was imported: none of the vulnerabilities counts as listed")
    return notes
