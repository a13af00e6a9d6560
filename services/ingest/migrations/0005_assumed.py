"""School days that are assumed, for want of a calendar."""

from __future__ import annotations

from alembic import op

revision = "ingest_0005"
down_revision = "ingest_0004"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE ingest.school_days ADD COLUMN assumed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN ingest.school_days.assumed IS
    'Nobody said that it is instructional: a weekday of a school without a calendar in that school year';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("""
        UPDATE ingest.school_days SET instructional = NULL WHERE assumed;
        ALTER TABLE ingest.school_days DROP COLUMN assumed;
    """)
