"""Casework: the PostgreSQL read model of the alerts and its API. All the wiring is here."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from services.casework.access.routes import access_router
from services.casework.actions.publisher import ActionPublisher
from services.casework.actions.routes import actions_router
from services.casework.cases.action_routes import case_actions_router
from services.casework.cases.routes import cases_router
from services.casework.cases.sweep import CaseSweep
from services.casework.changes.feed import ChangeFeed
from services.casework.changes.routes import changes_router
from services.casework.console.app import BehindConsole, with_console
from services.casework.deliveries.routes import deliveries_router
from services.casework.engagement.routes import engagement_router
from services.casework.erase import remove
from services.casework.history.routes import history_router
from services.casework.intake.record import record
from services.casework.operation.routes import lag_router
from services.casework.quality.routes import quality_router
from services.casework.quota import StudentQuota
from services.casework.settings import CaseworkSettings
from services.casework.windows.routes import window_router
from services.casework.windows.workers import make_client
from services.casework.year.routes import year_router
from services.contracts.alerts import AlertEvent
from services.contracts.topics import ALERTS, CASEWORK_GROUP
from services.platform.audit.edge import add_audit
from services.platform.audit.log import AuditLog
from services.platform.background import Background
from services.platform.consent import check_database
from services.platform.consumer import BatchConsumer
from services.platform.database import make_engine, make_sessions
from services.platform.erasure.erasing import Erasures, add_erasures
from services.platform.http import add_health, add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.keys.master import MasterKeys
from services.platform.listening import serve
from services.platform.logging import configure_logging
from services.platform.notice import NOTICE
from services.platform.teams import load_teams


def create_app(settings: CaseworkSettings, background: Background | None = None) -> FastAPI:
    """The application; it connects when it is started. Raises `SettingsError` when a setting cannot be used."""
    engine = make_engine(settings.require_database(), service="casework")
    sessions = make_sessions(engine)
    client = make_client(settings)
    audit = AuditLog(settings.require_database(), service="casework")
    quota = StudentQuota(settings.students_per_hour)
    tasks = background or Background()
    masters = MasterKeys.of(settings)
    erasures = Erasures(engine, settings.require_kafka(), service="casework", remove=remove)
    consumer = BatchConsumer(
        settings.require_kafka(),
        ALERTS,
        group=CASEWORK_GROUP,
        service="casework",
        masters=masters,
        read=AlertEvent.model_validate_json,
        handle=partial(record, sessions),
    )
    publisher = ActionPublisher(settings.require_kafka(), sessions, masters)
    feed = ChangeFeed(engine, settings.require_database())
    teams = load_teams(settings)
    sweep = CaseSweep(sessions, teams.is_away, publisher.wake)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks.start("the erasures", erasures.run())
        tasks.start("the consumer of alerts", erasures.then(consumer.run))
        tasks.start("the publisher of case actions", erasures.then(publisher.run))
        tasks.start("what is due of cases", erasures.then(sweep.run))
        tasks.start("the feed of changes", feed.run())
        try:
            yield
        finally:
            await tasks.stop()
            await client.aclose()
            await audit.close()
            await engine.dispose()

    app = FastAPI(
        title="First Bell casework",
        version="1",
        summary="The history of attendance alerts and what was done about them, for the partner agency's caseworkers.",
        description=NOTICE,
        lifespan=lifespan,
    )
    app.state.feed = feed
    app.state.sessions = sessions
    add_problem_handlers(app)
    add_audit(app, audit)
    add_erasures(app, erasures)
    add_identity(app, settings)
    add_health(
        app,
        {
            "database": partial(check_database, engine, "casework"),
            "erasures": erasures.check,
            "kafka": consumer.check,
            "tasks": tasks.check,
        },
    )
    app.include_router(history_router(sessions, quota))
    app.include_router(actions_router(sessions, quota, publisher.wake))
    app.include_router(cases_router(sessions, quota))
    app.include_router(case_actions_router(sessions, quota, teams.referrals, publisher.wake))
    app.include_router(changes_router(feed))
    app.include_router(quality_router(sessions))
    app.include_router(lag_router(settings.require_kafka()))
    app.include_router(deliveries_router(sessions, quota))
    app.include_router(access_router(sessions, quota))
    app.include_router(engagement_router(sessions, quota))
    app.include_router(year_router(sessions, quota))
    app.include_router(window_router(sessions, quota, client, settings.workers))
    return app


def main() -> None:
    """Run the service until it is asked to stop; exits with 1 when its consumer cannot go on."""
    settings = CaseworkSettings.load()
    configure_logging()
    background = Background()
    api = create_app(settings, background)
    console = with_console(BehindConsole(api, api.state.sessions, api.state.feed), settings)
    serve(console, settings, settings.casework_port, on_stop=api.state.feed.stop)
    sys.exit(background.exit_status())


if __name__ == "__main__":
    main()
