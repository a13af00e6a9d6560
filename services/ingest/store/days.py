"""School-days: calendar, closes, head counts, and how many are enrolled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.marks import DayCounts
from services.ingest.reporting.head_counts import DayChange, SchoolRoll

Day = tuple[str, date]


def flows(school: str = "school_id") -> str:
    """The condition that something of the school (a column) is live.

    Days of the others are kept, and stay pending: Kafka gets them if that ever changes.
    """
    live = "(SELECT array_agg(l.school_id) FROM ingest.live_schools l)"
    return f"{live} && ARRAY[{school}, '*']"


_ENROLLED = """coalesce((SELECT sum(c.change) FROM ingest.enrolled_changes c
                          WHERE c.school_id = g.school_id AND c.date <= g.date), 0)"""

_COUNT = """
    INSERT INTO ingest.school_days AS d (school_id, date, absent, seen, expected)
    SELECT g.school_id, g.date, g.absent, g.seen, {enrolled}
    FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[]), CAST(:absent AS integer[]), CAST(:seen AS integer[]))
         AS g (school_id, date, absent, seen)
    ORDER BY 1, 2
    ON CONFLICT (school_id, date) DO UPDATE
    SET absent = {absent}, seen = {seen}, expected = excluded.expected,
        close_pending = d.close_pending OR d.reported
            AND (d.absent, d.seen, d.expected) IS DISTINCT FROM ({absent}, {seen}, excluded.expected),
        revision = d.revision + d.reported::integer
    RETURNING school_id, date, absent, seen, expected
"""
_ADD = text(_COUNT.format(enrolled=_ENROLLED, absent="d.absent + excluded.absent", seen="d.seen + excluded.seen"))
_REPLACE = text(_COUNT.format(enrolled=_ENROLLED, absent="excluded.absent", seen="excluded.seen"))

_ROLL_COUNT = text("""
    SELECT school_id, sum(greatest(change, 0)) AS entries FROM ingest.enrolled_changes
    WHERE school_id = ANY (CAST(:schools AS text[])) GROUP BY school_id
""")
_ROLL_CLEAR = text("DELETE FROM ingest.enrolled_changes WHERE school_id = ANY (CAST(:schools AS text[]))")
_ROLL_WRITE = text("""
    INSERT INTO ingest.enrolled_changes (school_id, date, change)
    SELECT * FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[]), CAST(:changes AS integer[]))
    ON CONFLICT (school_id, date) DO UPDATE SET change = excluded.change
""")

_PUT = text(f"""
    INSERT INTO ingest.school_days AS d (school_id, date, instructional, reported, day_pending, close_pending)
    SELECT g.school_id, g.date, g.instructional, g.reported, true, g.reported
    FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[]), CAST(:instructional AS boolean[]),
                CAST(:reported AS boolean[])) AS g (school_id, date, instructional, reported)
    ORDER BY 1, 2
    ON CONFLICT (school_id, date) DO UPDATE
    SET instructional = coalesce(excluded.instructional, d.instructional),
        assumed = d.assumed AND excluded.instructional IS NULL,
        reported = d.reported OR excluded.reported,
        history = d.history AND NOT (excluded.reported AND NOT d.reported),
        day_pending = true,
        close_pending = d.close_pending OR (excluded.reported AND NOT d.reported),
        revision = d.revision + 1
    WHERE (d.day_pending AND {flows("d.school_id")})
       OR (excluded.instructional IS NOT NULL
           AND (d.assumed OR excluded.instructional IS DISTINCT FROM d.instructional))
       OR (excluded.reported AND NOT d.reported)
       OR (excluded.reported AND d.close_pending AND {flows("d.school_id")})
    RETURNING school_id, date
""")  # noqa: S608 -- our own text

_YEAR = "extract(year FROM {}.date - interval '6 months')"  # a school year begins on 1 July

_NOT_ASSUMED = text(f"""
    UPDATE ingest.school_days d
    SET assumed = false, instructional = false, day_pending = true, revision = d.revision + 1
    WHERE d.assumed AND EXISTS (
        SELECT FROM ingest.school_days k
        WHERE k.school_id = d.school_id AND k.instructional IS NOT NULL AND NOT k.assumed
          AND {_YEAR.format("k")} = {_YEAR.format("d")}
          AND k.school_id = ANY (CAST(:schools AS text[])))
""")  # noqa: S608 -- our own text

_ASSUME = text("""
    INSERT INTO ingest.school_days AS d (school_id, date, instructional, assumed, day_pending)
    SELECT g.school_id, g.date, true, true, true
    FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[])) AS g (school_id, date)
    ORDER BY 1, 2
    ON CONFLICT (school_id, date) DO UPDATE
    SET instructional = true, assumed = true, day_pending = true, revision = d.revision + 1
    WHERE d.instructional IS NULL
""")

_KNOWN = text("""
    SELECT school_id, date, instructional IS NOT NULL AND NOT assumed AS in_calendar, reported OR seen > 0 AS reported
    FROM ingest.school_days WHERE school_id = ANY (CAST(:schools AS text[]))
""")

_CLOSE = text(f"""
    INSERT INTO ingest.school_days AS d (school_id, date, reported, history, expected, day_pending, close_pending)
    SELECT g.school_id, g.date, true, g.history, {_ENROLLED}, true, true
    FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[]), CAST(:history AS boolean[]))
         AS g (school_id, date, history)
    ORDER BY 1, 2
    ON CONFLICT (school_id, date) DO UPDATE
    SET day_pending = d.day_pending OR NOT d.reported, reported = true, history = excluded.history,
        expected = excluded.expected, close_pending = true, revision = d.revision + 1
