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
    anew boolean NOT NULL DEFAULT false,
    run bigint NOT NULL,
    PRIMARY KEY (source, resource)
);
COMMENT ON TABLE ingest.pulls IS 'How far each Ed-Fi ODS/API has been read; nothing in it is of a student';
COMMENT ON COLUMN ingest.pulls.source IS 'The address of the API';
COMMENT ON COLUMN ingest.pulls.change_version IS 'Everything up to this one was taken; 0: nothing yet';
COMMENT ON COLUMN ingest.pulls.anew IS 'The API was restored: what it said before and does not say now is taken back';
COMMENT ON COLUMN ingest.pulls.run IS 'As which import all that it says is taken: one for each source';
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE ingest.pulls")
