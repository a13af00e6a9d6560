"""Row-level security: who was told of whom is notify's alone."""

from __future__ import annotations

from alembic import op

from services.platform.row_security import grant, of_caller, protect, revoke, unprotect

revision = "notify_0004"
down_revision = "notify_0002"
branch_labels = None
depends_on = None

TABLES = ("alerts", "told", "outbox")


def upgrade() -> None:
    op.execute(grant("notify"))
    for table in TABLES:
        op.execute(protect(f"notify.{table}", service="notify", caller=of_caller()))
    op.execute("ALTER VIEW notify.mails SET (security_invoker = true)")


def downgrade() -> None:
    op.execute("ALTER VIEW notify.mails RESET (security_invoker)")
    for table in TABLES:
        op.execute(unprotect(f"notify.{table}"))
    op.execute(revoke("notify"))
