"""The demographics of students whose consent covers them, as they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.rows.kinds import DEMOGRAPHICS
from services.ingest.rows.records import group_word
from services.ingest.store.gate import CONSENT_IN_FORCE

_DESCRIBED: Final = text(f"""
    SELECT DISTINCT ON (s.student_id) s.student_id, r.gender, r.race_ethnicity, r.english_learner, r.special_education
    FROM ingest.students s JOIN district.demographics r ON r.student = s.id AND r.until = 'infinity'
    JOIN (SELECT DISTINCT agency, kept_for FROM ingest.shared_schools) d USING (agency, kept_for)
    WHERE s.student_id = ANY (CAST(:ids AS text[])) AND s.kept_for LIKE 'demographics:%' AND {CONSENT_IN_FORCE}
    ORDER BY s.student_id, r.said_at DESC
""")  # noqa: S608 -- our own text


async def described_among(connection: AsyncConnection, student_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """The groups of those of the students whose consent to demographics is in force; the connection is ingest's."""
    rows = await connection.execute(_DESCRIBED, {"ids": sorted(student_ids)})
    return {row.student_id: {name: group_word(getattr(row, name)) for name in DEMOGRAPHICS.values} for row in rows}
