"""The one place that makes database engines, sessions and runs migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

SERVICES = ("ingest", "casework", "notify")
"""Each owns the schema of its name and the migrations in `services/<name>/migrations`."""

_ROOT = Path(__file__).resolve().parent.parent


def make_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    """An async engine; it connects at first use, notices a dead connection, and logs no values with an error."""
    return create_async_engine(url, pool_size=pool_size, pool_pre_ping=True, pool_recycle=1800, hide_parameters=True)


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """A factory of sessions; a unit of work commits at its edge."""
    return async_sessionmaker(engine, expire_on_commit=False)


def migration_config(url: str, service: str) -> Config:
    """Alembic's configuration for one service's schema."""
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "platform" / "migrations"))
    config.set_main_option("version_locations", str(_ROOT / service / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.attributes["url"] = url
    config.attributes["schema"] = service
    return config


def migrate(url: str) -> None:
    """Bring every schema to its newest version; safe to call when two processes start at once."""
    engine = create_engine(url)
    try:
        with engine.connect() as lock:
            lock.execute(text("SELECT pg_advisory_lock(727001)"))
            for service in SERVICES:
                command.upgrade(migration_config(url, service), "head")
    finally:
        engine.dispose()
