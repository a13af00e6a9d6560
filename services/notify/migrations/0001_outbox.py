"""What notify knows of each alert, what each team was told, and the outbox."""

from __future__ import annotations

from alembic import op

revision = "notify_0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE notify.alerts (
    alert_id uuid PRIMARY KEY,
    seq bigint NOT NULL,
    student text NOT NULL,
    family text NOT NULL,
    team text NOT NULL,
    level text NOT NULL,
    kinds text[] NOT NULL,
    changed_on date NOT NULL,
    is_open boolean NOT NULL
);
COMMENT ON COLUMN notify.alerts.family IS 'Pseudonym of the household, or of the student when none is known';
CREATE INDEX alerts_family ON notify.alerts (family) WHERE is_open;

CREATE TABLE notify.told (
    family text NOT NULL,
    team text NOT NULL,
    level text NOT NULL,
    alert_id uuid NOT NULL,
    PRIMARY KEY (family, team)
);
COMMENT ON TABLE notify.told IS 'The level that a team last heard of a household with open alerts, and by which alert';

CREATE TABLE notify.outbox (
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    event_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    student text NOT NULL,
    family text NOT NULL,
    recipient text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('level', 'withdrawn')),
    level text NOT NULL,
    kinds text[] NOT NULL,
    changed_on date NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sent', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_error text,
    caused_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at timestamptz,
    UNIQUE (event_id, kind, recipient),
    CHECK ((status = 'sent') = (sent_at IS NOT NULL))
);
COMMENT ON COLUMN notify.outbox.position IS 'Mails of one household to one recipient leave in this order';
COMMENT ON COLUMN notify.outbox.sent_at IS 'When the SMTP server said 250';
COMMENT ON COLUMN notify.outbox.caused_at IS 'When ingest took the mark or close that caused it';
CREATE INDEX outbox_due ON notify.outbox (next_attempt_at, position) WHERE status = 'pending';
CREATE INDEX outbox_of_family ON notify.outbox (family, recipient, position) WHERE status = 'pending';
CREATE INDEX outbox_alert ON notify.outbox (alert_id);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE notify.outbox, notify.told, notify.alerts")
