"""Services from a table (CSV) and inventories: what runs where, how critical it is, and who supplies it.

Columns: ``service`` (required), ``inventory`` (files, separated by ``;``, relative to the table), ``owner``,
``criticality`` (a number, 0 or more; default 1), ``critical`` (yes/no), ``sector``, ``function``, ``supplier``,
``supplier_lei``, ``substitutable``, ``hosts`` (names or addresses, separated by ``;``).  Other columns are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from glasshouse.forecast.exposure.model import Service
from glasshouse.forecast.tabular import csv_rows
from glasshouse.inventory.component import Component, Inventory, LeftOut
from glasshouse.inventory.read import read_inventory
from glasshouse.words.errors import GlasshouseError, InventoryError, PathError
from glasshouse.words.named_file import read_named

MAX_ROWS = 100_000
MAX_BYTES = 50_000_000
YES = frozenset({"yes", "true", "1", "y", "critical", "important"})


def services_of(inventories: Sequence[Inventory], names: Sequence[str]) -> list[Service]:
    """Without a table, each inventory is a service of its own, of weight 1."""
    return [
        Service(name=name, components=inventory.components) for name, inventory in zip(names, inventories, strict=True)
    ]


def read_services(path: Path, given: Sequence[Inventory]) -> tuple[list[Service], list[LeftOut]]:
    """The services of a table.

    A row without ``inventory`` gets the inventory whose file name starts with the service's name, among those
    ``given``; a row with an error is left out and named.
    """
    try:
        content = read_named(path, MAX_BYTES)
    except OSError as error:
        raise PathError(f"cannot read: {error.strerror}", where=str(path)) from error
    if len(content) > MAX_BYTES:
        raise InventoryError(f"larger than {MAX_BYTES:,} bytes", where=str(path))
    rows = csv_rows(content.decode("utf-8-sig", "replace"))
    if "service" not in (rows.fieldnames or ()):
        raise InventoryError("no column `service`", where=str(path))
    found: dict[str, Service] = {}
    left_out: list[LeftOut] = []
    for number, row in enumerate(rows, start=2):
        where = f"{path}:{number}"
        if number > MAX_ROWS:
            left_out.append(LeftOut(where, f"only the first {MAX_ROWS:,} rows were read"))
            break
        cells = {key: value.strip() for key, value in row.items() if key and isinstance(value, str)}
        problem = _problem(cells, found)
        if problem:
            left_out.append(LeftOut(where, problem))
            continue
        components, missing = _components(cells, path.parent, given)
        left_out += [LeftOut(where, reason) for reason in missing]
        found[cells["service"]] = _service(cells, components)
    return list(found.values()), left_out


def _problem(cells: dict[str, str], found: dict[str, Service]) -> str:
    if not cells.get("service"):
        return "no service name"
    if cells["service"] in found:
        return f"a second row about {cells['service']}"
    try:
        weight = float(cells.get("criticality") or 1)
    except ValueError:
        return f"criticality is no number: {cells['criticality'][:40]}"
    return "" if isfinite(weight) and weight >= 0 else "criticality must be 0 or more"


def _components(
    cells: dict[str, str], folder: Path, given: Sequence[Inventory]
) -> tuple[tuple[Component, ...], list[str]]:
    named = _parts(cells.get("inventory", ""))
    problems: list[str] = []
    components: dict[Component, None] = {}
    if not named:
        prefix = cells["service"].lower()
        inventories = [each for each in given if Path(each.name).name.lower().startswith(prefix)]
    else:
        inventories = []
        for name in named:
            try:
                inventories.append(read_inventory(folder / name))
            except GlasshouseError as error:
                problems.append(error.diagnostics().split("\n")[0])
    for inventory in inventories:
        components.update(dict.fromkeys(inventory.components))
        problems += [f"{item.where}: {item.why}" for item in inventory.left_out]
    return tuple(components), problems


def _service(cells: dict[str, str], components: tuple[Component, ...]) -> Service:
    return Service(
        name=cells["service"],
        components=components,
        owner=cells.get("owner", ""),
        criticality=float(cells.get("criticality") or 1),
        critical=cells.get("critical", "").lower() in YES,
        sector=cells.get("sector", ""),
        supplier=cells.get("supplier", ""),
        supplier_lei=cells.get("supplier_lei", ""),
        substitutable=cells.get("substitutable", ""),
        function=cells.get("function", ""),
        hosts=_parts(cells.get("hosts", "")),
    )


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())
