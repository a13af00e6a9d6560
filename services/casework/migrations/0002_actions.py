"""What was done about alerts: taken, snoozed, contacted, closed. The table is its own outbox."""

from __future__ import annotations

from alembic import op

revision = "casework_0002"
down_revision = "casework_0001"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE casework.actions (
    action_id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    alert_id uuid NOT NULL REFERENCES casework.alerts ON DELETE CASCADE,
    action text NOT NULL CHECK (action IN ('taken', 'snoozed', 'contacted', 'closed')),
    outcome text CHECK (
        outcome IN ('homelessness_identified', 'housing_crisis', 'not_homeless', 'could_not_reach', 'other')),
    done_on date NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    CHECK ((action = 'closed') = (outcome IS NOT NULL))
);
COMMENT ON COLUMN casework.actions.position IS 'The order in which the actions of one alert were taken';
COMMENT ON COLUMN casework.actions.published_at IS 'When Kafka had acknowledged it; null while it is to be sent';
CREATE INDEX actions_alert ON casework.actions (alert_id, position);
CREATE INDEX actions_unpublished ON casework.actions (position) WHERE published_at IS NULL;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE casework.actions")
