"""What is shared in other forms than live: students of its own in ingest, and the schema `district` for their marks.

A parent may sign on one day for several purposes, in a row each.
"""

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
    protect,
    revoke,
    unprotect,
)

revision = "ingest_0011"
down_revision = "ingest_0010"
branch_labels = None
depends_on = None

OTHERS = ", ".join(role_of(one) for one in ("casework", "notify"))

UPGRADE = """
ALTER TABLE ingest.students
    ADD COLUMN kept_for text NOT NULL DEFAULT '',
    DROP CONSTRAINT students_student_id_agency_key,
    ADD UNIQUE (student_id, agency, kept_for);
COMMENT ON COLUMN ingest.students.kept_for IS
    'The purpose of marks that are kept in the schema district; empty: they flow. Only what flows is published';
UPDATE ingest.consents SET purpose = '' WHERE purpose IS NULL;
ALTER TABLE ingest.consents
    ALTER COLUMN purpose SET NOT NULL,
    ALTER COLUMN purpose SET DEFAULT '',
    DROP CONSTRAINT consents_pkey,
    ADD PRIMARY KEY (student, agreement_id, signed_on, notice, purpose);
COMMENT ON COLUMN ingest.consents.purpose IS 'Empty in rows that only revoke';
DROP INDEX ingest.students_pending;
CREATE INDEX students_pending ON ingest.students (id) WHERE (consent_pending OR enrollment_pending) AND kept_for = '';

CREATE VIEW ingest.shared_schools WITH (security_invoker = true) AS
    SELECT recipient AS agency, CASE form WHEN 'live' THEN '' ELSE purpose END AS kept_for, school_id,
           max(form) AS form, effective_on, expires_on
    FROM ingest.disclosures JOIN ingest.agreement_in_force USING (applied)
    WHERE record = 'attendance'
    GROUP BY 1, 2, 3, effective_on, expires_on;
COMMENT ON VIEW ingest.shared_schools IS 'Whose attendance is shared with whom now, of which days';
COMMENT ON COLUMN ingest.shared_schools.form IS 'Live; of student and aggregate, where a party has both, student';

CREATE SCHEMA district;
CREATE TABLE district.attendance (
    student integer NOT NULL,
    date date NOT NULL,
    school_id text NOT NULL,
    section text NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    status text NOT NULL,
    excused boolean,
    reason text,
    recorded_at timestamptz,
    gravity smallint NOT NULL,
    PRIMARY KEY (student, date, school_id, section)
);
COMMENT ON TABLE district.attendance IS
    'The mark that stands of what is shared in another form than live; ingest.students says of whom, for one party';
COMMENT ON COLUMN district.attendance.section IS 'Empty: the whole day';
COMMENT ON COLUMN district.attendance.status IS 'retracted: nothing, and what was recorded before it does not stand';
COMMENT ON COLUMN district.attendance.recorded_at IS
    'Of several the latest stands; null when the replay of a history said it';
COMMENT ON COLUMN district.attendance.gravity IS
    'A code of models.attendance: of several recorded at one moment the gravest stands';
"""

IN_FORCE = """
    consent_from <= (SELECT ingest.today()) AND (consent_through IS NULL OR consent_through >= (SELECT ingest.today()))
    AND (next_change IS NULL OR next_change > (SELECT ingest.today()))
"""
LIVE_BEFORE = "agency IN (SELECT agency FROM ingest.live_schools)"
LIVE = f"kept_for = '' AND {LIVE_BEFORE}"
ENROLLED = "SELECT FROM ingest.enrollments e WHERE e.student = students.id"
SHARED = "ingest.students s JOIN ingest.shared_schools d USING (agency, kept_for)"


def disclosed(mark: str) -> str:
    """The condition on which `SHARED` joins a mark: its day lies in the consent and the term, and both hold now."""
    return f"""
        s.id = {mark}.student AND d.school_id = {mark}.school_id
        AND {mark}.date BETWEEN greatest(s.consent_from, d.effective_on) AND least(s.consent_through, d.expires_on)
        AND {IN_FORCE}
    """


