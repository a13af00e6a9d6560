"""Of which school a mail is, so that the delivery sees whether that is still shared."""

from __future__ import annotations

from alembic import op

revision = "notify_0005"
down_revision = "notify_0004"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE notify.outbox ADD COLUMN school_id text;
COMMENT ON COLUMN notify.outbox.school_id IS
    'Null: of no school, or written before it was kept; consent alone is asked';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("ALTER TABLE notify.outbox DROP COLUMN school_id")
