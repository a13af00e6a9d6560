"""An intake of ingest's own database, in which tests put agreements in force; and what has reached Kafka."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from services.contracts.marks import MarkBatch
from services.contracts.packed import read_marks_record
from services.contracts.topics import MARKS, Topic
from services.ingest.agreement.document import Agreement
from services.ingest.agreement.folder import PURPOSE
from services.ingest.intake import Intake
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow
from services.ingest.settings import IngestSettings
from services.ingest.take.hand_in import HandIn
from services.platform.database import make_engine
from tests.integration.ingest_support import ciphers_of, opened, sent


class Taken:
    """An intake in which this agreement may be in force, on a day of its term; and what has reached Kafka."""

    def __init__(self, intake: Intake, settings: IngestSettings) -> None:
        self.intake = intake
        self.settings = settings

    async def apply(self, given: Agreement) -> None:
        await self.intake.apply(given)
        await self.intake.sweep()

    async def revoke(
        self,
        student: str,
        day: date,
        *recipients: str,
        records: tuple[str, ...] = (),
        agreement_id: str = "DSA",
    ) -> str:
        row = ConsentRow(
            student_id=student,
            agreement_id=agreement_id,
            signed_by=None,
            relationship=None,
            signed_on=None,
            method=None,
            records=records,
            purpose=None,
            recipients=recipients,
            expires_on=None,
            revoked_on=day,
            household_id=None,
        )
        (outcome,) = await self.intake.take_consents([row])
        return outcome.status

    async def consent(
        self, *recipients: str, agreement_id: str = "DSA", student: str | None = None, purpose: str = PURPOSE
    ) -> tuple[str, str | None]:
        """A student, a new one if none is given, and the pseudonym that the answer has."""
        row = self.consent_row(
            student or f"RAW{uuid4().hex[:12]}", *recipients, agreement_id=agreement_id, purpose=purpose
        )
        (outcome,) = await self.intake.take_consents([row])
        return row.student_id, outcome.student

    def consent_row(
        self, student: str, *recipients: str, agreement_id: str = "DSA", purpose: str = PURPOSE
    ) -> ConsentRow:
        """A parent's consent to attendance."""
        return ConsentRow(
            student_id=student,
            agreement_id=agreement_id,
            signed_by="A Guardian",
            relationship="parent",
            signed_on=date(2016, 9, 1),
            method="paper",
            records=("attendance",),
            purpose=purpose,
            recipients=recipients,
            expires_on=None,
            revoked_on=None,
            household_id="home",
        )

    async def marks(self, student: str, *places: tuple[str, date]) -> list[str]:
        rows = [MarkRow(student_id=student, school_id=school, date=day, status="absent") for school, day in places]
        return [one.status for one in await self.intake.take_marks(rows, HandIn(live=True))]

    async def enroll(self, student: str, school: str, entry: date, exit_: date | None = None) -> str:
        row = EnrollmentRow(student_id=student, school_id=school, entry_date=entry, exit_date=exit_)
        (outcome,) = await self.intake.take_enrollments([row])
        return outcome.status

    async def pseudonyms(self, student: str) -> dict[str, str]:
        """By agency, as far as others may see the student now."""
        rows = await self.rows(
            "SELECT agency, pseudonym FROM ingest.consented_students WHERE student_id = :id", student
        )
        return dict(rows)

    async def rows(self, query: str, student: str) -> list[Any]:
        engine = make_engine(self.settings.require_database(), service="ingest", pool_size=1)
        async with engine.begin() as connection:
            found = list(await connection.execute(text(query), {"id": student}))
        await engine.dispose()
        return found

    async def of(self, topic: Topic, pseudonym: str) -> list[bytes | None]:
        """What was sent of the student, opened as far as the key is there."""
        ciphers = await ciphers_of(self.settings)
        values = [one.value for one in await sent(self.settings.require_kafka(), topic) if one.key == pseudonym]
        return [value and opened(topic, value, ciphers) for value in values]

    async def sent_marks(self, pseudonym: str) -> list[tuple[str, date]]:
        found: list[tuple[str, date]] = []
        ciphers = await ciphers_of(self.settings)
        for one in await sent(self.settings.require_kafka(), MARKS):
            batch = read_marks_record(one.value or b"", ciphers.get)
            if isinstance(batch, MarkBatch):
                found += [(mark.school_id, mark.date) for mark in batch.marks if mark.student == pseudonym]
        return found
