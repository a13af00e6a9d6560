"""Of an erased student's alert it remains that there was one."""

from __future__ import annotations

from alembic import op

revision = "casework_0006"
down_revision = "casework_0005"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE casework.alerts
    ALTER COLUMN school_id DROP NOT NULL,
    ALTER COLUMN level DROP NOT NULL,
    ALTER COLUMN reasons DROP NOT NULL,
    ADD CONSTRAINT alerts_whole_or_erased CHECK (
        num_nulls(school_id, level, reasons) = 0
        OR (status = 'withdrawn' AND num_nulls(household, school_id, level, reasons) = 4));
COMMENT ON COLUMN casework.alerts.reasons IS 'Null, as the school and the level, once the student was erased';
GRANT DELETE ON casework.alert_events TO firstbell_casework;
CREATE OR REPLACE VIEW casework.nameless_alerts WITH (security_invoker = true) AS
    SELECT id, level, status, raised_on, reasons, updated_at FROM casework.alerts WHERE level IS NOT NULL;
"""

DOWNGRADE = """
CREATE OR REPLACE VIEW casework.nameless_alerts WITH (security_invoker = true) AS
    SELECT id, level, status, raised_on, reasons, updated_at FROM casework.alerts;
REVOKE DELETE ON casework.alert_events FROM firstbell_casework;
DELETE FROM casework.alerts WHERE level IS NULL;
ALTER TABLE casework.alerts
    DROP CONSTRAINT alerts_whole_or_erased,
    ALTER COLUMN school_id SET NOT NULL,
    ALTER COLUMN level SET NOT NULL,
    ALTER COLUMN reasons SET NOT NULL;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
