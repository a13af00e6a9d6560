"""Whether records that parents asked to see are shown in time."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.ingest.inspection.opened import DAYS, overdue
from services.ingest.intake import SERVICE
from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target
from services.platform.database import make_engine


async def check_inspections(target: Target, timeout: float) -> list[CheckResult]:
    """Is an inspection overdue?"""
    if target.database is None:
        return [skipped("inspections", target.nothing_runs)]
    engine = make_engine(target.database, service=SERVICE, pool_size=1)
    try:
        async with asyncio.timeout(timeout), engine.connect() as connection:
            return [judge_inspections(await overdue(connection))]
    except (SQLAlchemyError, OSError, TimeoutError):
        return [skipped("inspections", "the database does not say which are open")]
    finally:
        await engine.dispose()


def judge_inspections(late: int) -> CheckResult:
    """Are records shown in time?"""
    if late:
        hint = "`firstbell inspections` lists them: show the record, then `firstbell inspections close NUMBER`."
        return failed("inspections", f"{late} open for more than {DAYS} days", hint)
    return ok("inspections", "none is overdue")
