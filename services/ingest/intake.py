"""The intake: what the HTTP service, `import`, `pull`, `replay` and `demo` hand rows to.

Each process opens its own; several work on one database and cluster at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Final, TypeVar
from uuid import UUID

from services.ingest.agreement.document import Agreement
from services.ingest.context import IngestContext
from services.ingest.erasure.catching_up import catch_up
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.metrics import REJECTIONS
from services.ingest.patience import Patience
from services.ingest.publish.dead_letters import Refused, Source, send_rejected
from services.ingest.publish.erasures import publish_erasures
from services.ingest.publish.pending import (
    publish_calendars,
    publish_days,
    publish_students,
    publish_token,
    publish_week,
)
from services.ingest.publish.publisher import Publisher
from services.ingest.reporting.head_counts import HeadCounts
from services.ingest.reporting.schools import Enrolled, SchoolReport
from services.ingest.rows.kinds import RecordTable
from services.ingest.rows.outcomes import Outcome, Unfit
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, SchoolDayRow, SchoolRow, StudentRow
from services.ingest.rows.records import Record, TermRow
from services.ingest.settings import IngestSettings
from services.ingest.store.stale_marks import SchoolSpan, Whole
from services.ingest.store.stale_records import WholeRecords
from services.ingest.sweep import Swept, sweep
from services.ingest.take import agreements, clock, consents, days, import_session, marks, records, rosters, snapshot
from services.ingest.take.consents import Known
from services.ingest.take.days import Close
from services.ingest.take.hand_in import HandIn
from services.ingest.take.pulled import Pulled
from services.ingest.take.snapshot import Limits, TakenBack
from services.platform import trace
from services.platform.consent import check_database
from services.platform.database import make_engine
from services.platform.keys.master import MasterKeys, require_master_keys
from services.platform.roles import require_role

SERVICE: Final = "ingest"
"""As whom the database knows all that the intake does."""

T = TypeVar("T")


class Intake:
    """Takes rows in: everything that may be asked of it, each tried until Kafka and the database answer.

    Every method raises `UnavailableError` when one of them stays away.

    Outcomes are in the order of the rows. A row is `accepted` only when Kafka has what it changes; handing
    the same rows in again is harmless.
    """

    def __init__(self, parts: IngestContext) -> None:
        self._parts = parts
        self._patience = parts.patience
        self.pulled = Pulled(parts)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: IngestSettings, patience: Patience = Patience()) -> AsyncIterator[Intake]:  # noqa: B008
        """An intake on the settings' cluster and database, whose migrations have run.

        Connects when first used. Raises `SettingsError` when a setting or the key cannot be used.
        """
        engine = make_engine(settings.require_database(), service=SERVICE, pool_size=settings.batches_in_flight + 2)
        publisher = Publisher(settings.require_kafka(), settings.kafka_wait_seconds)
        parts = IngestContext(
            engine=engine,
            publisher=publisher,
            names=Pseudonymizer(load_key(settings.key_file)),
            masters=MasterKeys.of(settings),
            ledger_file=settings.ledger_file,
            timezone=settings.tz,
            patience=patience,
            room=asyncio.Semaphore(settings.batches_in_flight),
        )
        try:
            yield cls(parts)
        finally:
            await publisher.stop()
            await engine.dispose()

    async def agreement(self) -> Agreement:
        """The agreement that holds now; raises `NoAgreementError`."""
        return await self._run(lambda: agreements.required_now(self._parts))

    async def apply(self, agreement: Agreement) -> bool:
        """Put a version of the agreement in force from its first day; whether it is new. A sweep should follow.

        Raises `VersionError`.
        """
        return await self._run(lambda: agreements.apply(self._parts, agreement))

    async def start(self) -> Swept:
        """Catch up with the ledger's copies, write the district's timezone to the database, and sweep.

        To be called once before the first rows: a database that was restored holds what was erased since.

        What the calling task hands in from then on has one trace. Raises `RolesError` when the database's user is
        another than ingest's role, and `MasterKeyLostError`.
        """
        trace.begin()
        await self._run(self._check_database)
        await self._run(lambda: catch_up(self._parts))
        await self._run(lambda: clock.put_timezone(self._parts))
        return await self.sweep()

    async def begin_import(self, fingerprint: str, as_of: datetime | None) -> datetime:
        """The moment as of which an import of these files speaks: now, or that of the same one that was interrupted."""
        return await self._run(lambda: import_session.begin_import(self._parts, fingerprint, as_of))

    async def end_import(self, fingerprint: str) -> None:
        """The import came to its end: the next one of the same files is another."""
        await self._run(lambda: import_session.end_import(self._parts, fingerprint))

    async def take_back(
        self,
        spans: Collection[SchoolSpan],
        seen: Collection[tuple[str, date]],
        whole: Whole,
        limits: Limits | None,
    ) -> TakenBack:
        """Take back what earlier imports said in these spans and the one that is `whole` does not.

        `seen` are the schools' days of which it has rows. Without limits any number is taken back.
        """
        return await self._run(lambda: snapshot.take_back(self._parts, spans, seen, whole, limits))

    async def take_back_records(self, table: RecordTable, whole: WholeRecords, limits: Limits | None) -> TakenBack:
        """Take back what stands of a table of records and a snapshot's files do not say; None is no limit."""
        return await self._run(lambda: snapshot.take_back_records(self._parts, table, whole, limits))

    async def take_marks(
        self, rows: Sequence[MarkRow], said: HandIn, *, counts: HeadCounts | None = None
    ) -> list[Outcome]:
        """Take marks in, best a few hundred to a few thousand at once. An import gives the `counts` that it began."""
        return await marks.take_marks(self._parts, rows, said, counts)

    async def take_consents(
        self,
        rows: Sequence[ConsentRow],
        households: Mapping[str, str] | None = None,
        births: Mapping[str, date] | None = None,
        unfit: Unfit | None = None,
    ) -> list[Outcome]:
        """Take consents and revocations in; `households` and `births` are what else is known of the students now.

        `unfit` gets what the consents of students of whom nothing is kept do not cover.
        """
        homes = {row.student_id: row.household_id for row in rows if row.household_id} | dict(households or {})
        known = Known(homes, births or {})
        found: Unfit = {} if unfit is None else unfit
        outcomes = await self._run(lambda: consents.take_consents(self._parts, rows, known, found))
        await self._publish_students()
        return outcomes

    async def take_schools(self, rows: Sequence[SchoolRow]) -> list[Outcome]:
        """Take schools in: names and timezones."""
        return await self._run(lambda: rosters.take_schools(self._parts, rows))

    async def take_students(self, rows: Sequence[StudentRow]) -> list[Outcome]:
        """Take names, grades and households in, of those whose consent is in force today."""
        outcomes = await self._run(lambda: rosters.take_students(self._parts, rows))
        await self._publish_students()
        return outcomes

    async def take_enrollments(
        self, rows: Sequence[EnrollmentRow], *, counts: HeadCounts | None = None, run: int | None = None
    ) -> list[Outcome]:
        """Take enrollments in, of those whose consent is in force today; all are counted.

        Those of an import (`run`: the later one's is higher) replace what earlier ones said of the student at the
        school.
        """
        outcomes = await self._run(lambda: rosters.take_enrollments(self._parts, rows, counts=counts, run=run))
        await self._publish_students()
        return outcomes

    async def take_terms(self, rows: Sequence[TermRow], said: HandIn) -> list[Outcome]:
        """Take terms in, best before what is of them."""
        return await self._run(lambda: records.take_terms(self._parts, rows, said))

    async def take_records(self, table: RecordTable, rows: Sequence[Record], said: HandIn) -> list[Outcome]:
        """Take rows of what is shared beside attendance; enrollments must be there, which say what is in scope."""
        return await self._run(lambda: records.take_records(self._parts, table, rows, said))

    async def take_school_days(self, rows: Sequence[SchoolDayRow]) -> list[Outcome]:
        """Take the calendar in; a `reported` day is closed behind all marks taken so far."""
        outcomes = await self._run(lambda: days.take_school_days(self._parts, rows))
        reported: dict[str, set[date]] = {}
        for row, outcome in zip(rows, outcomes, strict=True):
            if row.reported and outcome.status in {"accepted", "duplicate"}:
                reported.setdefault(row.school_id, set()).add(row.date)
        await self._run(lambda: days.assume(self._parts, reported))
        await self._run(lambda: publish_calendars(self._parts))
        await self._run(lambda: publish_days(self._parts))
        return outcomes

    async def assume(self, reported: Mapping[str, Collection[date]]) -> dict[str, list[date]]:
        """Take weekdays for school days at schools that report days of a school year without a calendar; which ones."""
        found = await self._run(lambda: days.assume(self._parts, reported))
        await self._run(lambda: publish_days(self._parts))
        return found

    async def close_days(self, closes: Sequence[Close] = (), *, counts: HeadCounts | None = None) -> UUID:
        """Close school-days behind all marks taken so far, with their counts.

        Returns a token: each partition's worker answers it on `warning.progress.v1` once it has evaluated
        these closes and all before them. Without closes it only brings such a token.
        """
        if not closes and counts is None:
            return await self._run(lambda: publish_token(self._parts))
        await self._run(lambda: days.close_days(self._parts, closes, counts=counts))
        token = await self._run(lambda: publish_days(self._parts))
        return await self._run(lambda: publish_token(self._parts)) if token is None else token

    async def close_week(self, week: date) -> UUID | None:
        """Say that the week of this Monday is over; returns the token, None when no school closed a day of it.

        Each partition's worker answers the token when it knows the next week's threshold. For replays: otherwise the
        sweep closes weeks.
        """
        return await self._run(lambda: publish_week(self._parts, week))

    async def reject(self, refused: Sequence[Refused], source: Source) -> None:
        """Send dead letters, which hold the place and the reason alone."""
        for one in refused:
            REJECTIONS.labels(one.field or "row").inc()
        if refused:
            await self._run(lambda: send_rejected(self._parts, refused, source))

    async def sweep(self) -> Swept:
        """Put into force and end what is due today, and publish all that is pending."""
        return await self._run(lambda: sweep(self._parts))

    async def set_replay_day(self, day: date | None) -> None:
        """Make this the day that it is for all services; None is the wall clock's. A sweep should follow."""
        await self._run(lambda: clock.put_replay_day(self._parts, day))

    async def consents_change(self, day: date) -> bool:
        """Whether the consents of any student must be looked at again by this day: a sweep then may change some."""
        return await self._run(lambda: import_session.consents_change(self._parts, day))

    async def today(self) -> date:
        """Today by the one clock."""
        return await self._run(lambda: clock.today(self._parts))

    async def reports(self) -> dict[str, SchoolReport]:
        """Each school's calendar and closed days."""
        return await self._run(lambda: import_session.reports(self._parts))

    async def enrolled(self, student_ids: Collection[str]) -> dict[str, list[Enrolled]]:
        """The enrollments kept of these students, by the district's id."""
        return await self._run(lambda: import_session.enrolled(self._parts, student_ids))

    async def check_kafka(self) -> str | None:
        """None when Kafka answers, else what to do."""
        return await self._parts.publisher.check()

    async def check_database(self) -> str | None:
        """None when the database answers, else what to do."""
        return await check_database(self._parts.engine, SERVICE)

    async def _check_database(self) -> None:
        async with self._parts.engine.connect() as connection:
            await require_role(connection, SERVICE)
            await require_master_keys(connection, self._parts.masters)

    async def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        return await self._patience.run(work)

    async def _publish_students(self) -> None:
        await self._run(lambda: publish_erasures(self._parts))
        await self._run(lambda: publish_students(self._parts))
