"""What imports said inside the spans of a snapshot: what still stands, and what is to be taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym, Slot

_GIVEN = """
    unnest(CAST(:schools AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[])) AS g (school_id, first, last)
    JOIN ingest.taken t ON t.school_id = g.school_id AND t.date BETWEEN g.first AND g.last
    JOIN ingest.students s ON s.id = t.student AND s.consent_from IS NOT NULL
    JOIN ingest.shared_schools d
      ON (d.agency, d.kept_for) = (s.agency, s.kept_for) AND d.school_id IN (t.school_id, '*')
"""

_STANDING = text(f"""
    SELECT count(*) FROM (
        SELECT DISTINCT s.student_id, t.date, t.school_id, t.section FROM {_GIVEN}
        WHERE (t.by_import OR :http) AND t.code <> :retracted) AS marks
""")  # noqa: S608 -- our own text

_IS_STALE = "CASE WHEN t.by_import THEN t.taken < :run ELSE :http AND t.moment < :as_of END"

_STALE = text(f"""
    SELECT t.student, s.student_id, s.pseudonym, s.slot, s.kept_for = '' AS live, t.school_id, t.date, t.section,
           max(t.moment) FILTER (WHERE {_IS_STALE}) AS stale_at,
           (array_agg(t.code ORDER BY t.moment DESC, t.code DESC) FILTER (WHERE NOT {_IS_STALE}))[1] AS kept_code,
           max(t.moment) FILTER (WHERE NOT {_IS_STALE}) AS kept_at
    FROM {_GIVEN}
    GROUP BY t.student, s.student_id, s.pseudonym, s.slot, s.kept_for, t.school_id, t.date, t.section
    HAVING bool_or({_IS_STALE} AND t.code <> :retracted)
""")  # noqa: S608 -- our own text

_FORGET = text(f"""
    DELETE FROM ingest.taken t
    USING unnest(CAST(:students AS integer[]), CAST(:dates AS date[]), CAST(:schools AS text[]),
                 CAST(:sections AS text[])) AS g (student, date, school_id, section)
    WHERE (t.student, t.date, t.school_id, t.section) = (g.student, g.date, g.school_id, g.section)
      AND {_IS_STALE}
""")  # noqa: S608 -- our own text

_SAID_AGAIN = text("""
    UPDATE ingest.taken t SET moment = g.stale_at + 1
    FROM unnest(CAST(:students AS integer[]), CAST(:dates AS date[]), CAST(:schools AS text[]),
                CAST(:sections AS text[]), CAST(:codes AS smallint[]), CAST(:stale AS bigint[]))
         AS g (student, date, school_id, section, code, stale_at)
    WHERE (t.student, t.date, t.school_id, t.section, t.code)
          = (g.student, g.date, g.school_id, g.section, g.code) AND t.moment <= g.stale_at
""")

_CLEAR_COUNTS = text("""
    UPDATE ingest.school_days d
    SET absent = 0, seen = 0, close_pending = d.close_pending OR d.reported, revision = d.revision + 1
    FROM unnest(CAST(:schools AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]))
         AS g (school_id, first, last)
    WHERE d.school_id = g.school_id AND d.date BETWEEN g.first AND g.last AND (d.seen > 0 OR d.absent > 0)
      AND (d.school_id, d.date) NOT IN
          (SELECT * FROM unnest(CAST(:seen_schools AS text[]), CAST(:seen_dates AS date[])))
""")


@dataclass(frozen=True, slots=True)
class SchoolSpan:
    """The days of a school of which some files are the whole truth, both ends inclusive."""

    school_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Stale:
    """What was said and is no longer; moments are microseconds since 1970."""

    student: int
    student_id: str
    pseudonym: Pseudonym
    slot: Slot
    live: bool
    school_id: str
    date: date
    section: str
    stale_at: int
    """When what is to be taken back was last said."""
    kept_code: int | None
    """What is said besides and stays, by HTTP or in another row of the import; None without any."""
    kept_at: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """Which import's files are the whole truth, and whether of HTTP's older marks too."""

    run: int
    as_of: int
    """Microseconds since 1970."""
    http: bool


async def standing(connection: AsyncConnection, spans: Collection[SchoolSpan], whole: Whole, retracted: int) -> int:
    """How many marks stand in the spans, each once, however many parties get it."""
    given = {**_columns(spans), "http": whole.http, "retracted": retracted}
    number: int = (await connection.execute(_STANDING, given)).scalar_one()
    return number


async def stale(
    connection: AsyncConnection, spans: Collection[SchoolSpan], whole: Whole, retracted: int
) -> list[Stale]:
    """What earlier imports said in the spans and this one does not."""
    given = {
        **_columns(spans),
        "run": whole.run,
        "as_of": whole.as_of,
        "http": whole.http,
        "retracted": retracted,
    }
    return [stale_of(row) for row in await connection.execute(_STALE, given)]


def stale_of(row: Row[tuple[object, ...]]) -> Stale:
    """What a row says that has these columns."""
    return Stale(
        row.student,
        row.student_id,
        Pseudonym(row.pseudonym),
        Slot(row.slot),
        row.live,
        row.school_id,
        row.date,
        row.section,
        row.stale_at,
        row.kept_code,
        row.kept_at,
    )


async def forget(connection: AsyncConnection, marks: Sequence[Stale], whole: Whole) -> None:
    """What was taken back is no longer what an import says; what stays was said again a moment after it."""
    given = {**_keys(marks), "run": whole.run, "http": whole.http, "as_of": whole.as_of}
    await connection.execute(_FORGET, given)
    await again(connection, marks)


async def again(connection: AsyncConnection, marks: Sequence[Stale]) -> None:
    """What stays of these was said again, a moment after what was taken back."""
    kept = {"codes": [mark.kept_code for mark in marks], "stale": [mark.stale_at for mark in marks]}
    await connection.execute(_SAID_AGAIN, {**_keys(marks), **kept})


def _keys(marks: Sequence[Stale]) -> dict[str, object]:
    return {
        "students": [mark.student for mark in marks],
        "dates": [mark.date for mark in marks],
        "schools": [mark.school_id for mark in marks],
        "sections": [mark.section for mark in marks],
    }


async def clear_counts(
    connection: AsyncConnection, spans: Collection[SchoolSpan], seen: Iterable[tuple[str, date]]
) -> None:
    """Nobody was seen on the days of the spans that are not among those `seen`."""
    days = list(seen)
    given = {"seen_schools": [school for school, _ in days], "seen_dates": [day for _, day in days]}
    await connection.execute(_CLEAR_COUNTS, {**_columns(spans), **given})


def _columns(spans: Collection[SchoolSpan]) -> dict[str, list[str] | list[date]]:
    return {
        "schools": [span.school_id for span in spans],
        "firsts": [span.first for span in spans],
        "lasts": [span.last for span in spans],
    }
