"""The alerts as they stand, and the timeline of what happened to them."""

from __future__ import annotations

from alembic import op

revision = "casework_0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE casework.alerts (
    id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    student text NOT NULL,
    household text,
    school_id text NOT NULL,
    level text NOT NULL CHECK (level IN ('watch', 'elevated', 'urgent')),
    status text NOT NULL CHECK (status IN ('open', 'cleared', 'withdrawn', 'closed')),
    raised_on date NOT NULL,
    updated_at timestamptz NOT NULL,
    reasons jsonb NOT NULL
);
COMMENT ON COLUMN casework.alerts.seq IS 'Of the last event taken in; an older one changes nothing';
CREATE INDEX alerts_newest ON casework.alerts (raised_on DESC, id DESC);
CREATE INDEX alerts_student ON casework.alerts (student);
CREATE INDEX alerts_school ON casework.alerts (school_id, raised_on DESC, id DESC);

CREATE TABLE casework.alert_events (
    event_id uuid PRIMARY KEY,
    alert_id uuid NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    level text NOT NULL,
    previous_level text,
    changed_on date NOT NULL,
    because text NOT NULL,
    superseded boolean NOT NULL,
    caused_at timestamptz NOT NULL
);
COMMENT ON TABLE casework.alert_events IS
    'Rows are inserted and never updated, so that pg_xact_commit_timestamp(xmin) is when an event was stored';
CREATE INDEX alert_events_alert ON casework.alert_events (alert_id, seq);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE casework.alert_events, casework.alerts")
