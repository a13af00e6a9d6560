"""Row-level security: alerts and what was done about them, by the caller's schools."""

from __future__ import annotations

from alembic import op

from services.platform.row_security import grant, of_caller, of_caller_through, protect, revoke, unprotect

revision = "casework_0005"
down_revision = "casework_0004"
branch_labels = None
depends_on = None

OF_ALERTS = ("alert_events", "actions")
VIEWS = ("nameless_alerts", "stored_events")


def upgrade() -> None:
    op.execute(grant("casework"))
    op.execute("REVOKE UPDATE, DELETE ON casework.alert_events FROM firstbell_casework")
    of_their_own = of_caller(school="school_id", agency="agency")
    op.execute(protect("casework.alerts", service="casework", caller=of_their_own, held=True))
    for table in OF_ALERTS:
        alert = f"SELECT FROM casework.alerts a WHERE a.id = {table}.alert_id"
        op.execute(protect(f"casework.{table}", service="casework", caller=of_caller_through(alert), held=True))
    for view in VIEWS:
        op.execute(f"ALTER VIEW casework.{view} SET (security_invoker = true)")


def downgrade() -> None:
    for view in VIEWS:
        op.execute(f"ALTER VIEW casework.{view} RESET (security_invoker)")
    for table in (*OF_ALERTS, "alerts"):
        op.execute(unprotect(f"casework.{table}"))
    op.execute(revoke("casework"))
