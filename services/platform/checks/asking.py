"""A check that asks the database one thing, as one of the services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.platform.checks.result import CheckResult, skipped
from services.platform.checks.target import Target
from services.platform.database import make_engine


async def ask_database(
    target: Target, timeout: float, ask: Callable[[AsyncEngine], Awaitable[CheckResult]], *, service: str, name: str
) -> list[CheckResult]:
    """What `ask` finds; the check of this `name` is skipped where there is no database, or it does not answer."""
    if target.database is None:
        return [skipped(name, target.nothing_runs)]
    engine = make_engine(target.database, service=service, pool_size=1)
    try:
        async with asyncio.timeout(timeout):
            return [await ask(engine)]
    except (SQLAlchemyError, OSError, TimeoutError):
        return [skipped(name, "the database does not say it")]
    finally:
        await engine.dispose()
