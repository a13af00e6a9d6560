"""A whole stack in a fresh folder, and a history replayed through it day by day."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
from pydantic import JsonValue
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.capacity import DAYS_TO_SUNDAY
from services.ingest.agreement.document import Agreement
from services.ingest.formats import Source
from services.ingest.imports.importer import Progress
from services.ingest.imports.replayer import Replayer
from services.ingest.intake import SERVICE, Intake
from services.ingest.patience import Patience
from services.ingest.settings import IngestSettings
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.embedded.stack import running_stack
from services.platform.errors import OperatorError
from services.platform.identity.client import SignedRequests
from services.platform.identity.own_issuer import Grant
from services.platform.identity.trust import as_service, embedded_issuer
from services.platform.near import near_client
from services.platform.roles import READER
from services.platform.supervisor import say_on_stderr
from services.registry import SERVICES
from services.rehearsal.in_flight import DaysInFlight, OnDay
from services.rehearsal.settled import Answers, caught_up, mails_settled, worker_caught_up

Document = dict[str, JsonValue]
OnSchoolDay = Callable[[date], Awaitable[None]]

NAME = "firstbell-replay"
AT_ONCE = 16
_OUTSIDE = (
    "kafka", "database", "smtp", "pseudonym_key_file", "master_key", "master_key_file", "erasure_ledger_file",
    "oidc_issuer", "oidc_audience", "oidc_jwks",
)  # fmt: skip
_ALONE = {"host": "127.0.0.1", "token_for_health": False, "token_for_docs": False}
_EVERYBODY = {"FIRSTBELL_STUDENTS_PER_HOUR": "1000000000"}
"""A replay's document has every student in it."""
PAGE = 500
_SATURDAY = 5
_IN_FORCE = text("SELECT pseudonym FROM ingest.consented_students ORDER BY student_id")
_MAILS = text("""
    SELECT count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE status = 'failed') FROM notify.mails
""")


@dataclass(frozen=True, slots=True)
class Replay:
    """A running stack that a history is replayed through."""

    stack: Stack
    settings: IngestSettings
    engine: AsyncEngine
    """The reader's."""
    say: Callable[[str], None]

    async def run(
        self,
        source: Source,
        agreement: Agreement,
        read: Progress,
        begun: Callable[[int], None],
        on_day: OnDay,
        on_school_day: OnSchoolDay | None = None,
        ahead: int = 0,
    ) -> Replayer:
        """Replay everything under the agreement; returns when all groups and mails have settled.

        Each day is drained before the next, or, with `ahead`, so many days later: never across a change of consents
        or a week's end, so that the alerts are the same. `begun` gets the number of days, `on_day` each day after
        its alerts are in Kafka, and, without `ahead`, `on_school_day` each day on which a school may be open, when the
        worker knows all that had been handed in by its end.
        """
        patience = Patience(self.settings.import_patience_seconds, self.say)
        async with Intake.open(self.settings, patience) as intake, Answers.listen(self.stack.kafka) as answers:
            await intake.apply(agreement)
            await intake.start()
            replayer = Replayer(intake, source, agreement, read, self.settings.tz)
            days = await replayer.prepare()
            await worker_caught_up(self.stack.kafka)
            begun(len(days))
            in_flight = DaysInFlight(answers, on_day, ahead)
            for day in days:
                await self._day(day, replayer, answers, in_flight, on_school_day)
            await in_flight.land()
        await caught_up(self.stack.kafka)
        await mails_settled(self.engine)
        return replayer

    async def _day(
        self,
        day: date,
        replayer: Replayer,
        answers: Answers,
        in_flight: DaysInFlight,
        on_school_day: OnSchoolDay | None,
    ) -> None:
        if in_flight.is_waiting and await replayer.consents_change(day):
            await in_flight.land()
        replayed = await replayer.hand_in(day)
        await in_flight.join(replayed)
        asked = on_school_day is not None and replayer.may_have_school(day)
        if replayed.consents_changed and (asked or day.weekday() >= _SATURDAY):
            await worker_caught_up(self.stack.kafka)
        if on_school_day is not None and asked:
            await on_school_day(day)
        if day.weekday() == DAYS_TO_SUNDAY:
            await in_flight.land()  # a week's end is counted over all its days
            week = await replayer.close_week(day)
            if week is not None:
                await answers.wait(week)

    def worker(self) -> httpx.AsyncClient:
        """A client of the worker, which is patient."""
        auth = as_service(self.settings, NAME)
        return near_client(self.settings, auth=auth, timeout=60, base_url=self.stack.warning)

    def _casework(self) -> httpx.AsyncClient:
        issuer = embedded_issuer(self.settings.model_copy(update={"database": None}))
        auth = SignedRequests(issuer, Grant(role="steward", subject=NAME))
        return near_client(self.settings, auth=auth, timeout=30, base_url=self.stack.casework)

    async def document(self, replayer: Replayer) -> Document:
        """What `replay --json` writes: counts, a row for each student with a consent in force, alerts, mails."""
        async with self.engine.connect() as connection:
            students = list((await connection.execute(_IN_FORCE)).scalars())
            sent, failed = (await connection.execute(_MAILS)).one()
        async with self._casework() as client:
            windows = await _windows(client, students)
            alerts = [alert async for alert in _alerts(client)]
        return {
            "marks": dict(replayer.report.mark_counts()),
            "students": [{name: value for name, value in row.items() if name != "marks"} for row in windows],
            "alerts": list(alerts),
            "notifications": {"sent": sent, "failed": failed},
            "warnings": list(replayer.report.all_warnings()),
            "not_read": [one._asdict() for one in replayer.report.not_read],
        }


