"""Reading what ingest holds of one student, as it stands, for an inspection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.attendance import EXCUSED, NO_TIME, RETRACTED, STATUS, UNEXCUSED
from services.ingest.agreement.document import FeedId
from services.ingest.inspection.schemas import (
    Erased,
    HeldByIngest,
    HeldConsent,
    HeldEnrollment,
    HeldFeed,
    HeldMark,
    HeldRecord,
    HeldStatement,
    Seen,
    pseudonyms_of,
)
from services.ingest.proofs.queries import proofs_by_id
from services.ingest.rows.kinds import RECORD_TABLES, RecordTable
from services.platform.sharing import ATTENDANCE, OTHER_RECORDS

_KNOWN: Final = text("""
    SELECT pseudonym FROM ingest.students WHERE student_id = :student
    UNION SELECT pseudonym FROM erasure.ledger WHERE student = :digest
""")
_STUDENTS: Final = text("""
    SELECT s.id, s.pseudonym, s.agency, s.kept_for, s.student_id, s.first_name, s.last_name, s.grade, s.household,
           s.slot, s.adult_on, s.consent_from, s.consent_through,
           EXISTS (SELECT FROM erasure.keys k WHERE k.pseudonym = s.pseudonym) AS has_key,
           (SELECT count(*) FROM ingest.taken_events e WHERE e.student = s.id) AS events
    FROM ingest.students s WHERE s.student_id = :student
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
    SELECT id, pseudonym, agreement, recipient, kept_for, records, because, ended_on, at, by
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
_RECORDS: Final = {
    table.name: text(f"""
        SELECT student, {", ".join(table.fields)}, first, last, said_at,
               CASE WHEN until < 'infinity' THEN until END AS until
        FROM district.{table.name} WHERE student = ANY (:students)
        ORDER BY {", ".join((*table.key, "said_at"))}
    """)  # noqa: S608 -- our own names
    for table in RECORD_TABLES.values()
}
_AS_THEY_ARE: Final = HeldFeed.model_fields.keys() - {"kept_for"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def known_as(connection: AsyncConnection, student_id: str, digest: bytes) -> list[str] | None:
    """The pseudonyms under which the student is or was known; None when nothing is, or was, held."""
    found = (await connection.execute(_KNOWN, {"student": student_id, "digest": digest})).scalars().all()
    return [pseudonym for pseudonym in found if pseudonym is not None] if found else None


async def held_by_ingest(connection: AsyncConnection, student_id: str, digest: bytes) -> HeldByIngest | None:
    """What is held of the student of this district's id, and digest of it in the ledger; None when nothing is or was.

    The connection's service is ingest.
    """
    students = sorted((await connection.execute(_STUDENTS, {"student": student_id})).all(), key=_order)
    erased = await _erased(connection, digest)
    if not students and not erased:
        return None
    numbers = [row.id for row in students]
    consents = await _by_student(connection, _CONSENTS, numbers)
    enrollments = await _by_student(connection, _ENROLLMENTS, numbers)
    taken = await _by_student(connection, _TAKEN, numbers)
    kept = await _by_student(connection, _DISTRICT, numbers)
    records = await _records(connection, numbers)
    feeds = [
        HeldFeed(
            party=row.agency,
            kind=FeedId(row.agency, row.kept_for).kind,
            kept_for=FeedId(row.agency, row.kept_for).purpose,
            consents=[_consent(one) for one in consents[row.id]],
            enrollments=[
                HeldEnrollment(school=one.school_id, entry_date=one.entry_date, exit_date=one.exit_date)
                for one in enrollments[row.id]
            ],
            marks=[_taken(one) for one in taken[row.id]] + [_kept(one) for one in kept[row.id]],
            records=records[row.id],
            statements=[
                HeldStatement.model_validate(one, from_attributes=True)
                for one in await connection.execute(_CORRECTIONS, {"students": [row.id]})
            ],
            **{name: value for name, value in row._mapping.items() if name in _AS_THEY_ARE},
        )
        for row in students
    ]
    seen = await connection.execute(_SEEN, {"pseudonyms": pseudonyms_of(feeds, erased)})
    return HeldByIngest(
        feeds=feeds,
        erased=erased,
        seen=[Seen.model_validate(row, from_attributes=True) for row in seen],
        schools={row.school_id: row.name for row in await connection.execute(_SCHOOLS)},
        parties={row.id: row.name for row in await connection.execute(_PARTIES)},
    )


def _order(row: Row[*tuple[Any, ...]]) -> tuple[int, FeedId]:
    """What flows first, then the kinds in the order in which they are told."""
    feed = FeedId(row.agency, row.kept_for)
    return (ATTENDANCE, *OTHER_RECORDS).index(feed.kind), FeedId(row.kept_for, row.agency)


async def _records(connection: AsyncConnection, students: Sequence[int]) -> Mapping[int, list[HeldRecord]]:
    found: dict[int, list[HeldRecord]] = {student: [] for student in students}
    for table in RECORD_TABLES.values():
        for student, rows in (await _by_student(connection, _RECORDS[table.name], students)).items():
            found[student] += [_record(table, row) for row in rows]
    return found


def _record(table: RecordTable, row: Row[*tuple[Any, ...]]) -> HeldRecord:
    values = {name: getattr(row, name) for name in table.fields}
    return HeldRecord(
        file=table.name,
        says={
            name: value if value is None or isinstance(value, bool) else str(value) for name, value in values.items()
        },
        first=row.first,
        last=row.last,
        said_at=row.said_at,
        until=row.until,
    )


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
            kinds=_kinds(row),
            kept_for=FeedId(row.recipient, row.kept_for).purpose,
            because=row.because,
            ended_on=row.ended_on,
            at=row.at,
            by=row.by,
            proof=proofs.get(row.id),
        )
        for row in rows
    ]


def _kinds(row: Row[*tuple[Any, ...]]) -> list[str]:
    """Of an entry of the ledger: its feed's, else those that the withdrawal named."""
    if row.pseudonym is not None or ":" in row.kept_for:
        return [FeedId(row.recipient, row.kept_for).kind]
    return sorted(row.records)
