"""What others may read of the alerts; nothing in it says whose they are."""

from __future__ import annotations

from alembic import op

revision = "casework_0003"
down_revision = "casework_0002"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE VIEW casework.nameless_alerts AS
    SELECT id, level, status, raised_on, reasons, updated_at FROM casework.alerts;
COMMENT ON VIEW casework.nameless_alerts IS 'Alerts without their students: for figures and the demo';

CREATE VIEW casework.stored_events AS
    SELECT caused_at, pg_xact_commit_timestamp(xmin) AS stored_at FROM casework.alert_events WHERE NOT superseded;
COMMENT ON VIEW casework.stored_events IS 'When the mark behind each alert event was taken, and its row committed';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP VIEW casework.stored_events; DROP VIEW casework.nameless_alerts")