@asynccontextmanager
async def fresh_replay(
    data_dir: Path | None, env: Mapping[str, str], say: Callable[[str], None] = say_on_stderr
) -> AsyncIterator[Replay]:
    """A stack in a new folder, removed in the end unless it is named; `env` is added to its services' environment.

    Raises `OperatorError` when the named folder is not empty, and what `running_stack` raises.
    """
    folder = _new_folder(data_dir)
    try:
        # An outside cluster or database is never replayed into.
        alone = dict.fromkeys(_OUTSIDE) | _ALONE | {"service_key_file": folder / "secrets" / "services.jwk"}
        settings = IngestSettings.load(folder).model_copy(update=alone)
        async with running_stack(settings, SERVICES, env={**env, **_EVERYBODY}, say=say) as stack:
            pointed = settings.on(stack.kafka, stack_database(stack, SERVICE))
            engine = make_engine(stack.database_app, service=READER)
            try:
                yield Replay(stack, pointed, engine, say)
            finally:
                await engine.dispose()
    finally:
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


def _new_folder(data_dir: Path | None) -> Path:
    if data_dir is None:
        return Path(tempfile.mkdtemp(prefix="firstbell-"))
    if data_dir.exists() and any(data_dir.iterdir()):
        raise OperatorError(f"{data_dir} is not empty. A replay needs a fresh folder: name another one.")
    return data_dir


async def _windows(client: httpx.AsyncClient, students: list[str]) -> list[Document]:
    room = asyncio.Semaphore(AT_ONCE)

    async def window(student: str) -> Document | None:
        async with room:
            answer = await client.get(f"/v1/students/{student}/window")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        document: Document = answer.json()
        return document

    rows = await asyncio.gather(*(window(student) for student in students))
    return [row for row in rows if row is not None]


async def _alerts(client: httpx.AsyncClient) -> AsyncIterator[Document]:
    cursor: str | None = None
    while True:
        answer = await client.get("/v1/alerts", params={"limit": PAGE} | ({"cursor": cursor} if cursor else {}))
        answer.raise_for_status()
        page = answer.json()
        for item in page["items"]:
            yield item
        cursor = page["next"]
        if cursor is None:
            return
