"""What platform must know of a service to start it, ask whether it is ready, and keep its schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Services = Sequence["ServiceSpec"]


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service; its name is that of its command, its port's setting (`NAME_port`) and its schema.

    It answers `GET /readyz` on its port with 200 when it is ready.
    """

    name: str
    summary: str
    """What it does, in a line."""
    module: str
    """Its `main` runs it until it is stopped."""
    command: tuple[str, ...]
    """What follows the interpreter to start it."""
    migrations: Path | None = None
    """The folder with its schema's versions; None when it keeps nothing in the database."""


def with_schema(services: Services) -> list[ServiceSpec]:
    """Those that keep something in the database."""
    return [service for service in services if service.migrations is not None]
