"""Reading who may see a student and who was shown something."""

from __future__ import annotations

from datetime import UTC, date
from typing import Final, NamedTuple

from sqlalchemy import exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.casework.access.schemas import HasLooked, MaySee
from services.casework.history.visible import consented_to, visible_to
from services.casework.people import READERS
from services.casework.tables import AlertRow
from services.platform.audit.entry import ALLOWED
from services.platform.consent import consented_students, may_be_shown
from services.platform.identity.caller import OF_AN_AGENCY, Caller

_DISCLOSURE: Final = text("""
    SELECT id || '/' || version || ' ' || purpose
    FROM ingest.agreement_in_force CROSS JOIN ingest.live_purposes WHERE agency = :agency
""")

_LOOKED: Final = text("""
    SELECT at, subject, role, action FROM audit.entries
    WHERE students @> ARRAY[CAST(:student AS text)] AND outcome = :allowed AND role <> 'service'
    ORDER BY at DESC, entry DESC LIMIT :limit
""")

_ERASED: Final = text("SELECT EXISTS (SELECT FROM erasure.ledger WHERE pseudonym = :student)")


class ShownStudent(NamedTuple):
    """A student whom the caller may see."""

    agency: str
    consent: date
    """Since when it is in force."""


async def find_consented(session: AsyncSession, caller: Caller, student: str) -> ShownStudent | None:
    """The student whom the caller may see, or None. Who is held to schools needs an alert at one of them."""
    query = select(consented_students.c.agency, consented_students.c.consent_from)
    query = query.where(consented_students.c.pseudonym == student, consented_to(caller))
    if caller.schools is not None:
        shown = may_be_shown(AlertRow.student, AlertRow.school_id)
        query = query.where(exists().where(AlertRow.student == student, shown, visible_to(caller)))
    found = (await session.execute(query)).one_or_none()
    return None if found is None else ShownStudent(*found)


async def was_erased(session: AsyncSession, student: str) -> bool:
    """Whether there was such a student, whose consent ended."""
    return bool(await session.scalar(_ERASED, {"student": student}))


async def who_may(session: AsyncSession, known: ShownStudent) -> list[MaySee]:
    """The roles that may see the student."""
    disclosure: str | None = await session.scalar(_DISCLOSURE, {"agency": known.agency})
    return [
        MaySee(role=role, agency=known.agency, disclosure=disclosure, consent=known.consent)
        if role in OF_AN_AGENCY
        else MaySee(role=role, agency=None, disclosure=None, consent=None)
        for role in READERS
    ]


async def who_looked(session: AsyncSession, student: str, limit: int) -> list[HasLooked]:
    """Who was shown something of the student, the latest first; what flows to a feed is shown to nobody yet."""
    found = await session.execute(_LOOKED, {"student": student, "allowed": ALLOWED, "limit": limit})
    looked = [HasLooked.model_validate(row) for row in found]
    return [one.model_copy(update={"at": one.at.astimezone(UTC)}) for one in looked]
