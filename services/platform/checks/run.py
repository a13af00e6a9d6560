"""Runs every check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.platform.checks.database import check_database
from services.platform.checks.kafka import check_kafka
from services.platform.checks.machine import check_data_dir, check_disk, check_issuer, check_jars, check_java, check_key
from services.platform.checks.network import check_services, check_smtp
from services.platform.checks.result import CheckResult
from services.platform.checks.target import Target

TIMEOUT_S = 10.0
"""Seconds that each part of the network has for its answer."""

Check = Callable[[Target, float], Awaitable[Sequence[CheckResult]]]
"""Asks something that runs, for so many seconds at most."""

_MACHINE = (check_java, check_jars, check_data_dir, check_key, check_issuer, check_disk)
_NETWORK = (check_kafka, check_database, check_smtp, check_services)


async def run_checks(target: Target, more: Sequence[Check] = (), *, timeout: float = TIMEOUT_S) -> list[CheckResult]:
    """Every check's answer, always in the same order, and those of `more`.

    Nothing is changed, and no check raises for what it finds.
    """
    machine = asyncio.gather(*(asyncio.to_thread(check, target) for check in _MACHINE))
    network = asyncio.gather(*(check(target, timeout) for check in (*_NETWORK, *more)))
    return [*await machine, *(result for results in await network for result in results)]
