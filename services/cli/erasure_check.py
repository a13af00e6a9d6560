"""Whether the master key is there that opens everything, and whether every erasure was confirmed in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from services.cli.database import known_database
from services.ingest.intake import SERVICE
from services.ingest.proofs.queries import Behind, waiting
from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.run import Check
from services.platform.checks.target import Target
from services.platform.database import make_engine
from services.platform.keys.master import MasterKeys, require_master_keys
from services.platform.settings import Settings, SettingsError

MASTER_KEY = "master key"
ERASURES = "erasures"


def check_erasure(settings: Settings) -> Check:
    """Is the master key there, and has every service confirmed what was erased?"""

    async def check(target: Target, timeout: float) -> list[CheckResult]:
        url = known_database(settings, SERVICE)
        if url is None:
            return [skipped(name, target.nothing_runs) for name in (MASTER_KEY, ERASURES)]
        engine = make_engine(url, service=SERVICE, pool_size=1)
        try:
            async with asyncio.timeout(timeout), engine.connect() as connection:
                late = judge_erasures(await waiting(connection))
                try:
                    await require_master_keys(connection, MasterKeys.of(settings))
                except SettingsError as error:
                    hint = "Services wait or stop until it is there; nothing else opens what was sealed."
                    return [failed(MASTER_KEY, str(error), hint), late]
                return [ok(MASTER_KEY, "it wraps every feed's key"), late]
        except (SQLAlchemyError, OSError, TimeoutError):
            why = "the database does not say it"
            return [skipped(name, why) for name in (MASTER_KEY, ERASURES)]
        finally:
            await engine.dispose()

    return check


def judge_erasures(found: Sequence[Behind]) -> CheckResult:
    """Has a service not confirmed an erasure for more than a minute?"""
    late = [one for one in found if one.overdue]
    if late:
        told = "; ".join(f"{one.service} has not confirmed {one.overdue:,}" for one in late)
        oldest = max(one.oldest for one in late)
        hint = (
            f"The oldest has been pending for {int(oldest.total_seconds()):,} s; `firstbell proofs` lists them. Look "
            f"whether {', '.join(one.service for one in late)} runs, and at its log: it goes on where it was. Access "
            "has ended, and the keys are deleted, all the same."
        )
        return failed(ERASURES, told, hint)
    pending = max((one.proofs for one in found), default=0)
    return ok(ERASURES, f"{pending:,} are being confirmed" if pending else "every service has confirmed every one")
