"""Why a mail was cancelled, in plain words, and whether its case had ended before it."""

from __future__ import annotations

from alembic import op

revision = "notify_0007"
down_revision = "notify_0006"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE notify.outbox ADD COLUMN reason text;
COMMENT ON COLUMN notify.outbox.reason IS 'Why it was cancelled; null in other states, and before it was kept';
ALTER TABLE notify.outbox ADD COLUMN after_end boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN notify.outbox.after_end IS
    'Its case had ended when it was written: what it tells opens the case again, so that state does not stop it';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("ALTER TABLE notify.outbox DROP COLUMN after_end, DROP COLUMN reason")
