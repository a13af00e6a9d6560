"""The SQL of average daily attendance."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from models.attendance import EXCUSED, UNEXCUSED
from services.ingest.store.gate import CONSENT_IN_FORCE

PEOPLE: Final = text(f"""
    WITH kept AS (
        SELECT s.student_id, s.id, s.agency, s.kept_for, s.grade, s.consent_from, s.consent_through
        FROM ingest.students s
        JOIN unnest(CAST(:agencies AS text[]), CAST(:kept_for AS text[])) AS f (agency, kept_for)
            USING (agency, kept_for)
        WHERE s.student_id COLLATE "C" > :after AND {CONSENT_IN_FORCE}
    )
    SELECT * FROM kept WHERE student_id IN (
        SELECT student_id FROM kept GROUP BY student_id ORDER BY student_id COLLATE "C" LIMIT :limit)
    ORDER BY student_id COLLATE "C", kept_for <> '', agency, kept_for
""")  # noqa: S608 -- our own text
"""The next students whose consent is in force, a row a feed; what flows comes first."""

ENROLLMENTS: Final = text("""
    SELECT student, school_id, entry_date, exit_date, calendar FROM ingest.enrollments
    WHERE student = ANY (CAST(:students AS integer[]))
""")

ABSENCES: Final = text(f"""
    WITH standing AS (
        SELECT DISTINCT ON (student, date, school_id, section) student, date, school_id, code
        FROM ingest.taken
        WHERE student = ANY (CAST(:students AS integer[])) AND date BETWEEN :first AND :last AND code IS NOT NULL
        ORDER BY student, date, school_id, section, moment DESC, code DESC
    )
    SELECT student, date, school_id, array_agg(code) AS codes FROM standing GROUP BY 1, 2, 3
    HAVING bool_or(code IN ({EXCUSED}, {UNEXCUSED}))
""")  # noqa: S608 -- our own numbers
"""The sections' codes of the days with any absence."""

DAYS: Final = text("""
    SELECT school_id, date, instructional, assumed, reported FROM ingest.school_days
    WHERE date BETWEEN :first AND :last
""")

CALENDARS: Final = text("""
    SELECT school_id, calendar, date, instructional FROM ingest.calendar_days WHERE date BETWEEN :first AND :last
""")
