"""Students of whom Kafka is to have the newest consent or enrollments, and has not got them yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym, Slot
from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.document import Agreement, Feed
from services.ingest.agreement.spans import in_scope
from services.ingest.consent.in_force import Run
from services.ingest.store.days import flows

_LOCK = text("SELECT pg_advisory_xact_lock(727002)")

_PENDING = "(consent_pending OR enrollment_pending) AND kept_for = '' AND consent_from IS NOT NULL"

_ANY = text(f"""
    SELECT EXISTS (SELECT FROM ingest.students WHERE next_change <= (SELECT ingest.today())),
           EXISTS (SELECT FROM erasure.ledger WHERE NOT published),
           EXISTS (SELECT FROM ingest.students WHERE {_PENDING}),
           EXISTS (SELECT FROM ingest.school_days WHERE (day_pending OR close_pending) AND {flows()})
               OR EXISTS (SELECT FROM ingest.calendar_days WHERE pending AND {flows()})
""")  # noqa: S608 -- our own text

_STUDENTS = text(f"""
    SELECT id, agency, pseudonym, slot, grade, household, consent_from, consent_through, revision,
           consent_pending, enrollment_pending
    FROM ingest.students WHERE {_PENDING} ORDER BY id LIMIT :limit
""")  # noqa: S608 -- our own text

_SPANS = text("""
    SELECT student, school_id, entry_date, exit_date, calendar FROM ingest.enrollments
    WHERE student = ANY (CAST(:ids AS integer[])) ORDER BY student, entry_date, school_id
""")

_SENT = text("""
    UPDATE ingest.students s SET consent_pending = false, enrollment_pending = false
    FROM unnest(CAST(:ids AS integer[]), CAST(:revisions AS integer[])) AS g (id, revision)
    WHERE s.id = g.id AND s.revision = g.revision
""")


@dataclass(frozen=True, slots=True)
class StudentState:
    """What Kafka is to know of one student."""

    id: int
    agency: str
    pseudonym: Pseudonym
    slot: Slot
    grade: str | None
    household: str | None
    run: Run
    revision: int
    consent_pending: bool
    enrollment_pending: bool
    spans: list[EnrollmentSpan]


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to do."""

    consents: bool
    """A consent ended or began."""
    erasures: bool
    """The ledger's copies lack some."""
    students: bool
    days: bool


async def due(connection: AsyncConnection) -> Due:
    """Whether there is anything to do: one look at a few indexes."""
    return Due(*(await connection.execute(_ANY)).one())


async def alone(connection: AsyncConnection) -> None:
    """Wait until no other process publishes state: so that an older state never follows a newer one."""
    await connection.execute(_LOCK)


async def students(connection: AsyncConnection, agreement: Agreement | None, limit: int) -> list[StudentState]:
    """The newest state of students that Kafka lacks, by the agreement in force."""
    feeds = {} if agreement is None else {feed.agency: feed for feed in agreement.feeds()}
    rows = (await connection.execute(_STUDENTS, {"limit": limit})).all()
    spans: dict[int, list[EnrollmentSpan]] = {row.id: [] for row in rows}
    ids = [row.id for row in rows if row.enrollment_pending]
    if ids:
        for student, school_id, entry, exit_, calendar in await connection.execute(_SPANS, {"ids": ids}):
            span = EnrollmentSpan(school_id=school_id, entry_date=entry, exit_date=exit_, calendar=calendar)
            spans[student].append(span)
    return [
        StudentState(
            row.id,
            row.agency,
            Pseudonym(row.pseudonym),
            Slot(row.slot),
            row.grade,
            row.household,
            Run(row.consent_from, row.consent_through),
            row.revision,
            row.consent_pending,
            row.enrollment_pending,
            _shown(agreement, feeds.get(row.agency), spans[row.id]),
        )
        for row in rows
    ]


def _shown(agreement: Agreement | None, feed: Feed | None, spans: list[EnrollmentSpan]) -> list[EnrollmentSpan]:
    return [] if agreement is None or feed is None else in_scope(agreement, feed, spans)


async def sent(connection: AsyncConnection, states: Sequence[StudentState]) -> None:
    """Kafka has these; one that changed meanwhile stays pending."""
    given = {"ids": [state.id for state in states], "revisions": [state.revision for state in states]}
    await connection.execute(_SENT, given)
