"""Checks of PostgreSQL: it answers, and every schema is at its newest version."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target
from services.platform.database import make_engine
from services.platform.schema import migration_config
from services.platform.service import ServiceSpec


async def check_database(target: Target, timeout: float) -> list[CheckResult]:
    """Does it answer, and is every schema at its newest version?"""
    if target.database is None:
        return [skipped(name, target.nothing_runs) for name in ("database", "migrations")]
    try:
        place = where(target.database)
        engine = make_engine(target.database, pool_size=1)
    except (ArgumentError, ImportError, ValueError):
        hint = "Set FIRSTBELL_DATABASE to postgresql+psycopg://user:password@host:port/name."
        return [failed("database", "FIRSTBELL_DATABASE is not a URL that can be used", hint), _no_migrations()]
    try:
        async with asyncio.timeout(timeout):
            version, behind = await _ask(engine, target.database, target.schemas)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        hint = (
            "See whether it runs, and whether user (the owner, or who reads: firstbell_app), password and name in "
            "FIRSTBELL_DATABASE are right."
        )
        return [
            failed("database", f"{place} does not answer ({type(cause).__name__})", hint),
            _no_migrations(),
        ]
    finally:
        await engine.dispose()
    return [
        ok("database", f"PostgreSQL {version} at {place}"),
        judge_migrations(behind, [service.name for service in target.schemas]),
    ]


def where(url: str) -> str:
    """`host:port/name` of a database URL, without the user, the password and the options."""
    parts = make_url(url)
    return f"{parts.host or 'a local socket'}:{parts.port or 5432}/{parts.database}"


def judge_migrations(behind: Sequence[str], schemas: Sequence[str]) -> CheckResult:
    """Is no schema behind?"""
    if behind:
        hint = "Start `firstbell up`: it brings them up to date."
        return failed("migrations", f"not at the newest version: {', '.join(behind)}", hint)
    return ok("migrations", f"schemas at their newest version: {', '.join(schemas)}")


def _no_migrations() -> CheckResult:
    return skipped("migrations", "the database does not answer")


async def _ask(engine: AsyncEngine, url: str, schemas: Sequence[ServiceSpec]) -> tuple[str, list[str]]:
    async with engine.connect() as connection:
        version = await connection.scalar(text("SHOW server_version"))
        applied = [await connection.run_sync(_applied, service.name) for service in schemas]
    return str(version), [
        service.name for service, found in zip(schemas, applied, strict=True) if found != newest(url, service)
    ]


def _applied(connection: Connection, schema: str) -> set[str]:
    options = {"version_table": "schema_version", "version_table_schema": schema}
    return set(MigrationContext.configure(connection, opts=options).get_current_heads())


def newest(url: str, service: ServiceSpec) -> set[str]:
    """The versions that a service's schema has when it is up to date."""
    return set(ScriptDirectory.from_config(migration_config(url, service)).get_heads())
