"""What is looked up by student to be erased, what remains of mails then, and of which school an alert is."""

from __future__ import annotations

from alembic import op

revision = "notify_0006"
down_revision = "notify_0005"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE notify.alerts ADD COLUMN school_id text;
COMMENT ON COLUMN notify.alerts.school_id IS 'Null: of no school, or written before it was kept';
CREATE INDEX alerts_student ON notify.alerts (student);
CREATE INDEX outbox_student ON notify.outbox (student);

CREATE TABLE notify.past_mails (
    status text NOT NULL CHECK (status IN ('sent', 'failed', 'cancelled')),
    caused_at timestamptz NOT NULL,
    sent_at timestamptz
);
COMMENT ON TABLE notify.past_mails IS 'Mails about students who were erased: no more than figures need';
CREATE OR REPLACE VIEW notify.mails WITH (security_invoker = true) AS
    SELECT status, caused_at, sent_at FROM notify.outbox
    UNION ALL SELECT status, caused_at, sent_at FROM notify.past_mails;
"""

DOWNGRADE = """
CREATE OR REPLACE VIEW notify.mails WITH (security_invoker = true) AS
    SELECT status, caused_at, sent_at FROM notify.outbox;
DROP TABLE notify.past_mails;
DROP INDEX notify.outbox_student, notify.alerts_student;
ALTER TABLE notify.alerts DROP COLUMN school_id;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
