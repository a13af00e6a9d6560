"""Consents as proof: kept while the student is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consent.stored import ConsentKey, StoredConsent

_OF = text("""
    SELECT student, agreement_id, signed_on, signed_by, relationship, method, records, purpose, recipients, expires_on,
           revoked_on
    FROM ingest.consents WHERE student = ANY (CAST(:students AS integer[])) ORDER BY student, signed_on
""")

_KEEP = text("""
    INSERT INTO ingest.consents AS c (student, agreement_id, signed_on, signed_by, relationship, method, records,
                                      purpose, recipients, expires_on, revoked_on)
    SELECT student, agreement_id, signed_on, signed_by, relationship, method,
           string_to_array(records, chr(31)), purpose, string_to_array(recipients, chr(31)), expires_on, revoked_on
    FROM unnest(CAST(:student AS integer[]), CAST(:agreement_id AS text[]), CAST(:signed_on AS date[]),
                CAST(:signed_by AS text[]), CAST(:relationship AS text[]), CAST(:method AS text[]),
                CAST(:records AS text[]), CAST(:purpose AS text[]), CAST(:recipients AS text[]),
                CAST(:expires_on AS date[]), CAST(:revoked_on AS date[]))
         AS g (student, agreement_id, signed_on, signed_by, relationship, method, records, purpose, recipients,
               expires_on, revoked_on)
    ON CONFLICT (student, agreement_id, signed_on, purpose) DO UPDATE
    SET signed_by = excluded.signed_by, relationship = excluded.relationship, method = excluded.method,
        records = excluded.records, recipients = excluded.recipients,
        expires_on = excluded.expires_on, revoked_on = excluded.revoked_on
""")

_TO_RENEW = text("""
    SELECT count(DISTINCT student_id) FROM ingest.students s
    WHERE consent_from IS NOT NULL AND adult_on <= (SELECT ingest.today())
      AND NOT EXISTS (SELECT FROM ingest.consents c WHERE c.student = s.id AND c.relationship = 'self')
""")

_BETWEEN = chr(31)


async def of(connection: AsyncConnection, students: Sequence[int]) -> dict[int, dict[ConsentKey, StoredConsent]]:
    """The consents kept of these students, in the order of signing."""
    kept: dict[int, dict[ConsentKey, StoredConsent]] = {student: {} for student in students}
    for row in await connection.execute(_OF, {"students": list(students)}):
        one = _stored(row)
        kept[row.student][one.key] = one
    return kept


def _stored(row: Row[*tuple[Any, ...]]) -> StoredConsent:
    return StoredConsent(
        key=ConsentKey(row.agreement_id, row.signed_on, row.purpose),
        signed_by=row.signed_by,
        relationship=row.relationship,
        method=row.method,
        records=tuple(row.records),
        recipients=tuple(row.recipients),
        expires_on=row.expires_on,
        revoked_on=row.revoked_on,
    )


async def to_renew(connection: AsyncConnection) -> int:
    """Students who have turned eighteen, and for whom only others signed."""
    number: int = (await connection.execute(_TO_RENEW)).scalar_one()
    return number


async def keep(connection: AsyncConnection, rows: Sequence[tuple[int, StoredConsent]]) -> None:
    """Keep new and changed consents; each key once."""
    given = [consent for _, consent in rows]
    await connection.execute(
        _KEEP,
        {
            "student": [student for student, _ in rows],
            "agreement_id": [a.key.agreement_id for a in given],
            "signed_on": [a.key.signed_on for a in given],
            "signed_by": [a.signed_by for a in given],
            "relationship": [a.relationship for a in given],
            "method": [a.method for a in given],
            "records": [_BETWEEN.join(a.records) for a in given],
            "purpose": [a.key.purpose for a in given],
            "recipients": [_BETWEEN.join(a.recipients) for a in given],
            "expires_on": [a.expires_on for a in given],
            "revoked_on": [a.revoked_on for a in given],
        },
    )
