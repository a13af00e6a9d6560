"""Which import said an enrollment, and calendars that only some students follow."""

from __future__ import annotations

from alembic import op

revision = "ingest_0004"
down_revision = "ingest_0003"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE ingest.enrollments
    ADD COLUMN calendar text,
    ADD COLUMN said_in bigint DEFAULT 0;
ALTER TABLE ingest.enrollments ALTER COLUMN said_in DROP DEFAULT;
COMMENT ON COLUMN ingest.enrollments.calendar IS 'Which of its calendars the student follows; null: the school''s';
COMMENT ON COLUMN ingest.enrollments.said_in IS
    'The import that said it last, nanoseconds since 1970: a later one replaces it; null when HTTP said it';

CREATE TABLE ingest.calendar_days (
    school_id text NOT NULL,
    calendar text NOT NULL,
    date date NOT NULL,
    instructional boolean NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    pending boolean NOT NULL DEFAULT true,
    PRIMARY KEY (school_id, calendar, date)
);
COMMENT ON TABLE ingest.calendar_days IS 'Days of the calendars that only some of a school''s students follow';
CREATE INDEX calendar_days_pending ON ingest.calendar_days (date) WHERE pending;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("""
        DROP TABLE ingest.calendar_days;
        ALTER TABLE ingest.enrollments DROP COLUMN calendar, DROP COLUMN said_in;
    """)
