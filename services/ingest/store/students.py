"""Students of whom something is kept, each once a feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym, Slot
from services.ingest.agreement.document import FeedId
from services.ingest.consent.in_force import ConsentStanding, Run
from services.ingest.inspection import corrections
from services.ingest.store import keys
from services.ingest.store.arrays import joined
from services.platform.keys.master import MasterKeys

_COLUMNS: Final = """id, student_id, agency, kept_for, pseudonym, slot, consent_from, consent_through, next_change,
           adult_on"""

_LOCK = text(f"""
    SELECT {_COLUMNS}
    FROM ingest.students
    WHERE student_id = ANY (CAST(:ids AS text[])) AND (agency, kept_for) = (:agency, :kept_for) AND NOT held
    ORDER BY id FOR UPDATE
""")  # noqa: S608 -- our own text

_LOCK_DUE = text(f"""
    SELECT {_COLUMNS}
    FROM ingest.students WHERE next_change <= (SELECT ingest.today()) ORDER BY id LIMIT :limit FOR UPDATE
""")  # noqa: S608 -- our own text

_LOCK_DUE_OF = text(f"""
    SELECT {_COLUMNS}
    FROM ingest.students
    WHERE student_id = ANY (string_to_array(:ids, chr(31))) AND (agency, kept_for) = (:agency, :kept_for)
      AND NOT held AND next_change <= (SELECT ingest.today())
    ORDER BY id FOR UPDATE
""")  # noqa: S608 -- our own text

_LOCK_EVERY = text(f"""
    SELECT {_COLUMNS}
    FROM ingest.students WHERE student_id = :student AND NOT held ORDER BY id FOR UPDATE
""")  # noqa: S608 -- our own text

_UNDER = """
    FROM ingest.students s
    WHERE NOT s.held AND EXISTS (
            SELECT FROM ingest.consents c WHERE c.student = s.id AND :agreement IN (c.agreement_id, '*'))
        AND NOT EXISTS (
            SELECT FROM ingest.consents c JOIN ingest.agreement_in_force f ON f.id = c.agreement_id
            WHERE c.student = s.id AND f.id <> :agreement)
"""
_LOCK_UNDER = text(f"""
    SELECT {_COLUMNS}
    {_UNDER} ORDER BY id LIMIT :limit FOR UPDATE
""")
_COUNT_UNDER = text(f"SELECT count(DISTINCT student_id), count(*) {_UNDER}")

_FEEDS = text("""
    SELECT DISTINCT agency, kept_for FROM ingest.students WHERE student_id = ANY (CAST(:ids AS text[])) AND NOT held
""")

_ANY_DUE_OF = text("""
    SELECT EXISTS (
        SELECT FROM ingest.students
        WHERE student_id = ANY (string_to_array(:ids, chr(31))) AND (agency, kept_for) = (:agency, :kept_for)
          AND NOT held AND next_change <= (SELECT ingest.today()))
""")

_ANY_DUE = text("SELECT EXISTS (SELECT FROM ingest.students WHERE next_change <= :day)")

_ADD = text("""
    INSERT INTO ingest.students (agency, kept_for, student_id, pseudonym, slot, adult_on)
    SELECT :agency, :kept_for, *
    FROM unnest(CAST(:ids AS text[]), CAST(:pseudonyms AS text[]), CAST(:slots AS integer[]), CAST(:adults AS date[]))
    ON CONFLICT DO NOTHING
""")

_STAND = text("""
    UPDATE ingest.students s
    SET consent_from = g.start, consent_through = g.through, next_change = g.next_change,
        revision = s.revision + 1,
        consent_pending = s.consent_pending
            OR (s.consent_from, s.consent_through) IS DISTINCT FROM (g.start, g.through)
    FROM unnest(CAST(:ids AS integer[]), CAST(:starts AS date[]), CAST(:throughs AS date[]),
                CAST(:next AS date[])) AS g (id, start, through, next_change)
    WHERE s.id = g.id
""")

_GROWN = text("""
    UPDATE ingest.students s SET adult_on = g.day
    FROM unnest(CAST(:ids AS text[]), CAST(:days AS date[])) AS g (student_id, day)
    WHERE s.student_id = g.student_id AND NOT s.held AND s.adult_on IS DISTINCT FROM g.day
""")

_ADULTS = text("""
    SELECT DISTINCT student_id, adult_on FROM ingest.students
    WHERE student_id = ANY (CAST(:ids AS text[])) AND NOT held AND adult_on IS NOT NULL
""")


_ALL_DUE = text("""
    UPDATE ingest.students SET next_change = (SELECT ingest.today())
    WHERE NOT held AND (next_change IS NULL OR next_change > (SELECT ingest.today()))
