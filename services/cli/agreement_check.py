"""Which agreement holds, or that nothing may be taken in."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import SQLAlchemyError

from services.ingest.agreement.standing import StandingAgreement, standing_agreement
from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target


async def check_agreement(target: Target, timeout: float) -> list[CheckResult]:
    """Is an agreement in force?"""
    if target.database is None:
        return [skipped("agreement", target.nothing_runs)]
    try:
        async with asyncio.timeout(timeout):
            return [judge_agreement(await standing_agreement(target.database))]
    except (SQLAlchemyError, OSError, TimeoutError, ValueError):
        return [skipped("agreement", "the database does not say which one holds")]


def judge_agreement(standing: StandingAgreement | None) -> CheckResult:
    """Does one hold?"""
    if standing is None:
        hint = "Put one in force with `firstbell agreement apply FILE`; `firstbell agreement init` prints one."
        return failed("agreement", "none was ever applied: nothing may be taken in", hint)
    agreement = standing.agreement
    title = f"{agreement.id}, version {agreement.version}"
    if not standing.in_force:
        hint = "Apply a version whose term has begun and goes on, with `firstbell agreement apply FILE`."
        term = f"from {agreement.effective_on} to {agreement.expires_on}"
        return failed("agreement", f"{title} is not in force ({term}): nothing may be taken in", hint)
    return ok("agreement", f"{title}, to {agreement.expires_on}")
