"""Marks taken, by who said them and what was said: so that a later import can correct an earlier one."""

from __future__ import annotations

from alembic import op

revision = "ingest_0003"
down_revision = "ingest_0002"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE ingest.taken
    ADD COLUMN by_import boolean NOT NULL DEFAULT true,
    ADD COLUMN school_id text NOT NULL DEFAULT '',
    ADD COLUMN code smallint,
    ADD COLUMN moment bigint,
    DROP CONSTRAINT taken_pkey,
    ADD PRIMARY KEY (student, date, digest, by_import);
ALTER TABLE ingest.taken ALTER COLUMN by_import DROP DEFAULT, ALTER COLUMN school_id DROP DEFAULT;
COMMENT ON COLUMN ingest.taken.taken IS
    'By HTTP the order of taking, nanoseconds since 1970; else the moment as of which the import speaks, likewise';
COMMENT ON COLUMN ingest.taken.by_import IS 'Said by files, of which the last import''s count, or by HTTP';
COMMENT ON COLUMN ingest.taken.school_id IS 'Empty for marks of the first releases, which are known by digest alone';
COMMENT ON COLUMN ingest.taken.code IS 'What was said: a code of models.attendance; null for the first releases';
COMMENT ON COLUMN ingest.taken.moment IS
    'As of when, microseconds since 1970: of several the latest stands; -1 when the replay of a history said it';

CREATE TABLE ingest.imports (
    fingerprint text PRIMARY KEY,
    as_of timestamptz NOT NULL
);
COMMENT ON TABLE ingest.imports IS
    'Imports that have not come to their end, by what they read: run again, they speak as of the same moment';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("""
        DROP TABLE ingest.imports;
        DELETE FROM ingest.taken a USING ingest.taken b
        WHERE (a.student, a.date, a.digest) = (b.student, b.date, b.digest) AND a.by_import AND NOT b.by_import;
        ALTER TABLE ingest.taken
            DROP CONSTRAINT taken_pkey, DROP COLUMN by_import, DROP COLUMN school_id, DROP COLUMN code,
            DROP COLUMN moment, ADD PRIMARY KEY (student, date, digest);
    """)
