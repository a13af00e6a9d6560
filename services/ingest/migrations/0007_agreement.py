"""The agreement and its versions; students, and all that is kept of them, by agency."""

from __future__ import annotations

from alembic import op

revision = "ingest_0007"
down_revision = "ingest_0006"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE ingest.agreements (
    applied integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    version integer NOT NULL,
    digest text NOT NULL,
    document jsonb NOT NULL,
    effective_on date NOT NULL,
    expires_on date NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, version)
);
COMMENT ON TABLE ingest.agreements IS 'Every version of the data sharing agreement that was ever applied';
COMMENT ON COLUMN ingest.agreements.applied IS
    'In this order they were applied: of those that are effective the last holds';

CREATE TABLE ingest.disclosures (
    applied integer NOT NULL REFERENCES ingest.agreements,
    recipient text NOT NULL,
    purpose text NOT NULL,
    form text NOT NULL,
    record text NOT NULL,
    school_id text NOT NULL,
    PRIMARY KEY (applied, recipient, purpose, form, record, school_id)
);
COMMENT ON COLUMN ingest.disclosures.school_id IS '* for all schools: what is assumed of a folder without an agreement';

CREATE TABLE ingest.settled_under (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    applied integer NOT NULL
);
COMMENT ON TABLE ingest.settled_under IS
    'The agreement by which students'' consents were last looked at; 0 is none. With another all are looked at again';

CREATE VIEW ingest.agreement_in_force AS
    SELECT * FROM (
        SELECT * FROM ingest.agreements WHERE effective_on <= ingest.today() ORDER BY applied DESC LIMIT 1
    ) AS last
    WHERE expires_on >= ingest.today();
COMMENT ON VIEW ingest.agreement_in_force IS 'What holds now, by the one clock; no row when nothing does';

CREATE VIEW ingest.live_schools AS
    SELECT DISTINCT recipient AS agency, school_id
    FROM ingest.disclosures JOIN ingest.agreement_in_force USING (applied)
    WHERE form = 'live' AND record = 'attendance';
COMMENT ON VIEW ingest.live_schools IS 'Whose attendance flows to which agency now; school * is all of them';

ALTER TABLE ingest.students
    ADD COLUMN agency text NOT NULL DEFAULT 'project-hope',
    DROP CONSTRAINT students_student_id_key,
    ADD UNIQUE (student_id, agency);
ALTER TABLE ingest.students ALTER COLUMN agency DROP DEFAULT;
COMMENT ON COLUMN ingest.students.agency IS
    'For whom this is kept: each agency''s are apart, under pseudonyms of its own';
COMMENT ON COLUMN ingest.enrollments.school_id IS 'Empty: at a school that is not shared with the agency';

DROP VIEW ingest.consented_students;
CREATE VIEW ingest.consented_students AS
    SELECT pseudonym, student_id, first_name, last_name, grade, household, slot, consent_from, consent_through, agency
    FROM ingest.students
    WHERE consent_from <= ingest.today() AND (consent_through IS NULL OR consent_through >= ingest.today())
      AND (next_change IS NULL OR next_change > ingest.today())
      AND agency IN (SELECT agency FROM ingest.live_schools);
COMMENT ON VIEW ingest.consented_students IS
    'Students whose consent is in force now, under the agreement in force, by the one clock: what others may join';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("""
        DROP VIEW ingest.consented_students;
        DELETE FROM ingest.students a USING ingest.students b WHERE a.student_id = b.student_id AND a.id > b.id;
        ALTER TABLE ingest.students
            DROP CONSTRAINT students_student_id_agency_key, DROP COLUMN agency, ADD UNIQUE (student_id);
        DELETE FROM ingest.enrollments WHERE school_id = '';
        DROP VIEW ingest.live_schools, ingest.agreement_in_force;
        DROP TABLE ingest.settled_under, ingest.disclosures, ingest.agreements;
        CREATE VIEW ingest.consented_students AS
            SELECT pseudonym, student_id, first_name, last_name, grade, household, slot, consent_from, consent_through
            FROM ingest.students
            WHERE consent_from <= ingest.today() AND (consent_through IS NULL OR consent_through >= ingest.today());
    """)
