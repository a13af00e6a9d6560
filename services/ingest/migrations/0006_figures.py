"""What others may count of the intake."""

from __future__ import annotations

from alembic import op

revision = "ingest_0006"
down_revision = "ingest_0005"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE VIEW ingest.figures AS
    SELECT (SELECT count(*) FROM ingest.taken) AS marks, (SELECT count(*) FROM ingest.closed_weeks) AS weeks;
COMMENT ON VIEW ingest.figures IS 'How many marks were kept and weeks closed: sums only';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP VIEW ingest.figures")
