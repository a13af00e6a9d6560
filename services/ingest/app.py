"""Ingest: the HTTP edge of the intake. All the wiring is here."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from services.ingest.ada.routes import ada_router
from services.ingest.api.routes import intake_router
from services.ingest.audit.chain import append_forever
from services.ingest.audit.checkpoints import checkpoint_daily
from services.ingest.intake import SERVICE, Intake
from services.ingest.patience import UnavailableError
from services.ingest.proofs.routes import proofs_router
from services.ingest.proofs.watching import watch_forever
from services.ingest.settings import IngestSettings
from services.ingest.store.agreements import NoAgreementError
from services.platform.audit.edge import add_audit
from services.platform.audit.log import AuditLog
from services.platform.background import Background
from services.platform.database import make_engine
from services.platform.http import ProblemError, add_health, add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.keys.master import MasterKeyLostError
from services.platform.listening import serve
from services.platform.logging import configure_logging

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "5"
START_SECONDS = 1.0
"""How soon a start is tried again: before one succeeds nothing is answered."""


class IngestService:
    """The intake while the service runs."""

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self._open: Intake | None = None
        self._caught_up = False

    @property
    def intake(self) -> Intake:
        """The open intake; there is none before it has caught up with the ledger of erasures."""
        if not self._caught_up:
            raise UnavailableError("The service")
        return self.opened

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Intake]:
        """Open until left."""
        async with Intake.open(self.settings) as intake:
            self._open = intake
            yield intake
            self._open = None

    async def check_kafka(self) -> str | None:
        """None when Kafka answers, else what to do."""
        return await self.opened.check_kafka()

    async def check_database(self) -> str | None:
        """None when the database answers, else what to do."""
        return await self.opened.check_database()

    async def check_erasures(self) -> str | None:
        """None when the database is known to have every erasure, else what to do."""
        if self._caught_up:
            return None
        return "the database is not known yet to have every erasure of the ledger's copies; Kafka must answer for that"

    @property
    def opened(self) -> Intake:
        """The open intake, whatever it has caught up with."""
        if self._open is None:
            raise UnavailableError("The service")
        return self._open

    async def sweep_forever(self, intake: Intake) -> None:
        """Sweep at the start, at each local midnight, and every so many seconds."""
        sweep = intake.start
        while True:
            try:
                swept = await sweep()
                self._caught_up, sweep = True, intake.sweep
                if swept.began or swept.ended:
                    log.info("consents came into force: %d, ended: %d", len(swept.began), swept.ended)
            except UnavailableError as error:
                log.warning("the sweep is put off: %s", error)
            until_midnight = seconds_to_midnight(datetime.now(self.settings.tz))
            pause = self.settings.sweep_seconds if self._caught_up else START_SECONDS
            await asyncio.sleep(min(pause, until_midnight))


def seconds_to_midnight(now: datetime) -> float:
    """From a local time to the next local midnight, in seconds; at least one."""
    zone = now.tzinfo if isinstance(now.tzinfo, ZoneInfo) else None
    midnight = datetime.combine(now.date() + timedelta(days=1), clock_time(), zone)
    return max(1.0, midnight.timestamp() - now.timestamp())


def create_app(settings: IngestSettings, background: Background | None = None) -> FastAPI:
    """The application; it connects when it is started. Raises `SettingsError` when a setting is missing."""
    settings.require_kafka()
    settings.require_database()
    service = IngestService(settings)
    audit = AuditLog(settings.require_database(), service=SERVICE)
    chain = make_engine(settings.require_database(), service=SERVICE, pool_size=1)
    proofs = make_engine(settings.require_database(), service=SERVICE, pool_size=2)
    averages = make_engine(settings.require_database(), service=SERVICE, pool_size=1)
    tasks = background or Background()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running() as intake:
            tasks.start("the sweep of consents", service.sweep_forever(intake))
            tasks.start("the appender of the audit", append_forever(chain))
            tasks.start("the audit's daily checkpoint", checkpoint_daily(chain, settings))
            tasks.start("the watch over erasures", watch_forever(proofs))
            try:
                yield
            finally:
                await tasks.stop()
                await audit.close()
                await chain.dispose()
                await proofs.dispose()
                await averages.dispose()

    app = FastAPI(
        title="First Bell ingest",
        version="1",
        summary="Takes a district's attendance marks, consents, enrollments and school days in.",
        lifespan=lifespan,
    )
    add_problem_handlers(app)
    add_audit(app, audit)
    add_identity(app, settings)

    @app.exception_handler(NoAgreementError)
    async def _no_agreement(_: Request, error: NoAgreementError) -> Response:
        return ProblemError(409, "No agreement is in force", str(error)).response()

    add_health(
        app,
        {"kafka": service.check_kafka, "database": service.check_database, "erasures": service.check_erasures},
    )
    app.include_router(intake_router(lambda: service.intake, lambda: service.opened, settings))
    app.include_router(proofs_router(proofs))
    app.include_router(ada_router(averages))

    @app.exception_handler(UnavailableError)
    async def _unavailable(_: Request, error: UnavailableError) -> Response:
        detail = f"{error} Send the same again later: what was taken in meanwhile counts as a duplicate then."
        return ProblemError(503, "Not available", detail, {"Retry-After": RETRY_AFTER_SECONDS}).response()

    @app.exception_handler(MasterKeyLostError)
    async def _locked(_: Request, error: MasterKeyLostError) -> Response:
        log.critical("nothing can be sealed: %s", error)
        detail = "The master key is not at hand, so nothing can be sealed; the service's log says what to do."
        return ProblemError(503, "Not available", detail, {"Retry-After": RETRY_AFTER_SECONDS}).response()

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> Response:
        return ProblemError(400, "Incomplete body", "The connection ended before the body did.").response()

    return app


def main() -> None:
    """Run the service until it is asked to stop; exits with 1 when its sweep cannot go on."""
    settings = IngestSettings.load()
    configure_logging()
    background = Background()
    serve(create_app(settings, background), settings, settings.ingest_port)
    sys.exit(background.exit_status())


if __name__ == "__main__":
    main()
