"""Whether the audit's entries are chained as they come."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.audit.chain import late
from services.ingest.intake import SERVICE
from services.platform.checks.asking import ask_database
from services.platform.checks.result import CheckResult, failed, ok
from services.platform.checks.target import Target


async def check_audit(target: Target, timeout: float) -> list[CheckResult]:
    """Does the appender keep up? Whether the chain is whole is `firstbell audit verify`'s to say."""

    async def ask(engine: AsyncEngine) -> CheckResult:
        return judge_audit(await late(engine))

    return await ask_database(target, timeout, ask, service=SERVICE, name="audit")


def judge_audit(waiting: int) -> CheckResult:
    """Do entries wait too long?"""
    if waiting:
        hint = "Ingest chains them: look at its log, and start it again."
        return failed("audit", f"{waiting} entries have waited for more than a minute to be chained", hint)
    return ok("audit", "entries are chained as they come")
