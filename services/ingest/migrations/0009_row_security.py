"""Row-level security: what ingest keeps of students is ingest's, and others see what the consent view shows."""

from __future__ import annotations

from alembic import op

from services.platform.roles import role_of
from services.platform.row_security import (
    NO_STUDENTS,
    acts_as,
    grant,
    in_schools_through,
    mostly,
    of_agency,
    of_caller,
    of_caller_through,
    protect,
    revoke,
    unprotect,
)

revision = "ingest_0009"
down_revision = "ingest_0007"
branch_labels = None
depends_on = None

BY_SCHOOL = ("schools", "enrollments", "taken", "school_days", "enrolled_changes", "calendar_days", "disclosures")
BY_STUDENT = ("consents", "taken_events")
VIEWS = ("consented_students", "figures", "agreement_in_force", "live_schools")
FREELY_READ = "ingest.agreement_in_force, ingest.agreements, ingest.disclosures, ingest.live_schools"
OTHERS = ("casework", "notify")
IN_FORCE = """
    consent_from <= (SELECT ingest.today()) AND (consent_through IS NULL OR consent_through >= (SELECT ingest.today()))
    AND (next_change IS NULL OR next_change > (SELECT ingest.today()))
    AND agency IN (SELECT agency FROM ingest.live_schools)
"""
NAMED = "pseudonym, student_id, first_name, last_name, grade, household"
SHOWN = f"{NAMED}, slot, consent_from, consent_through, next_change, agency"


def enrolled(student: str) -> str:
    return f"SELECT FROM ingest.enrollments e WHERE e.student = {student}"


def upgrade() -> None:
    op.execute(grant("ingest"))
    for table in BY_SCHOOL:
        op.execute(protect(f"ingest.{table}", service="ingest", caller=of_caller(school="school_id")))
    for table in BY_STUDENT:
        op.execute(protect(f"ingest.{table}", service="ingest", caller=of_caller_through(enrolled(f"{table}.student"))))
    held = f"{NO_STUDENTS} AND {of_agency('agency')} AND {in_schools_through(enrolled('students.id'))}"
    op.execute(protect("ingest.students", service="ingest", caller=f"{mostly(IN_FORCE)} AND {held}"))
    others = ", ".join(role_of(one) for one in OTHERS)
    op.execute(f"""
        GRANT USAGE ON SCHEMA ingest TO {others};
        -- A view of its reader's: the reader needs what it reads, and by the policy gets no more than it shows.
        GRANT SELECT ON ingest.consented_students, ingest.replay_clock, ingest.settings, {FREELY_READ} TO {others};
        CREATE POLICY agreed ON ingest.disclosures FOR SELECT TO {others} USING ({acts_as(*OTHERS)});
        GRANT SELECT ({SHOWN}) ON ingest.students TO {others};
        CREATE POLICY consented ON ingest.students FOR SELECT TO {others}
            USING ({acts_as(*OTHERS)} AND {mostly(IN_FORCE)});
    """)
    for view in VIEWS:
        op.execute(f"ALTER VIEW ingest.{view} SET (security_invoker = true)")


def downgrade() -> None:
    op.execute("DROP POLICY agreed ON ingest.disclosures")
    for view in VIEWS:
        op.execute(f"ALTER VIEW ingest.{view} RESET (security_invoker)")
    op.execute(unprotect("ingest.students", "consented"))
    for table in (*BY_SCHOOL, *BY_STUDENT):
        op.execute(unprotect(f"ingest.{table}"))
    others = ", ".join(role_of(one) for one in OTHERS)
    op.execute(f"REVOKE SELECT ({SHOWN}) ON ingest.students FROM {others}")  # noqa: S608 - our names
    op.execute(revoke("ingest", OTHERS))
