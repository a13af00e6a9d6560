"""What was or will be sent, for casework to show beside the alert."""

from __future__ import annotations

from alembic import op

from services.platform.roles import role_of
from services.platform.row_security import acts_as

revision = "notify_0008"
down_revision = "notify_0007"
branch_labels = None
depends_on = None

VIEW = """
CREATE VIEW notify.deliveries WITH (security_invoker = true) AS
    SELECT id, position, alert_id, recipient, attempts, created_at, sent_at,
           CASE status WHEN 'pending' THEN 'queued' ELSE status END AS state,
           CASE WHEN status IN ('pending', 'failed') THEN last_error ELSE reason END AS reason,
           CASE WHEN status = 'pending' AND next_attempt_at > clock_timestamp() THEN next_attempt_at END AS not_before
    FROM notify.outbox;
COMMENT ON VIEW notify.deliveries IS 'Every message about an alert, and how far it came; of whose alert one may see';
"""
COLUMNS = """
    id, position, alert_id, recipient, attempts, created_at, sent_at, status, reason, last_error, next_attempt_at
"""


def upgrade() -> None:
    casework = role_of("casework")
    op.execute(VIEW)
    # Casework's own policies say which alerts a caller may see.
    theirs = "EXISTS (SELECT FROM casework.alert_cases a WHERE a.alert_id = outbox.alert_id)"
    op.execute(f"""
        GRANT USAGE ON SCHEMA notify TO {casework};
        GRANT SELECT ON notify.deliveries TO {casework};
        GRANT SELECT ({COLUMNS}) ON notify.outbox TO {casework};
        CREATE POLICY deliveries ON notify.outbox FOR SELECT TO {casework} USING ({acts_as("casework")} AND {theirs});
    """)


def downgrade() -> None:
    casework = role_of("casework")
    op.execute(f"""
        DROP POLICY deliveries ON notify.outbox;
        DROP VIEW notify.deliveries;
        REVOKE ALL ({COLUMNS}) ON notify.outbox FROM {casework};
        REVOKE USAGE ON SCHEMA notify FROM {casework};
    """)
