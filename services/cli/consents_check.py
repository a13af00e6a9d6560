"""Whether consents are to be renewed: a parent signed for a student who has turned eighteen."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.store.consents import to_renew
from services.platform.checks.asking import ask_database
from services.platform.checks.result import CheckResult, ok
from services.platform.checks.target import Target
from services.platform.roles import READER


async def check_consents(target: Target, timeout: float) -> list[CheckResult]:
    """How many are to be renewed?"""

    async def ask(engine: AsyncEngine) -> CheckResult:
        async with engine.connect() as connection:
            return judge_consents(await to_renew(connection))

    return await ask_database(target, timeout, ask, service=READER, name="consents")


def judge_consents(number: int) -> CheckResult:
    """Nothing is wrong with them; but the student's own signature is due."""
    if number:
        return ok("consents", f"{number} are to be renewed: a parent signed, and the student has turned eighteen")
    return ok("consents", "none is to be renewed")
