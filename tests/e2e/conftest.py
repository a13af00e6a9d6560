"""One running system for most tests of this folder, and clients of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest

from tests.e2e.districts import simulate
from tests.e2e.schools import School
from tests.e2e.snapshots import Snapshot, snapshot
from tests.e2e.system import Json, System, firstbell, running

STUDENTS = 150
"""Some 27,000 rows: enough that an import is still running when something is killed."""


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A whole system, stopped in the end by SIGTERM: it must end with 0 and leave no process."""
    with running(tmp_path_factory.mktemp("system") / "data") as system:
        yield system


@pytest.fixture(scope="session")
def ingest(system: System) -> Iterator[httpx.Client]:
    """A client of ingest."""
    with httpx.Client(base_url=system.where["ingest"], headers=system.bearer("district"), timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def casework(system: System) -> Iterator[httpx.Client]:
    """A client of casework."""
    with httpx.Client(base_url=system.where["casework"], headers=system.bearer("caseworker"), timeout=60) as client:
        yield client


@pytest.fixture
def school(ingest: httpx.Client, casework: httpx.Client) -> School:
    """A new school."""
    return School(ingest, casework)


class Undisturbed(NamedTuple):
    """A simulated district, what it comes to when nothing goes wrong, and how it came to that."""

    folder: Path
    snapshot: Snapshot
    report: Json
    ran_on: bool
    """Whether anything ran in the data folder after the import."""
    orphans: list[psutil.Process]
    """What `up`, killed by SIGKILL after that, left running."""
    said: str
    """What the `up` after that said."""


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The district imported while nothing runs; then `up`, killed by SIGKILL; then `up` again, which has it all."""
    folder = simulate(tmp_path_factory.mktemp("district") / "export", students=STUDENTS)
    data_dir = tmp_path_factory.mktemp("undisturbed") / "data"
    firstbell("agreement", "apply", folder / "agreement.toml", "--data-dir", data_dir)
    report = json.loads(firstbell("import", folder, "--json", "-", "--data-dir", data_dir).stdout)
    ran_on = (data_dir / "stack.json").exists() or json.loads((data_dir / "run" / "children.json").read_text()) != []
    orphans = System(data_dir, agreement=False).kill_parent()
    with running(data_dir, agreement=False) as system:
        return Undisturbed(folder, snapshot(system), report, ran_on, orphans, system.said)
