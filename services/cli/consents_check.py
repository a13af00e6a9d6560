"""Whether consents are to be renewed: a parent signed for a student who has turned eighteen."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.ingest.store.consents import to_renew
from services.platform.checks.result import CheckResult, ok, skipped
from services.platform.checks.target import Target
from services.platform.database import make_engine
from services.platform.roles import READER


async def check_consents(target: Target, timeout: float) -> list[CheckResult]:
    """How many are to be renewed?"""
    if target.database is None:
        return [skipped("consents", target.nothing_runs)]
    engine = make_engine(target.database, service=READER, pool_size=1)
    try:
        async with asyncio.timeout(timeout), engine.connect() as connection:
            return [judge_consents(await to_renew(connection))]
    except (SQLAlchemyError, OSError, TimeoutError):
        return [skipped("consents", "the database does not say which are to be renewed")]
    finally:
        await engine.dispose()


def judge_consents(number: int) -> CheckResult:
    """Nothing is wrong with them; but the student's own signature is due."""
    if number:
        return ok("consents", f"{number} are to be renewed: a parent signed, and the student has turned eighteen")
    return ok("consents", "none is to be renewed")
