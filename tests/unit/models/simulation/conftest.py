from __future__ import annotations

import pytest

from models.simulation import World, WorldConfig, simulate


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(WorldConfig(students=1000), 7)
