"""Parents' requests to correct the record: kept beside it, and shown with it for as long as it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.store.arrays import joined

Decision = Literal["amended", "refused"]

_ASK: Final = text("""
    WITH asked AS (SELECT nextval('ingest.correction_numbers') AS number),
    kept AS (
        INSERT INTO ingest.corrections (student, number, about, statement, asked_on)
        SELECT s.id, asked.number, :about, :statement, ingest.today()
        FROM ingest.students s CROSS JOIN asked WHERE s.student_id = :student AND NOT s.held
        RETURNING number)
    SELECT DISTINCT number FROM kept
""")
_DECIDE: Final = text("""
    UPDATE ingest.corrections SET decided_on = ingest.today(), decision = :decision, note = :note
    WHERE number = :number RETURNING number
""")
_WHOSE: Final = text("""
    SELECT s.pseudonym FROM ingest.corrections c JOIN ingest.students s ON s.id = c.student WHERE c.number = :number
""")
_CARRY: Final = text("""
    INSERT INTO ingest.corrections (student, number, about, statement, asked_on, decided_on, decision, note)
    SELECT DISTINCT new.id, c.number, c.about, c.statement, c.asked_on, c.decided_on, c.decision, c.note
    FROM ingest.students new
    JOIN ingest.students other ON other.student_id = new.student_id AND other.id <> new.id AND NOT other.held
    JOIN ingest.corrections c ON c.student = other.id
    WHERE new.pseudonym = ANY (string_to_array(:pseudonyms, chr(31)))
    ON CONFLICT DO NOTHING
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


async def carry(connection: AsyncConnection, pseudonyms: Iterable[str]) -> None:
    """Keep with these feeds, which are new, what was asked of their students before."""
    await connection.execute(_CARRY, {"pseudonyms": joined(pseudonyms)})


async def pseudonyms_of(connection: AsyncConnection, number: int) -> list[str]:
    """Under which the student of a request is known."""
    return list(await connection.scalars(_WHOSE, {"number": number}))
