"""Mails to supervisors about cases that nobody takes, and mails that wait for the end of quiet hours."""

from __future__ import annotations

from alembic import op

revision = "notify_0009"
down_revision = "notify_0008"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE notify.outbox
    DROP CONSTRAINT outbox_kind_check,
    ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('level', 'withdrawn', 'escalation'));
ALTER TABLE notify.outbox ADD COLUMN not_before timestamptz;
COMMENT ON COLUMN notify.outbox.not_before IS 'The end of the recipient''s quiet hours, in which it came';
CREATE OR REPLACE VIEW notify.deliveries WITH (security_invoker = true) AS
    SELECT id, position, alert_id, recipient, attempts, created_at, sent_at,
           CASE status WHEN 'pending' THEN 'queued' ELSE status END AS state,
           CASE WHEN status IN ('pending', 'failed') THEN last_error ELSE reason END AS reason,
           CASE WHEN status = 'pending' AND greatest(next_attempt_at, not_before) > clock_timestamp()
                THEN greatest(next_attempt_at, not_before) END AS not_before
    FROM notify.outbox;
GRANT SELECT (not_before) ON notify.outbox TO firstbell_casework;
"""

DOWNGRADE = """
DELETE FROM notify.outbox WHERE kind = 'escalation';
CREATE OR REPLACE VIEW notify.deliveries WITH (security_invoker = true) AS
    SELECT id, position, alert_id, recipient, attempts, created_at, sent_at,
           CASE status WHEN 'pending' THEN 'queued' ELSE status END AS state,
           CASE WHEN status IN ('pending', 'failed') THEN last_error ELSE reason END AS reason,
           CASE WHEN status = 'pending' AND next_attempt_at > clock_timestamp() THEN next_attempt_at END AS not_before
    FROM notify.outbox;
ALTER TABLE notify.outbox DROP COLUMN not_before;
ALTER TABLE notify.outbox
    DROP CONSTRAINT outbox_kind_check,
    ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('level', 'withdrawn'));
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
