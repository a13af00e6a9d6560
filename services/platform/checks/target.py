"""What is checked: the addresses of a running stack, or those in the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.platform.embedded.endpoints import Stack
from services.platform.service import Services, ServiceSpec, with_schema
from services.platform.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Target:
    """Addresses are None where nothing runs; `partitions` is None when any number will do, the same for every topic."""

    data_dir: Path
    key_file: Path
    embedded_kafka: bool
    kafka: str | None
    database: str | None = field(repr=False)
    smtp: str | None
    services: Mapping[str, str]
    """Base URLs by the service's name."""
    schemas: Sequence[ServiceSpec]
    """The services that keep something in the database."""
    partitions: int | None

    @property
    def nothing_runs(self) -> str:
        """Why a check of something that is running is skipped."""
        return f"nothing is running in {self.data_dir}; start it with `firstbell up`"


def find_target(settings: Settings, stack: Stack | None, services: Services, *, key_file: Path) -> Target:
    """The running stack, or without one what the settings point at (services then by their ports on this machine)."""
    embedded = settings.kafka is None
    if stack is not None:
        urls = {name: service.url for name, service in stack.services.items() if service.url is not None}
        return Target(
            data_dir=settings.data_dir,
            key_file=key_file,
            embedded_kafka=embedded,
            kafka=stack.kafka,
            database=stack.database_app,
            smtp=stack.smtp,
            services=urls,
            schemas=with_schema(services),
            partitions=None,
        )
    ports = {service.name: getattr(settings, f"{service.name}_port") for service in services}
    return Target(
        data_dir=settings.data_dir,
        key_file=key_file,
        embedded_kafka=embedded,
        kafka=settings.kafka,
        database=None if settings.database is None else settings.database.get_secret_value(),
        smtp=settings.smtp,
        services={} if embedded else {name: f"http://127.0.0.1:{port}" for name, port in ports.items() if port},
        schemas=with_schema(services),
        partitions=settings.partitions,
    )
