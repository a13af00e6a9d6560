"""The schema `district`: what is shared beside attendance, as it stands and as it stood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.rows.kinds import RECORD_TABLES, RecordTable
from services.ingest.rows.records import Record, RecordDays, TermRow
from services.ingest.store.arrays import joined
from services.ingest.store.attendance import INSPECTED
from services.ingest.store.record_statements import statements_of

_HAND_IN: Final = text("""
    INSERT INTO district.handed_in AS h (file, first, last)
    SELECT :file, CAST(:moment AS timestamptz), CAST(:moment AS timestamptz)
    WHERE NOT EXISTS (  -- a look takes no lock: one lane waits for another only when it is new
        SELECT FROM district.handed_in WHERE file = :file AND CAST(:moment AS timestamptz) BETWEEN first AND last)
    ON CONFLICT (file) DO UPDATE SET first = least(h.first, excluded.first), last = greatest(h.last, excluded.last)
    WHERE h.first > excluded.first OR h.last < excluded.last
""")

_TERMS: Final = text("SELECT term, start_date, end_date FROM district.terms WHERE term = ANY (CAST(:terms AS text[]))")

_PUT_TERMS: Final = text("""
    INSERT INTO district.terms AS t (term, start_date, end_date, grade_scale_max)
    SELECT * FROM unnest(CAST(:terms AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[]),
                         CAST(:scales AS numeric[]))
    ON CONFLICT (term) DO UPDATE
    SET start_date = excluded.start_date, end_date = excluded.end_date, grade_scale_max = excluded.grade_scale_max
    WHERE (t.start_date, t.end_date, t.grade_scale_max)
          IS DISTINCT FROM (excluded.start_date, excluded.end_date, excluded.grade_scale_max)
    RETURNING term
""")

_OF_TERMS: Final = tuple(
    text(f"""
        UPDATE district.{table} r SET first = t.start_date, last = t.end_date
        FROM district.terms t
        WHERE r.term = t.term AND t.term = ANY (CAST(:terms AS text[])) AND {whose}
    """)  # noqa: S608 -- our own names
    for table, whose in (("grades", "true"), ("courses", "r.start_date IS NULL AND r.end_date IS NULL"))
)

_ENROLLED: Final = text("""
    SELECT student, entry_date, exit_date FROM ingest.enrollments
    WHERE student = ANY (CAST(string_to_array(:students, chr(31)) AS integer[])) AND school_id <> ''
""")

_DROP_UNSHARED: Final = tuple(
    text(f"""
        DELETE FROM district.{name} r
        WHERE NOT EXISTS (
                SELECT FROM ingest.enrollments e
                WHERE e.student = r.student AND e.entry_date <= coalesce(r.last, 'infinity')
                  AND coalesce(e.exit_date, 'infinity') >= coalesce(r.first, '-infinity'))
            AND r.student NOT IN ({INSPECTED})
    """)  # noqa: S608 -- our own names
    for name in RECORD_TABLES
)


Columns = Mapping[str, str]
"""Rows as arrays, one a column, by `columns_of`."""

RecordKey = tuple[object, ...]
"""The district's id of a student, and the values of the table's key."""


class KeptRecord(NamedTuple):
    """A row to be kept of a student, by the number in the feed of its kind."""

    student: int
    row: Record
    days: RecordDays


class Standing(NamedTuple):
    """What stands of a row's key."""

    said_at: datetime
    same: bool
    """Whether it says the same as the row."""


async def hand_in(connection: AsyncConnection, file: str, moment: datetime) -> None:
    """Note that a file of this name was handed in, as of this moment."""
    await connection.execute(_HAND_IN, {"file": file, "moment": moment})


async def put_terms(connection: AsyncConnection, rows: Sequence[TermRow]) -> set[str]:
    """Keep terms, the last row of each, and the days of what is kept of them; returns those that are new or changed."""
    last = {row.term: row for row in rows}.values()
    given = {
        "terms": [row.term for row in last],
        "starts": [row.start_date for row in last],
        "ends": [row.end_date for row in last],
        "scales": [row.grade_scale_max for row in last],
    }
    news = set((await connection.execute(_PUT_TERMS, given)).scalars())
    if news:
        for statement in _OF_TERMS:
            await connection.execute(statement, {"terms": list(news)})
    return news


async def terms(connection: AsyncConnection, named: Collection[str]) -> dict[str, RecordDays]:
    """The days of those of the terms that are known."""
    found = await connection.execute(_TERMS, {"terms": list(named)})
    return {row.term: RecordDays(row.start_date, row.end_date) for row in found}


async def enrolled(
    connection: AsyncConnection, students: Iterable[int]
) -> defaultdict[int, list[tuple[date, date | None]]]:
    """The days at shared schools of these students, by number."""
    found: defaultdict[int, list[tuple[date, date | None]]] = defaultdict(list)
    for student, entry, exit_ in await connection.execute(_ENROLLED, {"students": joined(students)}):
        found[student].append((entry, exit_))
    return found


async def standing(connection: AsyncConnection, table: RecordTable, given: Columns) -> dict[int, Standing]:
    """What stands of the rows' keys, by the rows' places."""
    rows = await connection.execute(statements_of(table).look, given)
    return {row.place - 1: Standing(row.said_at, row.same) for row in rows}


async def put(
    connection: AsyncConnection, table: RecordTable, given: Columns, moment: datetime, run: int, *, replaces: bool
) -> None:
    """Keep rows of locked students, each key once, as said at this moment; what stood before it is closed.

    `replaces` says whether anything stands of their keys.
    """
    said = {**given, "moment": moment, "run": run}
    if replaces:
        await connection.execute(statements_of(table).close, said)
    await connection.execute(statements_of(table).put, said)


async def repeat(connection: AsyncConnection, table: RecordTable, given: Columns, run: int) -> None:
    """Note that this import says what stands."""
    await connection.execute(statements_of(table).repeat, {**given, "run": run})


async def close_others(
    connection: AsyncConnection,
    table: RecordTable,
    said: Collection[RecordKey],
    run: int,
    moment: datetime,
    student_ids: Collection[str] | None,
) -> None:
    """Take back what this import says of these students, None: of all, but for what has one of these keys."""
    columns = zip(*said, strict=True) if said else [()] * (1 + len(table.key))
    keys = dict(zip(("students", *table.key), map(joined, columns), strict=True))
    given = {**keys, "run": run, "moment": moment, "ids": None if student_ids is None else joined(student_ids)}
    await connection.execute(statements_of(table).drop_others, given)
    await connection.execute(statements_of(table).close_others, given)


async def drop_unshared(connection: AsyncConnection) -> None:
    """Delete what lies in no enrollment any more, once those at schools that are not shared are gone.

    What a parent is inspecting stays until that is closed.
    """
    for statement in _DROP_UNSHARED:
        await connection.execute(statement)


def columns_of(table: RecordTable, given: Sequence[KeptRecord]) -> Columns:
    """The rows as arrays, one a column."""
    columns = {
        name: joined(["" if value is None else value for value in map(attrgetter(name), [one.row for one in given])])
        for name in table.fields
    }
    return {
        "students": joined([one.student for one in given]),
        "firsts": joined([one.days.first or "" for one in given]),
        "lasts": joined([one.days.last or "" for one in given]),
        **columns,
    }
