"""What share of a school was absent on a day: so that a snow day can be seen as one."""

from __future__ import annotations

from alembic import op

from services.platform.roles import role_of

revision = "ingest_0020"
down_revision = "ingest_0019"
branch_labels = None
depends_on = None

COUNTS = "absent, expected"
VIEW = """
CREATE VIEW ingest.case_days WITH (security_invoker = true) AS
    SELECT school_id, date, absent, greatest(seen, expected) AS students FROM ingest.school_days WHERE reported;
COMMENT ON VIEW ingest.case_days IS 'Head counts of days that schools have reported: who was absent, of how many';
"""


def upgrade() -> None:
    op.execute(VIEW)
    casework = role_of("casework")
    op.execute(f"GRANT SELECT ON ingest.case_days TO {casework}")
    op.execute(f"GRANT SELECT ({COUNTS}) ON ingest.school_days TO {casework}")


def downgrade() -> None:
    op.execute("DROP VIEW ingest.case_days")
    op.execute(f"REVOKE ALL ({COUNTS}) ON ingest.school_days FROM {role_of('casework')}")
