"""Whether records that parents asked to see are shown in time."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.inspection.opened import DAYS, overdue
from services.ingest.intake import SERVICE
from services.platform.checks.asking import ask_database
from services.platform.checks.result import CheckResult, failed, ok
from services.platform.checks.target import Target


async def check_inspections(target: Target, timeout: float) -> list[CheckResult]:
    """Is an inspection overdue?"""

    async def ask(engine: AsyncEngine) -> CheckResult:
        async with engine.connect() as connection:
            return judge_inspections(await overdue(connection))

    return await ask_database(target, timeout, ask, service=SERVICE, name="inspections")


def judge_inspections(late: int) -> CheckResult:
    """Are records shown in time?"""
    if late:
        hint = "`firstbell inspections` lists them: show the record, then `firstbell inspections close NUMBER`."
        return failed("inspections", f"{late} open for more than {DAYS} days", hint)
    return ok("inspections", "none is overdue")
