"""Notify: mails alerts to the right people. All the wiring is here."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from services.contracts.alerts import AlertEvent
from services.contracts.topics import ALERTS, NOTIFY_GROUP
from services.notify.delivery import Delivery
from services.notify.erase import remove
from services.notify.escalation import Escalations
from services.notify.intake import AlertIntake
from services.notify.mail import compose
from services.notify.mailer import Mailer
from services.notify.outbox import Backoff
from services.notify.quiet import QuietHours
from services.notify.settings import NotifySettings
from services.platform.audit.edge import add_audit
from services.platform.audit.log import AuditLog
from services.platform.background import Background
from services.platform.consent import check_database
from services.platform.consumer import BatchConsumer
from services.platform.database import make_engine, make_sessions
from services.platform.erasure.erasing import Erasures
from services.platform.http import add_health, add_problem_handlers
from services.platform.identity.edge import add_identity
from services.platform.keys.master import MasterKeys
from services.platform.listening import serve
from services.platform.logging import configure_logging
from services.platform.teams import load_teams

GATHER_SECONDS = 0.05
"""A day's alerts come within moments of each other; a mail may wait for its neighbours."""


def create_app(settings: NotifySettings, background: Background | None = None) -> FastAPI:
    """The application; it connects when it is started. Raises `SettingsError` when a setting cannot be used."""
    engine = make_engine(settings.require_database(), service="notify", ping=False)
    sessions = make_sessions(engine)
    tasks = background or Background()
    mailer = _mailer(settings)
    audit = AuditLog(settings.require_database(), service="notify")
    teams = load_teams(settings)
    delivery = Delivery(
        sessions,
        mailer,
        partial(compose, sender=settings.mail_from, public_url=settings.require_public_url()),
        Backoff(settings.retry_base_seconds, settings.retry_cap_seconds, settings.retry_budget),
        audit,
        QuietHours(teams, settings.tz),
    )
    escalations = Escalations(sessions, teams, settings.escalation, delivery.wake)
    intake = AlertIntake(sessions, teams, delivery.wake)
    erasures = Erasures(
        engine, settings.require_kafka(), service="notify", remove=partial(remove, teams), after=delivery.wake
    )
    consumer = BatchConsumer(
        settings.require_kafka(),
        ALERTS,
        group=NOTIFY_GROUP,
        service="notify",
        masters=MasterKeys.of(settings),
        read=AlertEvent.model_validate_json,
        handle=intake.take,
        gather_seconds=GATHER_SECONDS,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks.start("the erasures", erasures.run())
        tasks.start("the consumer of alerts", erasures.then(consumer.run))
        tasks.start("the delivery of mails", erasures.then(delivery.run))
        tasks.start("the escalations", erasures.then(escalations.run))
        try:
            yield
        finally:
            await tasks.stop()
            await mailer.close()
            await audit.close()
            await engine.dispose()

    app = FastAPI(title="First Bell notify", version="1", lifespan=lifespan)
    add_problem_handlers(app)
    add_audit(app, audit)
    add_identity(app, settings, for_people=False)
    add_health(
        app,
        {
            "database": partial(check_database, engine, "notify"),
            "erasures": erasures.check,
            "kafka": consumer.check,
            "smtp": mailer.check,
            "tasks": tasks.check,
        },
    )
    return app


def _mailer(settings: NotifySettings) -> Mailer:
    host, port = settings.require_smtp()
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    return Mailer(host, port, user=settings.smtp_user, password=password)


def main() -> None:
    """Run the service until it is asked to stop; exits with 1 when a task of it cannot go on."""
    settings = NotifySettings.load()
    configure_logging()
    background = Background()
    serve(create_app(settings, background), settings, settings.notify_port)
    sys.exit(background.exit_status())


if __name__ == "__main__":
    main()
