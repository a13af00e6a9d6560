"""An embedded Kafka and PostgreSQL in a temporary folder for one run: nothing of them is left."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.kafka import EmbeddedKafka
from services.platform.embedded.ports import free_port
from services.platform.embedded.stack import running_database
from services.platform.keys.master import new_master_line
from services.platform.processes import ProcessRegistry
from services.platform.settings import Settings
from services.platform.supervisor import Supervisor, Surroundings
from services.registry import SERVICES


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a run takes place."""

    kafka: str
    folder: Path
    logs: Path
    registry: ProcessRegistry
    database: str = field(repr=False)
    """The migrated database's URL, as its owner: our worker finds the keys there."""
    master: str = field(repr=False)
    """What wraps them, as the setting has it."""


@asynccontextmanager
async def running_broker() -> AsyncIterator[Ground]:
    """Start both with nothing in them and yield when they answer; raises `EmbeddedError` or `ProcessError`."""
    with tempfile.TemporaryDirectory(prefix="firstbell-benchmark-", ignore_cleanup_errors=True) as name:
        data = DataDir(Path(name))
        data.create()
        taken: set[int] = set()
        kafka = EmbeddedKafka(
            home=data.kafka,
            logs=data.logs,
            registry=data.registry(),
            port=free_port(taken=taken),
            controller_port=free_port(taken=taken),
            mirror=Settings().maven_mirror,
        )
        beside = Settings(data_dir=Path(name) / "database", database=None)
        around = Surroundings(logs=data.logs, registry=kafka.registry)
        async with running_database(beside, SERVICES) as database, Supervisor(around) as supervisor:
            await supervisor.start(kafka.spec())
            yield Ground(
                kafka=kafka.bootstrap,
                folder=data.root,
                logs=data.logs,
                registry=kafka.registry,
                database=database,
                master=new_master_line().decode().strip(),
            )
