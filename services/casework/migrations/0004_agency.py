"""Whose alerts they are."""

from __future__ import annotations

from alembic import op

revision = "casework_0004"
down_revision = "casework_0003"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE casework.alerts ADD COLUMN agency text;
UPDATE casework.alerts SET agency = 'project-hope';
COMMENT ON COLUMN casework.alerts.agency IS 'Who gets it';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("ALTER TABLE casework.alerts DROP COLUMN agency")
