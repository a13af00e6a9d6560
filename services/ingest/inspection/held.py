"""What ingest holds of one student, feed by feed, and who was shown it: as it stands, for an inspection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.attendance import EXCUSED, NO_TIME, RETRACTED, STATUS, UNEXCUSED
from services.ingest.inspection.corrections import Decision
from services.ingest.proofs.queries import proofs_by_id
from services.ingest.proofs.schemas import Proof
from services.platform.erasure.entry import Because

_KNOWN: Final = text("""
    SELECT pseudonym FROM ingest.students WHERE student_id = :student
    UNION SELECT pseudonym FROM erasure.ledger WHERE student = :digest
""")
_STUDENTS: Final = text("""
    SELECT s.id, s.pseudonym, s.agency, s.kept_for, s.student_id, s.first_name, s.last_name, s.grade, s.household,
           s.slot, s.adult_on, s.consent_from, s.consent_through,
           EXISTS (SELECT FROM erasure.keys k WHERE k.pseudonym = s.pseudonym) AS has_key,
           (SELECT count(*) FROM ingest.taken_events e WHERE e.student = s.id) AS events
    FROM ingest.students s WHERE s.student_id = :student ORDER BY s.kept_for, s.agency
""")
_CONSENTS: Final = text("""
    SELECT student, agreement_id, signed_on, signed_by, relationship, method, records, purpose, recipients,
           expires_on, revoked_on
    FROM ingest.consents WHERE student = ANY (:students) ORDER BY signed_on, agreement_id, purpose
""")
_ENROLLMENTS: Final = text("""
    SELECT student, school_id, entry_date, exit_date
    FROM ingest.enrollments WHERE student = ANY (:students) ORDER BY entry_date, school_id
""")
_TAKEN: Final = text("""
    SELECT student, date, school_id, section, code, moment, taken, by_import,
           row_number() OVER (
               PARTITION BY student, date, school_id, section ORDER BY moment DESC, code DESC, taken DESC) = 1 AS stands
    FROM ingest.taken WHERE student = ANY (:students) ORDER BY date, school_id, section, taken
""")
_DISTRICT: Final = text("""
    SELECT student, date, school_id, section, status, excused, reason, recorded_at
    FROM district.attendance WHERE student = ANY (:students) ORDER BY date, school_id, section
""")
_CORRECTIONS: Final = text("""
    SELECT DISTINCT number, about, statement, asked_on, decided_on, decision, note
    FROM ingest.corrections WHERE student = ANY (:students) ORDER BY number
""")
_ERASED: Final = text("""
    SELECT id, pseudonym, agreement, recipient, because, ended_on, at, by
    FROM erasure.ledger WHERE student = :digest ORDER BY at, id
""")
_SEEN: Final = text("""
    SELECT min(at) AS first, max(at) AS last, count(*) AS times, subject, role, agency, action, purpose, agreement,
           outcome
    FROM audit.entries WHERE students && CAST(:pseudonyms AS text[])
    GROUP BY subject, role, agency, action, purpose, agreement, outcome,
             CASE WHEN role = 'service' THEN NULL ELSE entry END
    ORDER BY first
""")
_SCHOOLS: Final = text("SELECT school_id, name FROM ingest.schools WHERE name IS NOT NULL")
_PARTIES: Final = text("""
    SELECT party ->> 'id' AS id, party ->> 'name' AS name
    FROM ingest.agreements, jsonb_array_elements(document -> 'party') AS party ORDER BY applied
""")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class HeldConsent(BaseModel):
    """A consent, as far as it was not withdrawn."""

    agreement: str
    signed_on: date
    signed_by: str | None
    relationship: str | None
    method: str | None
    records: list[str]
    purpose: str | None
    recipients: list[str]
    expires_on: date | None
    revoked_on: date | None


class HeldEnrollment(BaseModel):
    """Days enrolled at a school, both ends inclusive; an empty school is one that is not shared with the party."""

    school: str
    entry_date: date
    exit_date: date | None


class HeldMark(BaseModel):
    """What a school said of a day."""

    date: date
    school: str
    section: str
    """Empty: the whole day."""
    status: str | None
    """None: only a digest is kept, of the first releases."""
    excused: bool | None
    reason: str | None = None
    recorded_at: datetime | None
    """As of when the school said it; None: the replay of a history did."""
    taken_at: datetime | None
    source: Literal["file", "message"] | None
    stands: bool
    """Nothing later was said of the same."""


class HeldStatement(BaseModel):
    """A parent's request to correct the record."""

    number: int
    about: date | None
    statement: str
    asked_on: date
    decided_on: date | None
    decision: Decision | None
    note: str | None


class HeldFeed(BaseModel):
    """All that is kept of the student for one party, under a pseudonym of its own."""

    pseudonym: str
    party: str
    kept_for: str
    """The purpose for which marks are kept in the district's database alone; empty: they flow to the party."""
    student_id: str
    first_name: str | None
    last_name: str | None
    grade: str | None
    household: str | None
    """A household's pseudonym."""
    slot: int
    adult_on: date | None
    """The day of the eighteenth birthday, where it is known."""
    consent_from: date | None
    """None: no consent is in force, so that the party is shown nothing."""
    consent_through: date | None
    has_key: bool
    events: int
    """Messages of which a digest is kept, so that one that comes twice counts once."""
    consents: list[HeldConsent]
    enrollments: list[HeldEnrollment]
    marks: list[HeldMark]
    statements: list[HeldStatement]


class Erased(BaseModel):
    """An entry of the ledger: what ended, and what was removed with it."""

    id: UUID
    pseudonym: str | None
    """None: a consent that does not count any more, under which nothing was kept."""
    agreement: str
    party: str
    """`*` is everyone."""
    because: Because
    ended_on: date
    at: datetime
    by: str
    proof: Proof | None


