"""One Apache Kafka broker (KRaft, broker and controller in one) as a child process."""

from __future__ import annotations

import asyncio
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.platform.embedded.jars import class_path, ensure_jars
from services.platform.embedded.java import find_java
from services.platform.embedded.ports import accepts_connections
from services.platform.processes import Command, ProcessRegistry, run_to_end
from services.platform.supervisor import ChildSpec, inherited_environment

_LOG4J = """\
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSS}{UTC}Z %p %c{1} %m%n
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = out
"""
"""To stdout, which the parent writes to the log file in the data folder. Without log4j's own hook, which would
cut off what Kafka says of its shutdown."""

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""One node on a shared machine: the full compiler and the parallel collector cost more than they bring
(5.9 s of CPU against 14.8 s for a start and 3,000 records)."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedKafka:
    """Where the broker listens and keeps its data (`home`). Another port finds the same data."""

    home: Path
    logs: Path
    registry: ProcessRegistry
    port: int
    controller_port: int
    mirror: str | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    def spec(self) -> ChildSpec:
        """How to run it; raises `JavaError` when there is no Java."""
        main = ["-Xms256m", "-Xmx1g", "kafka.Kafka", str(self._properties)]
        return ChildSpec(
            command=self._java("kafka", *main),
            before_start=self._prepare,
            ready=lambda: broker_answers(self.bootstrap),
            deadline=90,
            grace=30,
        )

    @property
    def _properties(self) -> Path:
        return self.home / "server.properties"

    @cached_property
    def _program(self) -> Path:
        return find_java()

    def _java(self, name: str, *arguments: str) -> Command:
        log4j = f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}"
        argv = [str(self._program), *QUICK_START, "-cp", class_path(), log4j, *arguments]
        return Command(name=name, argv=argv, env=inherited_environment(), cwd=self.home)

    async def _prepare(self) -> None:
        await _jars(self.mirror)
        (self.home / "log4j2.properties").write_text(_LOG4J)
        self._properties.write_text(
            server_properties(port=self.port, controller_port=self.controller_port, data=self.home / "data")
        )
        if not (self.home / "data" / "meta.properties").exists():
            await self._format()

    async def _format(self) -> None:
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # --cluster-id with "=", since an id may begin with "-".
        tool = ["-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}"]
        command = self._java("kafka-format", *tool, "--ignore-formatted", "-c", str(self._properties))
        await run_to_end(command, self.logs / "kafka-format.log", self.registry)


def server_properties(*, port: int, controller_port: int, data: Path) -> str:
    """The broker's settings."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        # A stack that rests for the summer still knows how far each group was.
        "offsets.retention.minutes": str(400 * 24 * 60),
    }
    # Java's properties format takes a backslash for the start of an escape.
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in settings.items())


async def broker_answers(bootstrap: str) -> bool:
    """Whether it accepts connections and its metadata names a broker that is alive."""
    if not await accepts_connections(bootstrap):
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()


async def _jars(mirror: str | None) -> None:
    stop = Event()
    try:
        await asyncio.to_thread(ensure_jars, mirror=mirror, stop=stop)
    except asyncio.CancelledError:
        stop.set()
        raise
