"""Schools, and what is kept of consented students: name, grade, household, enrollments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import HouseholdPseudonym
from services.ingest.rows.parse import SchoolRow

_SCHOOLS = text("""
    INSERT INTO ingest.schools AS s (school_id, name, campus, timezone)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[]), CAST(:campuses AS text[]),
                         CAST(:timezones AS text[]))
    ON CONFLICT (school_id) DO UPDATE
    SET name = excluded.name, campus = excluded.campus, timezone = excluded.timezone
    WHERE (s.name, s.campus, s.timezone) IS DISTINCT FROM (excluded.name, excluded.campus, excluded.timezone)
    RETURNING school_id
""")

_LOCK = text("""
    SELECT id FROM ingest.students
    WHERE id = ANY (CAST(:ids AS integer[])) AND consent_from IS NOT NULL ORDER BY id FOR UPDATE
""")

_NAMES = text("""
    UPDATE ingest.students s
    SET first_name = coalesce(g.first_name, s.first_name), last_name = coalesce(g.last_name, s.last_name),
        grade = coalesce(g.grade, s.grade), household = coalesce(g.household, s.household),
        revision = s.revision + 1,
        enrollment_pending = s.enrollment_pending
            OR (coalesce(g.grade, s.grade), coalesce(g.household, s.household))
               IS DISTINCT FROM (s.grade, s.household)
    FROM unnest(CAST(:ids AS integer[]), CAST(:firsts AS text[]), CAST(:lasts AS text[]),
                CAST(:grades AS text[]), CAST(:households AS text[]))
         AS g (id, first_name, last_name, grade, household)
    WHERE s.id = g.id
      AND (coalesce(g.first_name, s.first_name), coalesce(g.last_name, s.last_name),
           coalesce(g.grade, s.grade), coalesce(g.household, s.household))
          IS DISTINCT FROM (s.first_name, s.last_name, s.grade, s.household)
    RETURNING s.id
""")

_SPANS = text("""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:students AS integer[]), CAST(:schools AS text[]), CAST(:entries AS date[]),
                             CAST(:exits AS date[]), CAST(:calendars AS text[]))
                      AS g (student, school_id, entry_date, exit_date, calendar)
    ), held AS (  -- of two of one import with the same entry the longer holds
        SELECT g.student, g.school_id, g.entry_date, g.calendar,
               CASE WHEN e.said_in = CAST(:run AS bigint) THEN nullif(greatest(coalesce(g.exit_date, 'infinity'),
                                                               coalesce(e.exit_date, 'infinity')), 'infinity')
                    ELSE g.exit_date END AS exit_date,
               e.student IS NULL AS is_new, e.exit_date AS old_exit, e.calendar AS old_calendar
        FROM given g LEFT JOIN ingest.enrollments e USING (student, school_id, entry_date)
        WHERE g.exit_date IS NULL OR g.exit_date >= g.entry_date
    ), kept AS (
        INSERT INTO ingest.enrollments AS e (student, school_id, entry_date, exit_date, calendar, said_in)
        SELECT student, school_id, entry_date, exit_date, calendar, CAST(:run AS bigint) FROM held
        ON CONFLICT (student, school_id, entry_date) DO UPDATE
        SET exit_date = excluded.exit_date, calendar = excluded.calendar, said_in = excluded.said_in
    ), gone AS (  -- what earlier imports said of the student there
        DELETE FROM ingest.enrollments e USING (SELECT DISTINCT student, school_id FROM given) g
        WHERE ((e.student, e.school_id) = (g.student, g.school_id) AND e.said_in < CAST(:run AS bigint)
               OR e.student = g.student AND e.school_id = '' AND e.entry_date IN (  -- it is shared now
                   SELECT s.entry_date FROM given s WHERE s.student = e.student AND s.school_id <> ''))
          AND NOT EXISTS (SELECT FROM held h
                          WHERE (h.student, h.school_id, h.entry_date) = (e.student, e.school_id, e.entry_date))
        RETURNING e.student
    ), news AS (
        SELECT student, school_id, entry_date FROM held
        WHERE is_new OR (exit_date, calendar) IS DISTINCT FROM (old_exit, old_calendar)
    ), told AS (
        UPDATE ingest.students s SET enrollment_pending = true, revision = revision + 1
        WHERE id IN (SELECT student FROM news UNION SELECT student FROM gone)
    )
    SELECT student, school_id, entry_date FROM news
""")

_DROP = text("""
    WITH gone AS (
        DELETE FROM ingest.enrollments e
        USING unnest(CAST(:students AS text[]), CAST(:schools AS text[]), CAST(:entries AS date[]))
              AS g (student_id, school_id, entry_date), ingest.students s
        WHERE s.student_id = g.student_id AND e.student = s.id AND e.entry_date = g.entry_date
          AND e.school_id IN (g.school_id, '')
        RETURNING e.student
    )
    UPDATE ingest.students SET enrollment_pending = true, revision = revision + 1
    WHERE id IN (SELECT student FROM gone)
