"""What casework judges engagement by: attendance that flows, and what is kept for the same agency and purpose."""

from __future__ import annotations

from alembic import op

from services.platform.roles import role_of
from services.platform.row_security import NO_STUDENTS, acts_as, mostly, of_agency

revision = "ingest_0015"
down_revision = "ingest_0014"
branch_labels = None
depends_on = None

IN_FORCE = """
    consent_from <= (SELECT ingest.today()) AND (consent_through IS NULL OR consent_through >= (SELECT ingest.today()))
    AND (next_change IS NULL OR next_change > (SELECT ingest.today()))
"""
FEEDS = "SELECT agency, kept_for FROM ingest.engagement_feeds"

VIEWS = f"""
CREATE FUNCTION ingest.end_of(day date) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CAST(day + 1 AS timestamp)
        AT TIME ZONE coalesce((SELECT timezone FROM ingest.settings), 'America/New_York')
$$;
COMMENT ON FUNCTION ingest.end_of IS 'The moment at which a day ends in the district';

CREATE VIEW ingest.engagement_feeds WITH (security_invoker = true) AS
    SELECT DISTINCT d.recipient AS agency, d.record AS kind,
           CASE d.record WHEN 'attendance' THEN '' ELSE d.record || ':' || d.purpose END AS kept_for,
           d.school_id, a.effective_on, a.expires_on
    FROM ingest.disclosures d
    JOIN ingest.agreement_in_force a USING (applied)
    JOIN ingest.live_purposes p ON p.agency = d.recipient AND p.purpose = d.purpose
    WHERE d.record = 'attendance' AND d.form = 'live'
       OR d.record IN ('suspensions', 'grades') AND d.form <> 'aggregate';
COMMENT ON VIEW ingest.engagement_feeds IS
    'Of whose schools an agency gets what engagement is judged by, student by student, for its live purpose';

CREATE VIEW ingest.engagement_students WITH (security_invoker = true) AS
    SELECT s.student_id, s.agency, f.kind, s.id AS student, s.pseudonym, s.consent_from, s.consent_through
    FROM ingest.students s JOIN (SELECT DISTINCT agency, kept_for, kind FROM ingest.engagement_feeds) f
        USING (agency, kept_for)
    WHERE {IN_FORCE};
COMMENT ON VIEW ingest.engagement_students IS 'Of whom which kind may be judged now, by agency: one row a kind';

CREATE VIEW ingest.engagement_enrollments WITH (security_invoker = true) AS
    SELECT student, school_id, entry_date, exit_date, calendar FROM ingest.enrollments;
CREATE VIEW ingest.engagement_marks WITH (security_invoker = true) AS
    SELECT student, date, school_id, section, code, moment FROM ingest.taken WHERE code IS NOT NULL;
CREATE VIEW ingest.engagement_days WITH (security_invoker = true) AS
    SELECT school_id, date, instructional, assumed, reported, history, seen > 0 AS has_marks FROM ingest.school_days;
CREATE VIEW ingest.engagement_calendars WITH (security_invoker = true) AS
    SELECT school_id, calendar, date, instructional FROM ingest.calendar_days;

CREATE VIEW district.engagement_files WITH (security_invoker = true) AS SELECT file FROM district.handed_in;
CREATE VIEW district.engagement_suspensions WITH (security_invoker = true) AS
    SELECT r.student, r.date, r.said_at, r.until, coalesce(r.said_at <= h.first, false) AS is_history
    FROM district.suspensions r LEFT JOIN district.handed_in h ON h.file = 'suspensions';
CREATE VIEW district.engagement_courses WITH (security_invoker = true) AS
    SELECT r.student, r.course, r.term, t.end_date AS term_ends, r.title, r.subject, r.said_at, r.until,
           coalesce(r.said_at <= h.first, false) AS is_history
    FROM district.courses r LEFT JOIN district.terms t USING (term)
    LEFT JOIN district.handed_in h ON h.file = 'courses';
CREATE VIEW district.engagement_grades WITH (security_invoker = true) AS
    SELECT r.student, r.course, r.term, r.grade, r.first, r.last, t.grade_scale_max, r.said_at, r.until,
           coalesce(r.said_at <= h.first, false) AS is_history
    FROM district.grades r LEFT JOIN district.terms t USING (term) LEFT JOIN district.handed_in h ON h.file = 'grades';
COMMENT ON COLUMN district.engagement_suspensions.is_history IS
    'Said by the first hand-in, so known from its own day on; else from when it was said';
"""  # noqa: S608 - our own text

OF_STUDENTS = {
    "ingest.enrollments": "student, school_id, entry_date, exit_date, calendar",
    "ingest.taken": "student, date, school_id, section, code, moment",
    "district.suspensions": "student, date, said_at, until",
    "district.courses": "student, course, term, title, subject, said_at, until",
    "district.grades": "student, course, term, grade, first, last, said_at, until",
}
OF_SCHOOLS = {
    "ingest.school_days": "school_id, date, instructional, assumed, reported, history, seen",
    "ingest.calendar_days": "school_id, calendar, date, instructional",
}
VIEW_NAMES = (
    "district.engagement_grades",
    "district.engagement_courses",
    "district.engagement_suspensions",
    "district.engagement_files",
    "ingest.engagement_calendars",
    "ingest.engagement_days",
    "ingest.engagement_marks",
    "ingest.engagement_enrollments",
    "ingest.engagement_students",
    "ingest.engagement_feeds",
)


def upgrade() -> None:
    op.execute(VIEWS)
    casework = role_of("casework")
    kept = f"kept_for <> '' AND (agency, kept_for) IN ({FEEDS})"
    op.execute(f"""
        GRANT USAGE ON SCHEMA district TO {casework};
        GRANT SELECT ON {", ".join(VIEW_NAMES)}, district.terms, district.handed_in TO {casework};
        CREATE POLICY engagement ON ingest.students FOR SELECT TO {casework}
            USING ({acts_as("casework")} AND {NO_STUDENTS} AND {of_agency("agency")}
                   AND {mostly(f"{IN_FORCE} AND {kept}")});
    """)
    for table, columns in OF_STUDENTS.items():
        # The policies of students say whom casework may judge; a caller of an agency sees its own.
        mine = (
            f"SELECT FROM ingest.students s WHERE s.id = {table.partition('.')[2]}.student AND {of_agency('s.agency')}"
        )
        _show(table, columns, f"{NO_STUDENTS} AND EXISTS ({mine})")
    for table, columns in OF_SCHOOLS.items():
        flows = "(SELECT array_agg(l.school_id) FROM ingest.live_schools l) && ARRAY[school_id, '*']"
        _show(table, columns, flows)


def _show(table: str, columns: str, condition: str) -> None:
    op.execute(f"""
        GRANT SELECT ({columns}) ON {table} TO {role_of("casework")};
        CREATE POLICY engagement ON {table} FOR SELECT TO {role_of("casework")}
            USING ({acts_as("casework")} AND {condition});
    """)


def downgrade() -> None:
    casework = role_of("casework")
    op.execute(f"""
        DROP POLICY engagement ON ingest.students;
        DROP VIEW {", ".join(VIEW_NAMES)};
        DROP FUNCTION ingest.end_of;
        REVOKE ALL ON district.terms, district.handed_in FROM {casework};
        REVOKE USAGE ON SCHEMA district FROM {casework};
    """)
    for table, columns in {**OF_STUDENTS, **OF_SCHOOLS}.items():
        op.execute(f"DROP POLICY engagement ON {table}; REVOKE ALL ({columns}) ON {table} FROM {casework}")
