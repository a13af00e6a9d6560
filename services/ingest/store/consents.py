"""Consents as proof: kept while the student is, also after they ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consent.stored import ConsentKey, StoredConsent

_OF = text("""
    SELECT student, agreement_id, signed_on, notice, arrival, signed_by, relationship, method,
           records, purpose, recipients, expires_on, revoked_on
    FROM ingest.consents WHERE student = ANY (CAST(:students AS integer[])) ORDER BY student, arrival
""")

_KEEP = text("""
    INSERT INTO ingest.consents AS c (student, agreement_id, signed_on, notice, signed_by, relationship, method,
                                      records, purpose, recipients, expires_on, revoked_on)
    SELECT student, agreement_id, signed_on, notice, signed_by, relationship, method,
           string_to_array(records, chr(31)), purpose, string_to_array(recipients, chr(31)), expires_on, revoked_on
    FROM unnest(CAST(:student AS integer[]), CAST(:agreement_id AS text[]), CAST(:signed_on AS date[]),
                CAST(:notice AS boolean[]), CAST(:signed_by AS text[]), CAST(:relationship AS text[]),
                CAST(:method AS text[]), CAST(:records AS text[]), CAST(:purpose AS text[]),
                CAST(:recipients AS text[]), CAST(:expires_on AS date[]), CAST(:revoked_on AS date[]))
         WITH ORDINALITY AS g (student, agreement_id, signed_on, notice, signed_by, relationship, method,
                               records, purpose, recipients, expires_on, revoked_on, place)
    ORDER BY place
    ON CONFLICT (student, agreement_id, signed_on, notice) DO UPDATE
    SET signed_by = excluded.signed_by, relationship = excluded.relationship, method = excluded.method,
        records = excluded.records, purpose = excluded.purpose, recipients = excluded.recipients,
        expires_on = excluded.expires_on, revoked_on = excluded.revoked_on
""")

_BETWEEN = chr(31)


async def of(connection: AsyncConnection, students: Sequence[int]) -> dict[int, dict[ConsentKey, StoredConsent]]:
    """The consents kept of these students, by the order in which they came."""
    kept: dict[int, dict[ConsentKey, StoredConsent]] = {student: {} for student in students}
    for row in await connection.execute(_OF, {"students": list(students)}):
        key = ConsentKey(row.agreement_id, row.signed_on, row.notice)
        kept[row.student][key] = StoredConsent(
            key=key,
            arrival=row.arrival,
            signed_by=row.signed_by,
            relationship=row.relationship,
            method=row.method,
            records=tuple(row.records),
            purpose=row.purpose,
            recipients=tuple(row.recipients),
            expires_on=row.expires_on,
            revoked_on=row.revoked_on,
        )
    return kept


async def keep(connection: AsyncConnection, rows: Sequence[tuple[int, StoredConsent]]) -> None:
    """Keep new and changed consents, in this order; each key once."""
    given = [consent for _, consent in rows]
    await connection.execute(
        _KEEP,
        {
            "student": [student for student, _ in rows],
            "agreement_id": [a.key.agreement_id for a in given],
            "signed_on": [a.key.signed_on for a in given],
            "notice": [a.key.notice for a in given],
            "signed_by": [a.signed_by for a in given],
            "relationship": [a.relationship for a in given],
            "method": [a.method for a in given],
            "records": [_BETWEEN.join(a.records) for a in given],
            "purpose": [a.purpose for a in given],
            "recipients": [_BETWEEN.join(a.recipients) for a in given],
            "expires_on": [a.expires_on for a in given],
            "revoked_on": [a.revoked_on for a in given],
        },
    )
