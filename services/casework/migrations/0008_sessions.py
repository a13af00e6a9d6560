"""Who is signed in to the console: a session each, whose token is sealed by what the browser alone has."""

from __future__ import annotations

from alembic import op

from services.platform.roles import READER, role_of

revision = "casework_0008"
down_revision = "casework_0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE casework.sessions (
    id bytea PRIMARY KEY,
    sealed bytea NOT NULL,
    signed_in_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE casework.sessions IS 'Who is signed in: without the cookie of the browser none of it can be read';
COMMENT ON COLUMN casework.sessions.id IS 'A hash of the cookie';
CREATE INDEX sessions_expire ON casework.sessions (expires_at);
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(f"REVOKE ALL ON casework.sessions FROM {role_of(READER)}")


def downgrade() -> None:
    op.execute("DROP TABLE casework.sessions")