""")


class NewStudent(NamedTuple):
    """A student of whom something is to be kept."""

    student_id: str
    slot: Slot
    adult_on: date | None
    """The day of the eighteenth birthday, where it is known: from then on the student signs, and no parent."""


@dataclass(frozen=True, slots=True)
class StudentRecord:
    """A student of whom a consent is kept; the row is locked until the transaction ends."""

    id: int
    student_id: str
    feed: FeedId
    pseudonym: Pseudonym
    slot: Slot
    run: Run | None
    next_change: date | None
    adult_on: date | None

    @property
    def standing(self) -> ConsentStanding:
        """What the consents came to at the last look."""
        return ConsentStanding(self.run, self.next_change)


async def lock(connection: AsyncConnection, feed: FeedId, student_ids: Iterable[str]) -> dict[str, StudentRecord]:
    """Those of the students who are kept for the feed, locked, by the district's id."""
    rows = await connection.execute(_LOCK, {"ids": list(student_ids), **feed._asdict()})
    return {row.student_id: _student(row) for row in rows}


async def lock_due(connection: AsyncConnection, limit: int) -> list[StudentRecord]:
    """Students whose consents must be looked at again today, locked."""
    return [_student(row) for row in await connection.execute(_LOCK_DUE, {"limit": limit})]


async def lock_due_of(connection: AsyncConnection, feed: FeedId, student_ids: Iterable[str]) -> list[StudentRecord]:
    """Those of the students whose consents must be looked at again today, locked."""
    given = {"ids": joined(student_ids), **feed._asdict()}
    return [_student(row) for row in await connection.execute(_LOCK_DUE_OF, given)]


async def lock_every_feed(connection: AsyncConnection, student_id: str) -> list[StudentRecord]:
    """The student in every feed, locked."""
    return [_student(row) for row in await connection.execute(_LOCK_EVERY, {"student": student_id})]


async def lock_under(connection: AsyncConnection, agreement: str, limit: int) -> list[StudentRecord]:
    """Students who are kept because of consents to the agreement and of no other that is in force, locked."""
    return [_student(row) for row in await connection.execute(_LOCK_UNDER, {"agreement": agreement, "limit": limit})]


async def count_under(connection: AsyncConnection, agreement: str) -> tuple[int, int]:
    """How many students `lock_under` would find, and how many feeds of them."""
    students, feeds = (await connection.execute(_COUNT_UNDER, {"agreement": agreement})).one()
    return students, feeds


async def any_due_of(connection: AsyncConnection, feed: FeedId, student_ids: Iterable[str]) -> bool:
    """Whether the consents of any of the students must be looked at again today."""
    given = {"ids": joined(student_ids), **feed._asdict()}
    return bool((await connection.execute(_ANY_DUE_OF, given)).scalar_one())


async def feeds_of(connection: AsyncConnection, student_ids: Iterable[str]) -> set[FeedId]:
    """The feeds for which any of the students is kept."""
    return {FeedId(*row) for row in await connection.execute(_FEEDS, {"ids": list(student_ids)})}


async def any_due(connection: AsyncConnection, day: date) -> bool:
    """Whether any student's consents must be looked at again by this day."""
    return bool((await connection.execute(_ANY_DUE, {"day": day})).scalar_one())


async def add(
    connection: AsyncConnection, masters: MasterKeys, feed: FeedId, students: Mapping[Pseudonym, NewStudent]
) -> None:
    """Keep new students for the feed, with a key when it flows; one who is kept already stays as is.

    What their parents asked to correct before, for other feeds, is kept with them.
    """
    await connection.execute(
        _ADD,
        {
            **feed._asdict(),
            "ids": [student.student_id for student in students.values()],
            "pseudonyms": list(students),
            "slots": [student.slot for student in students.values()],
            "adults": [student.adult_on for student in students.values()],
        },
    )
    await corrections.carry(connection, students)
    if not feed.kept_for:
        await keys.add(connection, masters, feed.agency, students)


async def stand(connection: AsyncConnection, changes: Sequence[tuple[int, ConsentStanding]]) -> None:
    """Keep what the students' consents now come to; a changed run is pending for Kafka."""
    runs = [standing.run for _, standing in changes]
    await connection.execute(
        _STAND,
        {
            "ids": [number for number, _ in changes],
            "starts": [run.start if run else None for run in runs],
            "throughs": [run.through if run else None for run in runs],
            "next": [standing.next_change for _, standing in changes],
        },
    )


async def all_due(connection: AsyncConnection) -> None:
    """Everybody's consents must be looked at again: before, nobody passes by them."""
    await connection.execute(_ALL_DUE)


async def adults(connection: AsyncConnection, student_ids: Iterable[str]) -> dict[str, date]:
    """From when those of the students sign by themselves of whom that is kept."""
    return {row.student_id: row.adult_on for row in await connection.execute(_ADULTS, {"ids": list(student_ids)})}


async def grow(connection: AsyncConnection, days: Mapping[str, date]) -> None:
    """Keep from when students sign by themselves, of those who are kept."""
    await connection.execute(_GROWN, {"ids": list(days), "days": list(days.values())})


def _student(row: Row[*tuple[Any, ...]]) -> StudentRecord:
    return StudentRecord(
        row.id,
        row.student_id,
        FeedId(row.agency, row.kept_for),
        Pseudonym(row.pseudonym),
        Slot(row.slot),
        Run(row.consent_from, row.consent_through) if row.consent_from else None,
        row.next_change,
        row.adult_on,
    )
