"""What earlier imports said beside attendance, inside what a snapshot speaks of, and this one does not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.rows.kinds import RECORD_TABLES, RecordTable


@dataclass(frozen=True, slots=True)
class WholeRecords:
    """Of what the rows of one import are the whole truth."""

    run: int
    moment: datetime
    schools: Collection[str]
    """Of students with an enrollment at one of them, as far as the row's days lie in it."""
    first: date | None
    last: date | None
    """The days of the import's rows, both inclusive; None: those of their terms, if any."""
    terms: Collection[str]


class StaleRecords(NamedTuple):
    """How many of what stands the import does not say; each once, however many parties get it."""

    stale: int
    standing: int


class _Statements(NamedTuple):
    look: TextClause
    close: TextClause


async def count(connection: AsyncConnection, table: RecordTable, whole: WholeRecords) -> StaleRecords:
    """How many rows stand in it, and how many of them are stale."""
    row = (await connection.execute(_statements_of(table).look, _given(whole))).one()
    return StaleRecords(row.stale, row.standing)


async def close(connection: AsyncConnection, table: RecordTable, whole: WholeRecords) -> None:
    """Take back what is stale: it stands no longer from the import's moment on."""
    await connection.execute(_statements_of(table).close, _given(whole))


@lru_cache(maxsize=len(RECORD_TABLES))
def _statements_of(table: RecordTable) -> _Statements:
    # A row whose days nobody knows is meant where the file says nothing of days at all, or names its term.
    undated = "r.term = ANY (CAST(:terms AS text[]))" if "term" in table.key else "true"
    span = """
        WITH span AS (
            SELECT least(CAST(:first AS date), min(start_date)) AS first,
                   greatest(CAST(:last AS date), max(end_date)) AS last
            FROM district.terms WHERE term = ANY (CAST(:terms AS text[])))
    """
    meant = f"""
        s.id = r.student AND s.consent_from IS NOT NULL AND r.until = 'infinity'
        AND CASE WHEN r.first IS NULL AND r.last IS NULL THEN {undated}
                 ELSE coalesce(r.first, r.last) >= span.first AND coalesce(r.last, r.first) <= span.last END
        AND EXISTS (
            SELECT FROM ingest.enrollments e
            WHERE e.student = r.student AND e.school_id = ANY (CAST(:schools AS text[]))
              AND e.entry_date <= coalesce(r.last, 'infinity')
              AND coalesce(e.exit_date, 'infinity') >= coalesce(r.first, '-infinity'))
    """
    stale = "r.run < CAST(:run AS bigint) AND r.said_at < CAST(:moment AS timestamptz)"
    each = ", ".join(("s.student_id", *(f"r.{name}" for name in table.key)))
    return _Statements(
        look=text(f"""
            {span} SELECT count(*) AS standing, count(*) FILTER (WHERE stale) AS stale FROM (
                SELECT bool_or({stale}) AS stale FROM district.{table.name} r, ingest.students s, span
                WHERE {meant} GROUP BY {each}) AS of_students
        """),  # noqa: S608 -- our own names
        close=text(f"""
            {span} UPDATE district.{table.name} r SET until = CAST(:moment AS timestamptz)
            FROM ingest.students s, span WHERE {meant} AND {stale}
        """),  # noqa: S608 -- our own names
    )


def _given(whole: WholeRecords) -> dict[str, object]:
    return {
        "run": whole.run,
        "moment": whole.moment,
        "schools": list(whole.schools),
        "first": whole.first,
        "last": whole.last,
        "terms": list(whole.terms),
    }
