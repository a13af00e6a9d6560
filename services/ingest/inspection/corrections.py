"""Parents' requests to correct the record: kept beside it, and shown with it for as long as it is kept."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Decision = Literal["amended", "refused"]

_ASK: Final = text("""
    WITH asked AS (SELECT nextval('ingest.correction_numbers') AS number),
    kept AS (
        INSERT INTO ingest.corrections (student, number, about, statement, asked_on)
        SELECT s.id, asked.number, :about, :statement, ingest.today()
        FROM ingest.students s CROSS JOIN asked WHERE s.student_id = :student
        RETURNING number)
    SELECT DISTINCT number FROM kept
""")
_DECIDE: Final = text("""
    UPDATE ingest.corrections SET decided_on = ingest.today(), decision = :decision, note = :note
    WHERE number = :number RETURNING number
""")


async def ask(connection: AsyncConnection, student_id: str, statement: str, about: date | None) -> int | None:
    """Keep a parent's statement with every feed of the student: its number, or None when nothing is kept of such a
    student. `about` is the day in question; None is the whole record.
    """
    given = {"student": student_id, "statement": statement, "about": about}
    number: int | None = await connection.scalar(_ASK, given)
    return number


async def decide(connection: AsyncConnection, number: int, decision: Decision, note: str | None) -> bool:
    """Say what was decided of a request, and why; whether there is one of this number. The last word counts."""
    given = {"number": number, "decision": decision, "note": note}
    return (await connection.execute(_DECIDE, given)).rowcount > 0
