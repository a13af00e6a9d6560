"""The audit: who was shown what of whom, append-only, chained by hash."""

from __future__ import annotations

from alembic import op

from services.platform.roles import READER, role_of
from services.platform.row_security import NO_STUDENTS, acts_as, of_agency, protect, unprotect

revision = "ingest_0010"
down_revision = "ingest_0009"
branch_labels = None
depends_on = None

INGEST = "ingest"
WRITERS = ("casework", "notify")
HELD = f"{NO_STUDENTS} AND (agency IS NULL OR {of_agency('agency')})"

TABLES = """
CREATE SCHEMA audit;

CREATE TABLE audit.entries (
    entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    subject text NOT NULL,
    role text NOT NULL,
    agency text,
    action text NOT NULL,
    students text[] NOT NULL,
    consents date[] NOT NULL,
    purpose text,
    agreement text,
    outcome text NOT NULL
);
COMMENT ON TABLE audit.entries IS
    'One row an answer, written before its first byte: who was shown what of whom, or not';
COMMENT ON COLUMN audit.entries.agency IS 'Of whom who asked is; a disclosure''s recipient';
COMMENT ON COLUMN audit.entries.students IS 'Their pseudonyms';
COMMENT ON COLUMN audit.entries.consents IS
    'Since when each student''s consent is in force, in the order of `students`';
COMMENT ON COLUMN audit.entries.agreement IS 'The agreement that was in force, and its version: DSA-2016/1';
CREATE INDEX entries_students ON audit.entries USING gin (students);

CREATE TABLE audit.unchained (entry bigint PRIMARY KEY);
COMMENT ON TABLE audit.unchained IS 'Entries that wait to be chained: written with them, taken by the appender';

CREATE TABLE audit.chain (
    seq bigint PRIMARY KEY,
    entry bigint NOT NULL UNIQUE REFERENCES audit.entries,
    hash bytea NOT NULL
);
COMMENT ON TABLE audit.chain IS 'Entries in order; each hash is over the one before and what the entry says';

CREATE VIEW ingest.live_purposes WITH (security_invoker = true) AS
    SELECT recipient AS agency, min(purpose) AS purpose
    FROM ingest.disclosures JOIN ingest.agreement_in_force USING (applied) WHERE form = 'live' GROUP BY recipient;
COMMENT ON VIEW ingest.live_purposes IS 'For what attendance flows to an agency now';
"""


def upgrade() -> None:
    op.execute(TABLES)
    ingest, reader = role_of(INGEST), role_of(READER)
    writers = ", ".join(role_of(one) for one in WRITERS)
    op.execute(protect("audit.entries", service=INGEST, caller=HELD, held=True))
    op.execute(f"""
        GRANT USAGE ON SCHEMA audit TO {ingest}, {writers}, {reader};
        GRANT SELECT ON ALL TABLES IN SCHEMA audit TO {ingest}, {reader};
        GRANT INSERT ON audit.entries, audit.unchained TO {ingest}, {writers};
        GRANT SELECT ON audit.entries, ingest.live_purposes TO {writers};
        GRANT INSERT ON audit.chain TO {ingest};
        GRANT DELETE ON audit.unchained TO {ingest};
    """)
    for writer in WRITERS:
        op.execute(f"CREATE POLICY {writer} ON audit.entries TO {role_of(writer)} USING ({acts_as(writer)})")


def downgrade() -> None:
    op.execute(unprotect("audit.entries", *WRITERS))
    op.execute("DROP VIEW ingest.live_purposes; DROP SCHEMA audit CASCADE")