""")

_CALENDARS = text("SELECT DISTINCT school_id, calendar FROM ingest.enrollments WHERE calendar IS NOT NULL")

_CLAIM = text("""
    UPDATE ingest.enrollments e SET said_in = - CAST(:run AS bigint)
    FROM unnest(CAST(:students AS text[]), CAST(:schools AS text[]), CAST(:entries AS date[]))
         AS g (student_id, school_id, entry_date), ingest.students s
    WHERE s.student_id = g.student_id AND e.student = s.id AND e.entry_date = g.entry_date
      AND e.school_id = g.school_id AND e.said_in IS NULL
""")

_CLAIMED = text("""
    SELECT s.student_id, e.school_id, e.entry_date
    FROM ingest.enrollments e JOIN ingest.students s ON s.id = e.student WHERE e.said_in = - CAST(:run AS bigint)
""")


@dataclass(frozen=True, slots=True)
class Person:
    """What a student's row says; None is unknown and changes nothing."""

    student: int
    first_name: str | None
    last_name: str | None
    grade: str | None
    household: HouseholdPseudonym | None


@dataclass(frozen=True, slots=True)
class RosterSpan:
    """One enrollment; the same student, school and entry date is the same one."""

    student: int
    school_id: str
    entry_date: date
    exit_date: date | None
    """A day before the entry says that the student never came."""
    calendar: str | None


class SpanKey(NamedTuple):
    """What makes an enrollment one, by the district's id of the student."""

    student_id: str
    school_id: str
    entry_date: date


async def lock(connection: AsyncConnection, ids: Iterable[int]) -> set[int]:
    """Those of the students who still have a consent, locked until the transaction ends."""
    return set((await connection.execute(_LOCK, {"ids": list(ids)})).scalars())


async def put_persons(connection: AsyncConnection, people: Collection[Person]) -> set[int]:
    """Keep what is said of locked students, each once; returns those for whom it was news."""
    given = {
        "ids": [person.student for person in people],
        "firsts": [person.first_name for person in people],
        "lasts": [person.last_name for person in people],
        "grades": [person.grade for person in people],
        "households": [person.household for person in people],
    }
    return set((await connection.execute(_NAMES, given)).scalars())


async def put_spans(
    connection: AsyncConnection, spans: Collection[RosterSpan], run: int | None
) -> set[tuple[int, str, date]]:
    """Keep enrollments of locked students, each key once; returns the keys of those that were news.

    Those of an import (its `run`, which is higher than those of earlier ones) replace what earlier imports said of
    the student at the school.
    """
    given = {
        "students": [span.student for span in spans],
        "schools": [span.school_id for span in spans],
        "entries": [span.entry_date for span in spans],
        "exits": [span.exit_date for span in spans],
        "calendars": [span.calendar for span in spans],
        "run": run,
    }
    return {(row.student, row.school_id, row.entry_date) for row in await connection.execute(_SPANS, given)}


async def drop_spans(connection: AsyncConnection, spans: Collection[SpanKey]) -> None:
    """Delete these enrollments; one at a school that is not shared is known by its entry date alone."""
    await connection.execute(_DROP, _keys(spans))


async def claim_spans(connection: AsyncConnection, spans: Collection[SpanKey], run: int) -> None:
    """Note that the pull of this run says these, which no import said since; any import counts as later."""
    await connection.execute(_CLAIM, {**_keys(spans), "run": run})


async def spans_of(connection: AsyncConnection, run: int) -> set[SpanKey]:
    """The enrollments that the pull of this run says."""
    return {SpanKey(*row) for row in await connection.execute(_CLAIMED, {"run": run})}


async def calendars(connection: AsyncConnection) -> set[tuple[str, str]]:
    """The calendars that enrollments name: school and code."""
    return {(row.school_id, row.calendar) for row in await connection.execute(_CALENDARS)}


async def put_schools(connection: AsyncConnection, rows: Sequence[SchoolRow]) -> set[str]:
    """Keep the schools, the last row of each; returns the ids of those that are new or changed."""
    last = {row.school_id: row for row in rows}.values()
    given = {
        "ids": [row.school_id for row in last],
        "names": [row.name for row in last],
        "campuses": [row.campus for row in last],
        "timezones": [row.timezone for row in last],
    }
    return set((await connection.execute(_SCHOOLS, given)).scalars())


def _keys(spans: Collection[SpanKey]) -> dict[str, object]:
    return {
        "students": [span.student_id for span in spans],
        "schools": [span.school_id for span in spans],
        "entries": [span.entry_date for span in spans],
    }
