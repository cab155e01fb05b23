"""A world for each module of tests: setting one up costs more than most of its tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.product.gateway.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A home with one vetted organisation and one key under an engagement that may call every model."""
    return World(Path(tmp_path_factory.mktemp("home")))
