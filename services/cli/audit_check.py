"""Whether the audit's entries are chained as they come."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.ingest.audit.chain import late
from services.ingest.intake import SERVICE
from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target
from services.platform.database import make_engine


async def check_audit(target: Target, timeout: float) -> list[CheckResult]:
    """Does the appender keep up? Whether the chain is whole is `firstbell audit verify`'s to say."""
    if target.database is None:
        return [skipped("audit", target.nothing_runs)]
    engine = make_engine(target.database, service=SERVICE, pool_size=1)
    try:
        async with asyncio.timeout(timeout):
            return [judge_audit(await late(engine))]
    except (SQLAlchemyError, OSError, TimeoutError):
        return [skipped("audit", "the database does not say what waits to be chained")]
    finally:
        await engine.dispose()


def judge_audit(waiting: int) -> CheckResult:
    """Do entries wait too long?"""
    if waiting:
        hint = "Ingest chains them: look at its log, and start it again."
        return failed("audit", f"{waiting} entries have waited for more than a minute to be chained", hint)
    return ok("audit", "entries are chained as they come")
