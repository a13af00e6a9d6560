"""Which weeks Kafka knows to be over."""

from __future__ import annotations

from alembic import op

revision = "ingest_0002"
down_revision = "ingest_0001"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE ingest.closed_weeks (
    week date PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ingest.closed_weeks IS
    'Weeks with school that are over, by their Monday, once Kafka has acknowledged it';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP TABLE ingest.closed_weeks")