VIEWS = f"""
CREATE VIEW district.disclosed WITH (security_invoker = true) AS
    SELECT a.recipient, a.purpose, d.form, s.pseudonym, s.grade, a.school_id, a.date, a.section, a.status, a.excused,
           a.reason, a.recorded_at
    FROM district.attendance a JOIN ({SHARED}) ON {disclosed("a")}
    WHERE a.status <> 'retracted';
COMMENT ON VIEW district.disclosed IS
    'What may be read now, by the agreement and the consents in force: nobody reads the table itself';

CREATE OR REPLACE VIEW ingest.consented_students WITH (security_invoker = true) AS
    SELECT pseudonym, student_id, first_name, last_name, grade, household, slot, consent_from, consent_through, agency
    FROM ingest.students
    WHERE {IN_FORCE} AND {LIVE};
COMMENT ON VIEW ingest.consented_students IS
    'Students whose consent is in force now, under the agreement in force, by the one clock: what others may join';
"""  # noqa: S608 - our own text

DOWNGRADE = """
DROP SCHEMA district CASCADE;
DROP VIEW ingest.shared_schools;
CREATE OR REPLACE VIEW ingest.consented_students WITH (security_invoker = true) AS
    SELECT pseudonym, student_id, first_name, last_name, grade, household, slot, consent_from, consent_through, agency
    FROM ingest.students
    WHERE consent_from <= ingest.today() AND (consent_through IS NULL OR consent_through >= ingest.today())
      AND (next_change IS NULL OR next_change > ingest.today())
      AND agency IN (SELECT agency FROM ingest.live_schools);
DELETE FROM ingest.taken t USING ingest.students s WHERE s.id = t.student AND s.kept_for <> '';
DELETE FROM ingest.taken_events t USING ingest.students s WHERE s.id = t.student AND s.kept_for <> '';
DELETE FROM ingest.students WHERE kept_for <> '';
DELETE FROM ingest.consents a USING ingest.consents b
WHERE (a.student, a.agreement_id, a.signed_on, a.notice) = (b.student, b.agreement_id, b.signed_on, b.notice)
  AND a.arrival > b.arrival;
ALTER TABLE ingest.consents
    DROP CONSTRAINT consents_pkey,
    ADD PRIMARY KEY (student, agreement_id, signed_on, notice),
    ALTER COLUMN purpose DROP DEFAULT,
    ALTER COLUMN purpose DROP NOT NULL;
DROP INDEX ingest.students_pending;
ALTER TABLE ingest.students DROP COLUMN kept_for, ADD UNIQUE (student_id, agency);
CREATE INDEX students_pending ON ingest.students (id) WHERE consent_pending OR enrollment_pending;
"""


def upgrade() -> None:
    op.execute(UPGRADE)
    op.execute(VIEWS)
    op.execute(grant("ingest", schema="district"))
    held = of_caller(school="school_id", agency="recipient")
    shown = f"EXISTS (SELECT FROM {SHARED} WHERE {disclosed('attendance')})"
    op.execute(protect("district.attendance", service="ingest", caller=f"{held} AND {mostly(shown)}"))
    op.execute(f"GRANT SELECT (kept_for) ON ingest.students TO {OTHERS}")
    op.execute(f"ALTER POLICY caller ON ingest.disclosures USING ({of_caller(school='school_id', agency='recipient')})")
    _show_students(reader="(agency, kept_for) IN (SELECT agency, kept_for FROM ingest.shared_schools)", others=LIVE)


def downgrade() -> None:
    _show_students(reader=LIVE_BEFORE, others=LIVE_BEFORE)
    op.execute(f"ALTER POLICY caller ON ingest.disclosures USING ({of_caller(school='school_id')})")
    op.execute(unprotect("district.attendance"))
    op.execute(revoke("ingest", schema="district"))
    op.execute(DOWNGRADE)


def _show_students(*, reader: str, others: str) -> None:
    """Under which condition, beside a consent in force, the reader and other services see students."""
    held = f"{NO_STUDENTS} AND {of_agency('agency')} AND {in_schools_through(ENROLLED)}"
    op.execute(f"ALTER POLICY caller ON ingest.students USING ({mostly(f'{IN_FORCE} AND {reader}')} AND {held})")
    by_others = f"{acts_as('casework', 'notify')} AND {mostly(f'{IN_FORCE} AND {others}')}"
    op.execute(f"ALTER POLICY consented ON ingest.students USING ({by_others})")
