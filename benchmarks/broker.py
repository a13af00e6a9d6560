"""An embedded Kafka in a temporary folder for one run: nothing of it is left."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.kafka import EmbeddedKafka
from services.platform.embedded.ports import free_port
from services.platform.processes import ProcessRegistry
from services.platform.settings import Settings
from services.platform.supervisor import Supervisor, Surroundings


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a run takes place."""

    kafka: str
    folder: Path
    logs: Path
    registry: ProcessRegistry


@asynccontextmanager
async def running_broker() -> AsyncIterator[Ground]:
    """Start a broker with nothing in it and yield when it answers; raises `EmbeddedError` or `ProcessError`."""
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
        async with Supervisor(Surroundings(logs=data.logs, registry=kafka.registry)) as supervisor:
            await supervisor.start(kafka.spec())
            yield Ground(kafka=kafka.bootstrap, folder=data.root, logs=data.logs, registry=kafka.registry)
