"""What others may read of the mails; nothing in it says whose they are, or to whom they went."""

from __future__ import annotations

from alembic import op

revision = "notify_0002"
down_revision = "notify_0001"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE VIEW notify.mails AS SELECT status, caused_at, sent_at FROM notify.outbox;
COMMENT ON VIEW notify.mails IS 'How far each mail is, and when what caused it was taken: for figures and the demo';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP VIEW notify.mails")
