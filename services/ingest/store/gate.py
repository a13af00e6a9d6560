"""Who may pass now. Nothing is cached: several processes write, and a withdrawal works at once everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym, Slot
from services.ingest.agreement.document import FeedId
from services.ingest.consent.in_force import Run
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.rows.outcomes import WhyNot
from services.ingest.store.arrays import joined
from services.platform.keys.master import WrappedKey

CONSENT_IN_FORCE: Final = """
    NOT s.held AND s.consent_from <= (SELECT ingest.today())
    AND (s.consent_through IS NULL OR s.consent_through >= (SELECT ingest.today()))
    AND (s.next_change IS NULL OR s.next_change > (SELECT ingest.today()))
"""
"""Of `s`, a row of ingest.students: whether its consent is in force today."""

_IN_FORCE = text(f"""
    SELECT s.student_id, s.id, s.pseudonym, s.slot, s.consent_from, s.consent_through, k.master, k.wrapped
    FROM ingest.students s LEFT JOIN erasure.keys k USING (pseudonym)
    WHERE s.student_id = ANY (string_to_array(:ids, chr(31))) AND (s.agency, s.kept_for) = (:agency, :kept_for)
      AND {CONSENT_IN_FORCE}
""")  # noqa: S608 -- our own text

_TO_COME = text("""
    SELECT student_id FROM ingest.students
    WHERE student_id = ANY (string_to_array(:ids, chr(31))) AND (agency, kept_for) = (:agency, :kept_for)
      AND NOT held AND next_change IS NOT NULL
""")

_ENDED = text("""
    SELECT DISTINCT ON (student) student, because FROM erasure.ledger
    WHERE student = ANY (CAST(:digests AS bytea[])) AND recipient IN (:agency, '*')
      AND (kept_for = :kept_for OR pseudonym IS NULL AND kept_for IN (:purpose, ''))
      AND (records = '{}' OR :kind = ANY (records)) AND ended_on <= (SELECT ingest.today())
    ORDER BY student, at DESC
""")

_TODAY = text("SELECT ingest.today()")
_TIMEZONES = text("SELECT school_id, timezone FROM ingest.schools WHERE timezone IS NOT NULL")


async def in_force(
    connection: AsyncConnection, feed: FeedId, student_ids: Iterable[str]
) -> dict[str, ConsentedStudent]:
    """Those of the students whose consent for this feed is in force today, by the district's id."""
    rows = await connection.execute(_IN_FORCE, {"ids": joined(student_ids), **feed._asdict()})
    return {
        student_id: ConsentedStudent(
            number,
            Pseudonym(pseudonym),
            Slot(slot),
            Run(start, through),
            WrappedKey(master, wrapped) if master else None,
        )
        for student_id, number, pseudonym, slot, start, through, master, wrapped in rows.all()
    }


async def why_not(connection: AsyncConnection, feed: FeedId, digests: Mapping[str, bytes]) -> dict[str, WhyNot]:
    """Why none of these students has a consent for this feed that is in force today, as far as it is known.

    By the district's ids, which are given with their digests in the ledger.
    """
    to_come = set(await connection.scalars(_TO_COME, {"ids": joined(digests), **feed._asdict()}))
    given = {"digests": list(digests.values()), "purpose": feed.purpose, "kind": feed.kind, **feed._asdict()}
    ended = await connection.execute(_ENDED, given)
    because = {bytes(row.student): row.because for row in ended}
    found: dict[str, WhyNot] = {}
    for student_id, digest in digests.items():
        if student_id in to_come:
            found[student_id] = "not_yet"
        elif digest in because:
            found[student_id] = "withdrawn" if because[digest] in {"withdrawn", "destroyed"} else "ended"
    return found


async def today(connection: AsyncConnection) -> date:
    """Today by the one clock: the replayed day, else the district's date."""
    day: date = (await connection.execute(_TODAY)).scalar_one()
    return day


async def timezones(connection: AsyncConnection) -> dict[str, str]:
    """The timezones of the schools that have one of their own."""
    return {row.school_id: row.timezone for row in await connection.execute(_TIMEZONES)}
