"""The SQL of engagement: on ingest's views alone, under whose policies casework sees what may be judged now."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from models.attendance import EXCUSED, UNEXCUSED

DAY: Final = text("""
    SELECT t.today, CASE WHEN CAST(:as_of AS date) < t.today THEN ingest.end_of(CAST(:as_of AS date)) END AS ends
    FROM ingest.today() AS t (today)
""")
"""Today by the one clock, and the end of the asked day where that is past."""

FEEDS: Final = text("""
    SELECT kind, array_agg(school_id) AS schools, min(effective_on) AS first, max(expires_on) AS last
    FROM ingest.engagement_feeds WHERE agency = :agency GROUP BY kind
""")

ONE: Final = text("""
    SELECT k.student_id, k.kind, k.student, k.pseudonym, k.consent_from, k.consent_through
    FROM ingest.engagement_students k
    WHERE k.agency = :agency AND k.student_id = :student_id
""")

MANY: Final = text("""
    SELECT k.student_id, k.kind, k.student, k.pseudonym, k.consent_from, k.consent_through
    FROM ingest.engagement_students k
    WHERE k.agency = :agency AND k.student_id IN (
        SELECT student_id FROM ingest.engagement_students
        WHERE agency = :agency AND student_id COLLATE "C" > :after
        GROUP BY student_id ORDER BY student_id COLLATE "C" LIMIT :limit)
    ORDER BY k.student_id COLLATE "C"
""")

ENROLLMENTS: Final = text("""
    SELECT student, school_id, entry_date, exit_date, calendar FROM ingest.engagement_enrollments
    WHERE student = ANY (CAST(:students AS integer[]))
""")

DAYS: Final = text("""
    SELECT school_id, date, instructional, assumed, reported, history, has_marks FROM ingest.engagement_days
    WHERE date BETWEEN :begins AND :year_ends AND (:everywhere OR school_id = ANY (CAST(:schools AS text[])))
""")

CALENDARS: Final = text("""
    SELECT school_id, calendar, date, instructional FROM ingest.engagement_calendars
    WHERE date BETWEEN :begins AND :year_ends AND (:everywhere OR school_id = ANY (CAST(:schools AS text[])))
""")

STANDING: Final = """
    said AS (
        SELECT student, date, school_id, section, code, moment,
               moment = min(moment) OVER (PARTITION BY student) AS is_history
        FROM ingest.engagement_marks
        WHERE student = ANY (CAST(:students AS integer[])) AND date BETWEEN :begins AND :year_ends
    ), standing AS (
        SELECT DISTINCT ON (student, date, school_id, section) student, date, school_id, code
        FROM said WHERE date <= :as_of AND (is_history OR CAST(:ends AS timestamptz) IS NULL
                                             OR moment < extract(epoch FROM CAST(:ends AS timestamptz)) * 1000000)
        ORDER BY student, date, school_id, section, moment DESC, code DESC
    )
"""
"""What stands of marks, for after WITH.

What was said of a student first is history, and was known from its own day on; what came later, from when it was said.
"""

MARKS: Final = text(f"""
    WITH {STANDING}
    SELECT m.student, m.date, m.school_id, array_agg(m.code) AS codes
    FROM standing m LEFT JOIN ingest.engagement_days d USING (school_id, date)
    GROUP BY 1, 2, 3
    HAVING bool_or(m.code IN ({EXCUSED}, {UNEXCUSED})) OR NOT bool_or(coalesce(d.reported, false))
""")  # noqa: S608 -- our own numbers
"""The sections' codes of days with an absence, or that the school has not reported."""

SUSPENSIONS_HANDED_IN: Final = text("SELECT EXISTS (SELECT FROM district.engagement_files WHERE file = 'suspensions')")

_ENDS: Final = "coalesce(CAST(:ends AS timestamptz), 'infinity')"
_STOOD: Final = f"student = ANY (CAST(:students AS integer[])) AND until >= {_ENDS}"
"""At the end of the day; without one, now."""

SUSPENDED: Final = text(f"""
    SELECT student, date AS began_on FROM district.engagement_suspensions
    WHERE {_STOOD} AND date BETWEEN :begins AND :as_of AND (is_history OR said_at < {_ENDS})
""")  # noqa: S608 -- our own text

COURSES: Final = text(f"""
    SELECT student, course, term, title, subject FROM district.engagement_courses
    WHERE {_STOOD} AND (is_history OR said_at < {_ENDS}) ORDER BY term_ends NULLS FIRST, term COLLATE "C"
""")  # noqa: S608 -- our own text
"""The last term's last: a mark of a term of which nothing is said is of the course as it was then."""

MARKS_OF_COURSES: Final = text(f"""
    SELECT student, course, term, grade, grade_scale_max, first, last FROM district.engagement_grades
    WHERE {_STOOD} AND coalesce(last >= :begins, true)
      AND CASE WHEN is_history THEN coalesce(last <= :as_of, true) ELSE said_at < {_ENDS} END
""")  # noqa: S608 -- our own text
