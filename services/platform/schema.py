"""The one place that runs migrations: each service owns the schema of its name."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from services.platform.roles import make_missing_roles
from services.platform.service import Services, ServiceSpec, with_schema

_ENVIRONMENT = Path(__file__).resolve().parent / "migrations"


def migration_config(url: str, service: ServiceSpec) -> Config:
    """Alembic's configuration for one service's schema."""
    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("version_locations", str(service.migrations))
    config.set_main_option("path_separator", "newline")
    config.attributes["url"] = url
    config.attributes["schema"] = service.name
    return config


def migrate(url: str, services: Services) -> None:
    """Bring every schema to its newest version, and make the roles that are missing; raises `RolesError`.

    Safe to call when two processes start at once.
    """
    engine = create_engine(url)
    try:
        with engine.connect() as lock:
            lock.execute(text("SELECT pg_advisory_lock(727001)"))
            make_missing_roles(lock, services)
            for service in with_schema(services):
                command.upgrade(migration_config(url, service), "head")
    finally:
        engine.dispose()
