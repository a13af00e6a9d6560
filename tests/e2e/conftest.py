"""One running system for most tests of this folder, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.system import System, running


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A whole system, stopped in the end by SIGTERM: it must end with 0 and leave no process."""
    with running(tmp_path_factory.mktemp("system") / "data") as system:
        yield system


@pytest.fixture(scope="session")
def ingest(system: System) -> Iterator[httpx.Client]:
    """A client of ingest."""
    with httpx.Client(base_url=system.where["ingest"], timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def casework(system: System) -> Iterator[httpx.Client]:
    """A client of casework."""
    with httpx.Client(base_url=system.where["casework"], timeout=60) as client:
        yield client