""")  # noqa: S608 -- our own text

_PENDING = text(f"""
    SELECT school_id, date, instructional, assumed, reported, history, absent, seen, expected, revision,
           day_pending, close_pending
    FROM ingest.school_days WHERE (day_pending OR close_pending) AND {flows()} ORDER BY date, school_id LIMIT :limit
""")  # noqa: S608 -- our own text

_SENT = text("""
    UPDATE ingest.school_days d SET day_pending = false, close_pending = false
    FROM unnest(CAST(:schools AS text[]), CAST(:dates AS date[]), CAST(:revisions AS integer[]))
         AS g (school_id, date, revision)
    WHERE d.school_id = g.school_id AND d.date = g.date AND d.revision = g.revision
""")


@dataclass(frozen=True, slots=True)
class DayState:
    """A school-day that Kafka has not got yet, as it is kept."""

    school_id: str
    date: date
    instructional: bool | None
    assumed: bool
    reported: bool
    history: bool
    counts: DayCounts
    revision: int
    day_pending: bool
    close_pending: bool


async def add_counts(connection: AsyncConnection, changes: Iterable[DayChange]) -> dict[Day, DayCounts]:
    """Change the stored sums; returns what they are now.

    A closed day whose sums change is to be closed again: marks carry them only to the partitions of their students.
    """
    now: dict[Day, DayCounts] = {}
    by_kind: dict[bool, list[DayChange]] = {}
    for change in changes:
        by_kind.setdefault(change.fresh, []).append(change)
    for fresh, group in by_kind.items():
        given = {
            "schools": [change.school_id for change in group],
            "dates": [change.date for change in group],
            "absent": [change.absent for change in group],
            "seen": [change.seen for change in group],
        }
        for row in await connection.execute(_REPLACE if fresh else _ADD, given):
            now[row.school_id, row.date] = _counts(row)
    return now


async def put_rolls(connection: AsyncConnection, rolls: Iterable[SchoolRoll]) -> None:
    """Replace each school's enrolled numbers.

    A continuing count starts from nothing at each start of the service: it replaces what is stored
    only once it has seen as many entries.
    """
    given = {roll.school_id: roll for roll in rolls}
    found = await connection.execute(_ROLL_COUNT, {"schools": list(given)})
    known = {row.school_id: row.entries for row in found}
    taken = {s: roll for s, roll in given.items() if roll.fresh or roll.entries >= known.get(s, 0)}
    if not taken:
        return
    await connection.execute(_ROLL_CLEAR, {"schools": list(taken)})
    changes = [(school, day, change) for school, roll in taken.items() for day, change in roll.changes.items()]
    await connection.execute(
        _ROLL_WRITE,
        {
            "schools": [school for school, _, _ in changes],
            "dates": [day for _, day, _ in changes],
            "changes": [change for _, _, change in changes],
        },
    )


async def put_days(connection: AsyncConnection, days: Mapping[Day, tuple[bool | None, bool]]) -> set[Day]:
    """Keep each day's (instructional, reported); returns those that were news or that Kafka lacks."""
    given = {
        "schools": [school for school, _ in days],
        "dates": [day for _, day in days],
        "instructional": [instructional for instructional, _ in days.values()],
        "reported": [reported for _, reported in days.values()],
    }
    news = {(row.school_id, row.date) for row in await connection.execute(_PUT, given)}
    await connection.execute(_NOT_ASSUMED, {"schools": sorted({school for school, _ in days})})
    return news


@dataclass(slots=True)
class KnownDays:
    """What a school said so far: the days of its calendar, and those that it reported."""

    calendar: set[date] = field(default_factory=set)
    reported: set[date] = field(default_factory=set)


async def known(connection: AsyncConnection, schools: Collection[str]) -> dict[str, KnownDays]:
    """What these schools said so far."""
    found = {school: KnownDays() for school in schools}
    for row in await connection.execute(_KNOWN, {"schools": list(schools)}):
        if row.in_calendar:
            found[row.school_id].calendar.add(row.date)
        if row.reported:
            found[row.school_id].reported.add(row.date)
    return found


async def assume(connection: AsyncConnection, days: Collection[Day]) -> None:
    """Take these for school days, until a calendar says otherwise; what one says already stands."""
    await connection.execute(_ASSUME, {"schools": [school for school, _ in days], "dates": [day for _, day in days]})


async def close(connection: AsyncConnection, closes: Collection[tuple[str, date, bool]]) -> None:
    """Note that these school-days are closed; the third says whether it is part of a history."""
    given = {
        "schools": [school for school, _, _ in closes],
        "dates": [day for _, day, _ in closes],
        "history": [history for _, _, history in closes],
    }
    await connection.execute(_CLOSE, given)


async def pending(connection: AsyncConnection, limit: int) -> list[DayState]:
    """School-days that Kafka is to have and has not got yet, the oldest first."""
    rows = await connection.execute(_PENDING, {"limit": limit})
    return [
        DayState(
            row.school_id,
            row.date,
            row.instructional,
            row.assumed,
            row.reported,
            row.history,
            _counts(row),
            row.revision,
            row.day_pending,
            row.close_pending,
        )
        for row in rows
    ]


async def sent(connection: AsyncConnection, days: Sequence[DayState]) -> None:
    """Kafka has these; one that changed meanwhile stays pending."""
    given = {
        "schools": [day.school_id for day in days],
        "dates": [day.date for day in days],
        "revisions": [day.revision for day in days],
    }
    await connection.execute(_SENT, given)


def _counts(row: Row[tuple[object, ...]]) -> DayCounts:
    return DayCounts(
        school_id=row.school_id, date=row.date, absent=row.absent, reported=row.seen, expected=row.expected
    )
