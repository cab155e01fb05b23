"""A door to test with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.door.simulated_organisation import SimulatedOrganisation

from glasshouse.store.database import open_database
from glasshouse.store.place import StorePlace


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables: making them takes longer than most tests."""
    file = tmp_path_factory.mktemp("store") / "store.db"
    open_database(StorePlace(file=file)).close()
    return file


@pytest.fixture
def found(tmp_path: Path, empty_store: Path) -> Iterator[Callable[..., SimulatedOrganisation]]:
    """Makes an organisation with the settings that a test gives."""
    made: list[SimulatedOrganisation] = []

    def make(**settings: object) -> SimulatedOrganisation:
        folder = tmp_path / f"acme{len(made)}"
        (folder / "home").mkdir(parents=True)
        shutil.copyfile(empty_store, folder / "home" / "store.db")
        made.append(SimulatedOrganisation(folder, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def acme(found: Callable[..., SimulatedOrganisation]) -> SimulatedOrganisation:
    """An organisation with ordinary settings."""
    return found()
