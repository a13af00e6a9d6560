"""How far each Ed-Fi ODS/API has been read."""

from __future__ import annotations

from alembic import op

revision = "ingest_0016"
down_revision = "ingest_0015"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE ingest.pulls (
    source text NOT NULL,
    resource text NOT NULL,
    change_version bigint NOT NULL DEFAULT 0,
    anew text CHECK (anew IN ('asked', 'restored')),
    run bigint NOT NULL,
    PRIMARY KEY (source, resource)
);
COMMENT ON TABLE ingest.pulls IS 'How far each Ed-Fi ODS/API has been read; nothing in it is of a student';
COMMENT ON COLUMN ingest.pulls.source IS 'The address of the API';
COMMENT ON COLUMN ingest.pulls.change_version IS 'Everything up to this one was taken; 0: nothing yet';
COMMENT ON COLUMN ingest.pulls.anew IS
    'All is read anew and what is not said any more taken back: asked for, or as the API was restored; null: it is not';
COMMENT ON COLUMN ingest.pulls.run IS 'As which import all that it says is taken: one for each source';
COMMENT ON COLUMN ingest.enrollments.said_in IS
    'The import that said it, null when HTTP did; a pull''s run, negative: any import counts as later';
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("""
        DROP TABLE ingest.pulls;
        UPDATE ingest.enrollments SET said_in = NULL WHERE said_in < 0;
    """)
