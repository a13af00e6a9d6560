"""Inspections: opened when a parent asks, counted down, and closed when the record was shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.store import attendance, ledger, records

DAYS: Final = 45
"""The most that may pass until the record is shown (34 CFR 99.10 (b))."""

_COLUMNS: Final = "id, opened_on, due_on, opened_by, closed_on, closed_by"
_OPEN: Final = text("""
    INSERT INTO ingest.inspections (student, pseudonyms, opened_on, due_on, opened_by)
    SELECT :student, CAST(:pseudonyms AS text[]), today, today + CAST(:days AS integer), :by
    FROM ingest.today() AS today
""")
_REUSE: Final = text("""
    UPDATE ingest.inspections
    SET pseudonyms = array(SELECT unnest(pseudonyms) UNION SELECT unnest(CAST(:pseudonyms AS text[])))
    WHERE student = :student AND closed_on IS NULL
""")
_STANDING: Final = text(f"""
    SELECT {_COLUMNS} FROM ingest.inspections WHERE student = :student AND closed_on IS NULL
""")  # noqa: S608 - constants
_ALL: Final = text(f"""
    SELECT {_COLUMNS}, due_on - ingest.today() AS days_left
    FROM ingest.inspections ORDER BY closed_on DESC NULLS FIRST, due_on, id
""")  # noqa: S608 - constants
_CLOSE: Final = text("""
    UPDATE ingest.inspections SET closed_on = ingest.today(), closed_by = :by, pseudonyms = '{}'
    WHERE id = :id AND closed_on IS NULL RETURNING student
""")
_KNOWN: Final = text("SELECT EXISTS (SELECT FROM ingest.inspections WHERE id = :id)")
_IS_OPEN: Final = text("""
    SELECT student FROM ingest.inspections
    WHERE closed_on IS NULL AND student = ANY (CAST(:students AS bytea[]))
""")
_OVERDUE: Final = text("SELECT count(*) FROM ingest.inspections WHERE closed_on IS NULL AND due_on < ingest.today()")


class Inspection(NamedTuple):
    """One inspection, without whose record it is of."""

    id: int
    opened_on: date
    due_on: date
    """By when the record must have been shown."""
    opened_by: str
    closed_on: date | None
    closed_by: str | None


class Countdown(NamedTuple):
    """An inspection, and how many days are left to show the record; negative when it is overdue."""

    inspection: Inspection
    days_left: int

    @property
    def is_overdue(self) -> bool:
        """Whether it is open and its days are over."""
        return self.inspection.closed_on is None and self.days_left < 0


async def open_for(connection: AsyncConnection, student: bytes, pseudonyms: Collection[str], by: str) -> Inspection:
    """The student's open inspection, opened today if there is none.

    `student` is the ledger's digest; `pseudonyms` are those under which something is, or was, kept.

    From the end of the transaction on nothing of the student is destroyed until it is closed.
    """
    await ledger.alone(connection)
    given = {"student": student, "pseudonyms": list(pseudonyms)}
    if not (await connection.execute(_REUSE, given)).rowcount:
        await connection.execute(_OPEN, {**given, "days": DAYS, "by": by})
    return Inspection(*(await connection.execute(_STANDING, {"student": student})).one())


async def close(connection: AsyncConnection, number: int, by: str) -> bytes | None:
    """Close it: the ledger's digest of the student, whose deletion now waits no longer. None when it is not open."""
    await ledger.alone(connection)
    student: bytes | None = await connection.scalar(_CLOSE, {"id": number, "by": by})
    await attendance.drop_unshared(connection)
    await records.drop_unshared(connection)
    return student


async def is_known(connection: AsyncConnection, number: int) -> bool:
    """Whether there is, or was, an inspection of this number."""
    return bool(await connection.scalar(_KNOWN, {"id": number}))


async def all_of_them(connection: AsyncConnection) -> list[Countdown]:
    """Every inspection: the open ones first, by what is due next."""
    return [Countdown(Inspection(*row[:-1]), row[-1]) for row in await connection.execute(_ALL)]


async def inspected(connection: AsyncConnection, students: Collection[bytes]) -> set[bytes]:
    """Those of the students, by the ledger's digest, whose inspection is open; `ledger.alone` holds it so."""
    return {bytes(row.student) for row in await connection.execute(_IS_OPEN, {"students": list(students)})}


async def overdue(connection: AsyncConnection) -> int:
    """How many open inspections are past their day."""
    found: int = (await connection.execute(_OVERDUE)).scalar_one()
    return found
