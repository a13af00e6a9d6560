"""What the agreement shares beside attendance: a table a file, of students of the kind's own feed."""

from __future__ import annotations

from alembic import op

from services.platform.row_security import of_caller_through, protect, unprotect

revision = "ingest_0014"
down_revision = "ingest_0013"
branch_labels = None
depends_on = None

KINDS = ("demographics", "programs", "grades", "assessments", "suspensions", "graduations")
SHARED = """
CREATE OR REPLACE VIEW ingest.shared_schools WITH (security_invoker = true) AS
    SELECT recipient AS agency, {kept_for} AS kept_for, school_id, max(form) AS form, effective_on, expires_on
    FROM ingest.disclosures JOIN ingest.agreement_in_force USING (applied)
    WHERE record IN ({records})
    GROUP BY 1, 2, 3, effective_on, expires_on;
COMMENT ON VIEW ingest.shared_schools IS 'Whose {what} shared with whom now, of which days'
"""
KEPT_FOR = "CASE form WHEN 'live' THEN '' ELSE purpose END"
KEPT_FOR_EACH = f"CASE record WHEN 'attendance' THEN {KEPT_FOR} ELSE record || ':' || purpose END"

SAID = """
    first date,
    last date,
    said_at timestamptz NOT NULL,
    run bigint NOT NULL,
    until timestamptz NOT NULL DEFAULT 'infinity',
"""
TABLES = {
    "demographics": """
        gender text, race_ethnicity text, english_learner boolean, special_education boolean, {said}
        PRIMARY KEY (student, until)
    """,
    "programs": """
        program text NOT NULL, entry_date date NOT NULL, exit_date date, {said}
        PRIMARY KEY (student, program, entry_date, until)
    """,
    "eligibility": """
        program text NOT NULL, from_date date NOT NULL, through date, reason text, {said}
        PRIMARY KEY (student, program, from_date, until)
    """,
    "courses": """
        course text NOT NULL, term text NOT NULL, title text, subject text, level text, start_date date,
        end_date date, {said}
        PRIMARY KEY (student, course, term, until)
    """,
    "grades": """
        course text NOT NULL, term text NOT NULL, grade text, credits numeric, {said}
        PRIMARY KEY (student, course, term, until)
    """,
    "assessments": """
        assessment text NOT NULL, date date NOT NULL, scale_score numeric, performance_level text, {said}
        PRIMARY KEY (student, assessment, date, until)
    """,
    "suspensions": """
        date date NOT NULL, action text NOT NULL, days_out numeric, in_school boolean, {said}
        PRIMARY KEY (student, date, action, until)
    """,
    "graduations": """
        cohort_year integer NOT NULL, status text, date date, {said}
        PRIMARY KEY (student, cohort_year, until)
    """,
}
COMMENTS = """
COMMENT ON COLUMN district.{table}.student IS 'ingest.students.id, of the feed of this kind of records';
COMMENT ON COLUMN district.{table}.first IS 'The first day that it is about; null: no day is known';
COMMENT ON COLUMN district.{table}.last IS 'The last day that it is about; null: no end is known';
COMMENT ON COLUMN district.{table}.said_at IS 'The moment as of which it was said';
COMMENT ON COLUMN district.{table}.run IS 'Which import said it last: the later one''s is higher';
COMMENT ON COLUMN district.{table}.until IS 'When something else was said, or it was taken back; infinity: it stands';
"""

OTHERS = """
CREATE TABLE district.terms (
    term text PRIMARY KEY,
    start_date date NOT NULL,
    end_date date NOT NULL,
    grade_scale_max numeric
);
COMMENT ON TABLE district.terms IS 'When terms are; nothing in it is of a student';
COMMENT ON COLUMN district.terms.grade_scale_max IS 'The best numeric grade: 100, or 4.0; null: letters';

CREATE TABLE district.handed_in (
    file text PRIMARY KEY,
    first timestamptz NOT NULL,
    last timestamptz NOT NULL
);
COMMENT ON TABLE district.handed_in IS
    'Which files of the export set were ever handed in: none is not the same as empty';
COMMENT ON COLUMN district.handed_in.first IS
    'As of when the first one spoke: what it said is history, and was known from its own days on';
"""


def upgrade() -> None:
    records = ", ".join(f"'{kind}'" for kind in ("attendance", *KINDS))
    op.execute(SHARED.format(kept_for=KEPT_FOR_EACH, records=records, what="records are"))
    op.execute(OTHERS)
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE district.{table} (student integer NOT NULL, {columns.format(said=SAID)})")
        op.execute(COMMENTS.format(table=table))
        mine = f"SELECT FROM ingest.students s WHERE s.id = {table}.student"
        op.execute(protect(f"district.{table}", service="ingest", caller=of_caller_through(mine)))


def downgrade() -> None:
    for table in TABLES:
        op.execute(unprotect(f"district.{table}"))
        op.execute(f"DROP TABLE district.{table}")
    op.execute("""
        DROP TABLE district.handed_in, district.terms;
        DELETE FROM ingest.students WHERE kept_for LIKE '%:%';
    """)
    op.execute(SHARED.format(kept_for=KEPT_FOR, records="'attendance'", what="attendance is"))