class Seen(BaseModel):
    """Who was shown something of the student, or asked in vain. Of others who were in the same answer nothing."""

    first: datetime
    last: datetime
    times: int
    """One for people; what flows to a party is summed up."""
    subject: str
    role: str
    agency: str | None
    action: str
    purpose: str | None
    agreement: str | None
    outcome: str


class HeldByIngest(BaseModel):
    """All that ingest holds."""

    feeds: list[HeldFeed]
    erased: list[Erased]
    seen: list[Seen]
    schools: dict[str, str]
    """Names, by id."""
    parties: dict[str, str]

    @property
    def pseudonyms(self) -> list[str]:
        """All under which the student is or was known."""
        return _pseudonyms(self.feeds, self.erased)


async def known_as(connection: AsyncConnection, student_id: str, digest: bytes) -> list[str] | None:
    """The pseudonyms under which the student is or was known; None when nothing is, or was, held."""
    found = (await connection.execute(_KNOWN, {"student": student_id, "digest": digest})).scalars().all()
    return [pseudonym for pseudonym in found if pseudonym is not None] if found else None


async def held(connection: AsyncConnection, student_id: str, digest: bytes) -> HeldByIngest | None:
    """What is held of the student of this district's id, and digest of it in the ledger; None when nothing is or was.

    The connection's service is ingest.
    """
    students = (await connection.execute(_STUDENTS, {"student": student_id})).all()
    erased = await _erased(connection, digest)
    if not students and not erased:
        return None
    numbers = [row.id for row in students]
    consents = await _by_student(connection, _CONSENTS, numbers)
    enrollments = await _by_student(connection, _ENROLLMENTS, numbers)
    taken = await _by_student(connection, _TAKEN, numbers)
    kept = await _by_student(connection, _DISTRICT, numbers)
    feeds = [
        HeldFeed(
            party=row.agency,
            consents=[_consent(one) for one in consents[row.id]],
            enrollments=[
                HeldEnrollment(school=one.school_id, entry_date=one.entry_date, exit_date=one.exit_date)
                for one in enrollments[row.id]
            ],
            marks=[_taken(one) for one in taken[row.id]] + [_kept(one) for one in kept[row.id]],
            statements=[
                HeldStatement.model_validate(one, from_attributes=True)
                for one in await connection.execute(_CORRECTIONS, {"students": [row.id]})
            ],
            **{name: value for name, value in row._mapping.items() if name in HeldFeed.model_fields},
        )
        for row in students
    ]
    seen = await connection.execute(_SEEN, {"pseudonyms": _pseudonyms(feeds, erased)})
    return HeldByIngest(
        feeds=feeds,
        erased=erased,
        seen=[Seen.model_validate(row, from_attributes=True) for row in seen],
        schools={row.school_id: row.name for row in await connection.execute(_SCHOOLS)},
        parties={row.id: row.name for row in await connection.execute(_PARTIES)},
    )


def _pseudonyms(feeds: Sequence[HeldFeed], erased: Sequence[Erased]) -> list[str]:
    return list(dict.fromkeys([*(one.pseudonym for one in feeds), *(one.pseudonym for one in erased if one.pseudonym)]))


async def _by_student(
    connection: AsyncConnection, query: Any, students: Sequence[int]
) -> Mapping[int, list[Row[*tuple[Any, ...]]]]:
    found: dict[int, list[Row[*tuple[Any, ...]]]] = {student: [] for student in students}
    for row in await connection.execute(query, {"students": list(students)}):
        found[row.student].append(row)
    return found


def _consent(row: Row[*tuple[Any, ...]]) -> HeldConsent:
    return HeldConsent(
        agreement=row.agreement_id,
        signed_on=row.signed_on,
        signed_by=row.signed_by,
        relationship=row.relationship,
        method=row.method,
        records=row.records,
        purpose=row.purpose or None,
        recipients=row.recipients,
        expires_on=row.expires_on,
        revoked_on=row.revoked_on,
    )


def _taken(row: Row[*tuple[Any, ...]]) -> HeldMark:
    status = "retracted" if row.code == RETRACTED else STATUS.get(row.code)
    moment = None if row.moment in (None, NO_TIME) else _EPOCH + timedelta(microseconds=row.moment)
    return HeldMark(
        date=row.date,
        school=row.school_id,
        section=row.section,
        status=status,
        excused=row.code == EXCUSED if row.code in (EXCUSED, UNEXCUSED) else None,
        recorded_at=moment,
        taken_at=_EPOCH + timedelta(microseconds=row.taken // 1000),
        source="file" if row.by_import else "message",
        stands=row.stands,
    )


def _kept(row: Row[*tuple[Any, ...]]) -> HeldMark:
    return HeldMark(
        date=row.date,
        school=row.school_id,
        section=row.section,
        status=row.status,
        excused=row.excused,
        reason=row.reason,
        recorded_at=row.recorded_at,
        taken_at=None,
        source=None,
        stands=True,
    )


async def _erased(connection: AsyncConnection, digest: bytes) -> list[Erased]:
    rows = (await connection.execute(_ERASED, {"digest": digest})).all()
    proofs = {one.id: one for one in await proofs_by_id(connection, [row.id for row in rows])}
    return [
        Erased(
            id=row.id,
            pseudonym=row.pseudonym,
            agreement=row.agreement,
            party=row.recipient,
            because=row.because,
            ended_on=row.ended_on,
            at=row.at,
            by=row.by,
            proof=proofs.get(row.id),
        )
        for row in rows
    ]
