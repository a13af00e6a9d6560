"""A service's part in erasures: it begins once its database knows the whole ledger, then erases what is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiokafka.errors import KafkaError
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Receive, Scope, Send
from tenacity import AsyncRetrying, retry_if_exception_type, retry_if_not_exception_type, wait_random_exponential

from services.platform.consent import DATABASE_AWAY
from services.platform.consumer import INCURABLE, log_retry
from services.platform.erasure.confirming import Remove, erase_forever
from services.platform.erasure.copies import until_ledger_is_whole
from services.platform.http import ProblemError
from services.platform.identity.guard import HEALTH
from services.platform.roles import require_role

RETRY_AFTER_SECONDS: Final = 1


class Erasures:
    """Erases for a service by `remove`; what it does otherwise waits until the ledger was compared.

    `after` is called when something was erased.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bootstrap: str,
        *,
        service: str,
        remove: Remove,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._bootstrap = bootstrap
        self._service = service
        self._remove = remove
        self._after = after
        self._whole = asyncio.Event()

    @property
    def is_whole(self) -> bool:
        """Whether the database is known to have every erasure of the ledger."""
        return self._whole.is_set()

    async def run(self) -> None:
        """Compare, then erase until cancelled.

        Raises `RolesError` when the database would give the service nothing, and what neither Kafka's nor the
        database's return would cure.
        """
        comparing = AsyncRetrying(
            retry=retry_if_exception_type((KafkaError, *DATABASE_AWAY)) & retry_if_not_exception_type(INCURABLE),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            before_sleep=log_retry,
        )
        await comparing(self._compare)
        self._whole.set()
        await erase_forever(self._engine, self._service, self._remove, self._after)

    async def _compare(self) -> None:
        async with self._engine.connect() as connection:
            await require_role(connection, self._service)
        await until_ledger_is_whole(self._engine, self._bootstrap)

    async def then(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work once the ledger was compared."""
        await self._whole.wait()
        await work()

    async def check(self) -> str | None:
        """A readiness check: the ledger was compared."""
        if self.is_whole:
            return None
        return "the database is not known yet to have every erasure that the ledger in Kafka has: is ingest running?"


class _OnceWhole:
    """Answers nothing but of its health before the ledger was compared: it might show what was erased."""

    def __init__(self, app: ASGIApp, erasures: Erasures) -> None:
        self._app = app
        self._erasures = erasures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or ask to come again."""
        if scope["type"] != "http" or scope["path"] in HEALTH or self._erasures.is_whole:
            await self._app(scope, receive, send)
            return
        problem = ProblemError(
            503,
            "Not available yet",
            "The database is being compared with the ledger of erasures; ask again.",
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
        await problem.response()(scope, receive, send)


def add_erasures(app: FastAPI, erasures: Erasures) -> None:
    """Answer nothing before the ledger was compared."""
    app.add_middleware(_OnceWhole, erasures=erasures)
