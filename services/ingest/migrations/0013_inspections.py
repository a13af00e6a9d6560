"""Inspections, parents' statements beside the record, and receipts of what was destroyed."""

from __future__ import annotations

from alembic import op

from services.platform.roles import READER, role_of
from services.platform.row_security import acts_as, of_caller, of_caller_through, protect, unprotect

revision = "ingest_0013"
down_revision = "ingest_0012"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ingest.inspections (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    student bytea NOT NULL,
    pseudonyms text[] NOT NULL,
    opened_on date NOT NULL,
    due_on date NOT NULL,
    opened_by text NOT NULL,
    closed_on date,
    closed_by text,
    CHECK ((closed_on IS NULL) = (closed_by IS NULL))
);
COMMENT ON TABLE ingest.inspections IS
    'Parents who asked to see their child''s record (34 CFR 99.10): while one is open nothing of it is destroyed';
COMMENT ON COLUMN ingest.inspections.student IS 'A keyed digest of the district''s id, as in erasure.ledger';
COMMENT ON COLUMN ingest.inspections.pseudonyms IS 'Under which something is kept that must stay; empty once closed';
COMMENT ON COLUMN ingest.inspections.due_on IS 'By when the record must have been shown';
CREATE UNIQUE INDEX inspections_open ON ingest.inspections (student) WHERE closed_on IS NULL;

CREATE SEQUENCE ingest.correction_numbers AS integer;
CREATE TABLE ingest.corrections (
    student integer NOT NULL REFERENCES ingest.students ON DELETE CASCADE,
    number integer NOT NULL,
    about date,
    statement text NOT NULL,
    asked_on date NOT NULL,
    decided_on date,
    decision text CHECK (decision IN ('amended', 'refused')),
    note text,
    PRIMARY KEY (student, number),
    CHECK ((decided_on IS NULL) = (decision IS NULL))
);
COMMENT ON TABLE ingest.corrections IS
    'What parents ask to correct (34 CFR 99.20), in their words, kept with the student and shown with the record';
COMMENT ON COLUMN ingest.corrections.number IS 'One a request: each feed of the student has a row of it';
COMMENT ON COLUMN ingest.corrections.about IS 'The day that it is about; null: the whole record';
CREATE INDEX corrections_number ON ingest.corrections (number);

CREATE VIEW ingest.statements WITH (security_invoker = true) AS
    SELECT s.pseudonym, c.number, c.about, c.statement, c.asked_on, c.decided_on, c.decision, c.note
    FROM ingest.corrections c JOIN ingest.students s ON s.id = c.student;
COMMENT ON VIEW ingest.statements IS 'Parents'' statements, for whoever is shown the record of their child';

CREATE TABLE erasure.receipts (
    id uuid PRIMARY KEY,
    agreement text,
    version integer,
    clause text NOT NULL,
    by text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    proofs uuid[] NOT NULL DEFAULT '{}',
    removed jsonb NOT NULL DEFAULT '{}',
    CHECK ((agreement IS NULL) = (version IS NULL))
);
COMMENT ON TABLE erasure.receipts IS 'What was destroyed, by whom and under which clause; nobody is named';
COMMENT ON COLUMN erasure.receipts.agreement IS 'Under which all was destroyed; null: what was kept of one student';
COMMENT ON COLUMN erasure.receipts.ended_at IS 'Null while it goes on: interrupted, it is gone on with';
COMMENT ON COLUMN erasure.receipts.proofs IS 'Entries of the ledger, which say what each service removed';
COMMENT ON COLUMN erasure.receipts.removed IS 'What was removed beside the proofs: how many by place';
CREATE UNIQUE INDEX receipts_unfinished ON erasure.receipts (agreement) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
    ingest, casework, reader = role_of("ingest"), role_of("casework"), role_of(READER)
    op.execute(protect("ingest.inspections", service="ingest", caller=of_caller()))
    of_student = "SELECT FROM ingest.students s WHERE s.id = corrections.student"
    op.execute(protect("ingest.corrections", service="ingest", caller=of_caller_through(of_student)))
    op.execute(f"""
        GRANT USAGE ON SEQUENCE ingest.correction_numbers TO {ingest};
        GRANT SELECT ON ingest.statements, ingest.corrections TO {casework};
        GRANT SELECT (id) ON ingest.students TO {casework};
        CREATE POLICY shown ON ingest.corrections FOR SELECT TO {casework}
            USING ({acts_as("casework")} AND EXISTS ({of_student}));
        GRANT SELECT, INSERT, UPDATE ON erasure.receipts TO {ingest};
        GRANT SELECT ON erasure.receipts TO {reader};
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE erasure.receipts;
        DROP VIEW ingest.statements;
        REVOKE SELECT (id) ON ingest.students FROM firstbell_casework;
    """)
    op.execute(unprotect("ingest.corrections", "shown"))
    op.execute(unprotect("ingest.inspections"))
    op.execute("""
        DROP TABLE ingest.corrections, ingest.inspections;
        DROP SEQUENCE ingest.correction_numbers;
    """)
