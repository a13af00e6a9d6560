"""What parents ask to correct, shown with the window (34 CFR 99.20): ingest's view, as far as a consent is in force."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_STATEMENTS: Final = text("""
    SELECT number, about, statement, asked_on, decided_on, decision, note
    FROM ingest.statements WHERE pseudonym = :student ORDER BY number
""")


class Statement(BaseModel):
    """A parent's request to correct the record, in the parent's words."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    about: date | None
    """The day that it is about; null: the whole record."""
    statement: str
    asked_on: date
    decided_on: date | None
    decision: str | None
    """`amended` or `refused`; null: not decided yet."""
    note: str | None


async def statements_of(session: AsyncSession, student: str) -> list[Statement]:
    """What was asked of the student's record, the oldest first."""
    return [Statement.model_validate(row) for row in await session.execute(_STATEMENTS, {"student": student})]
