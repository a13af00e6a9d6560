"""Single marks that a source does not say any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.store.stale_marks import Stale, again, stale_of

_GIVEN = """
    SELECT student_id, date, school_id, section, array_agg(code) AS codes
    FROM unnest(CAST(:students AS text[]), CAST(:dates AS date[]), CAST(:schools AS text[]),
                CAST(:sections AS text[]), CAST(:codes AS smallint[])) AS u (student_id, date, school_id, section, code)
    GROUP BY 1, 2, 3, 4
"""

_IS_GONE = "t.by_import AND t.code = ANY (g.codes)"

_FIND = text(f"""
    WITH g AS MATERIALIZED ({_GIVEN})
    SELECT t.student, s.student_id, s.pseudonym, s.slot, s.kept_for = '' AS live, t.school_id, t.date, t.section,
           max(t.moment) FILTER (WHERE {_IS_GONE}) AS stale_at,
           (array_agg(t.code ORDER BY t.moment DESC, t.code DESC) FILTER (WHERE NOT ({_IS_GONE})))[1] AS kept_code,
           max(t.moment) FILTER (WHERE NOT ({_IS_GONE})) AS kept_at
    FROM g
    JOIN ingest.students s ON s.student_id = g.student_id AND s.consent_from IS NOT NULL
    JOIN ingest.taken t
      ON t.student = s.id AND (t.date, t.school_id, t.section) = (g.date, g.school_id, g.section)
    GROUP BY t.student, s.student_id, s.pseudonym, s.slot, s.kept_for, t.school_id, t.date, t.section
    HAVING bool_or({_IS_GONE})
""")  # noqa: S608 -- our own text

_FORGET = text(f"""
    WITH g AS MATERIALIZED ({_GIVEN})
    DELETE FROM ingest.taken t USING g, ingest.students s
    WHERE s.student_id = g.student_id AND t.student = s.id
      AND (t.date, t.school_id, t.section) = (g.date, g.school_id, g.section) AND {_IS_GONE}
""")  # noqa: S608 -- our own text

_SAID_IN = text("""
    SELECT s.student_id, t.date, t.school_id, t.section, t.code
    FROM ingest.taken t JOIN ingest.students s ON s.id = t.student
    WHERE t.by_import AND t.taken = :run AND t.code IS NOT NULL AND t.code <> :retracted
""")


class UnsaidMark(NamedTuple):
    """What a source said of a student, day, school and section (empty: the whole day): a code of `models.attendance`"""

    student_id: str
    date: date
    school_id: str
    section: str
    code: int


async def find(connection: AsyncConnection, marks: Sequence[UnsaidMark]) -> list[Stale]:
    """What an import said of these, with what stands without it."""
    return [stale_of(row) for row in await connection.execute(_FIND, _given(marks))]


async def forget(connection: AsyncConnection, marks: Sequence[UnsaidMark], stale: Sequence[Stale]) -> None:
    """No import says these marks any more; what stays was said again a moment after them."""
    await connection.execute(_FORGET, _given(marks))
    await again(connection, stale)


async def said_in(connection: AsyncConnection, run: int, retracted: int) -> AsyncIterator[UnsaidMark]:
    """Every mark that this import says."""
    found = await connection.stream(_SAID_IN, {"run": run, "retracted": retracted})
    async for row in found:
        yield UnsaidMark(row.student_id, row.date, row.school_id, row.section, row.code)


def _given(marks: Sequence[UnsaidMark]) -> dict[str, object]:
    return {
        "students": [one.student_id for one in marks],
        "dates": [one.date for one in marks],
        "schools": [one.school_id for one in marks],
        "sections": [one.section for one in marks],
        "codes": [one.code for one in marks],
    }
