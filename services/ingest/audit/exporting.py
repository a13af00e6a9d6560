"""Entries as lines of JSON, for those who ask who was shown what: a page at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.audit.chain import in_utc

PAGE: Final = 2_000

_PAGE: Final = text("""
    SELECT e.entry, seq, at, subject, role, agency, action, students, purpose, agreement, consents, outcome
    FROM audit.entries AS e LEFT JOIN audit.chain USING (entry)
    WHERE e.entry > :after
      AND (CAST(:student AS text) IS NULL OR students @> ARRAY[CAST(:student AS text)])
      AND (CAST(:since AS timestamptz) IS NULL OR at >= CAST(:since AS timestamptz))
    ORDER BY e.entry LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries: all, or those of a student, or from a moment on."""

    student: str | None = None
    since: datetime | None = None


async def export_pages(engine: AsyncEngine, asked: Asked) -> AsyncIterator[list[str]]:
    """The lines, in order of entry. The engine's service is ingest."""
    after = 0
    async with engine.connect() as connection:
        while True:
            given = {"after": after, "limit": PAGE, "student": asked.student, "since": asked.since}
            rows = (await connection.execute(_PAGE, given)).mappings().all()
            if rows:
                yield [_line(dict(row)) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["entry"]


def _line(row: Mapping[str, Any]) -> str:
    consents = [day and day.isoformat() for day in row["consents"]]
    said = {
        "seq": row["seq"],
        "at": in_utc(row["at"]),
        **{name: row[name] for name in ("subject", "role", "agency", "action", "students", "purpose", "agreement")},
        "consent": consents,
        "outcome": row["outcome"],
    }
    return json.dumps(said, ensure_ascii=False)
