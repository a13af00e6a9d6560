"""Erasure: the feeds' keys, the ledger of what was erased, and who has confirmed it."""

from __future__ import annotations

from alembic import op

from services.platform.roles import READER, role_of
from services.platform.row_security import NO_STUDENTS, acts_as, of_agency, protect, unprotect

revision = "ingest_0012"
down_revision = "ingest_0011"
branch_labels = None
depends_on = None

INGEST = "ingest"
OTHERS = ("warning", "casework", "notify")
EVERYONE = ", ".join(role_of(one) for one in (INGEST, *OTHERS))
HELD = f"{NO_STUDENTS} AND {of_agency('recipient')}"

TABLES = """
CREATE SCHEMA erasure;

CREATE TABLE erasure.keys (
    pseudonym text PRIMARY KEY,
    recipient text NOT NULL,
    master text NOT NULL,
    wrapped bytea NOT NULL
);
COMMENT ON TABLE erasure.keys IS 'A key a student and feed: all that is about the student in Kafka is sealed with it';
COMMENT ON COLUMN erasure.keys.master IS 'The name of the master key that wraps it';

CREATE TABLE erasure.ledger (
    id uuid PRIMARY KEY,
    student bytea NOT NULL,
    agreement text NOT NULL,
    recipient text NOT NULL,
    kept_for text NOT NULL,
    pseudonym text UNIQUE,
    slot integer,
    because text NOT NULL,
    ended_on date NOT NULL,
    records text[] NOT NULL DEFAULT '{}',
    at timestamptz NOT NULL,
    by text NOT NULL,
    held boolean NOT NULL DEFAULT false,
    removed jsonb NOT NULL DEFAULT '{}',
    gone bigint UNIQUE,
    published boolean NOT NULL DEFAULT false,
    CHECK (held = (gone IS NULL))
);
COMMENT ON TABLE erasure.ledger IS
    'What was erased, and which consents never count again; an entry with a pseudonym is a proof, too';
COMMENT ON COLUMN erasure.ledger.student IS 'A keyed digest of the district''s id';
COMMENT ON COLUMN erasure.ledger.kept_for IS
    'As of ingest.students; of a withdrawal, the purpose that it names, and empty is all';
COMMENT ON COLUMN erasure.ledger.recipient IS 'An agency; * is everyone''s, of a withdrawal that names none';
COMMENT ON COLUMN erasure.ledger.because IS 'withdrawn, expired, agreement_ended, destroyed';
COMMENT ON COLUMN erasure.ledger.ended_on IS
    'Of a withdrawal: no consent of the agreement, to the recipient, that was signed before this day counts again';
COMMENT ON COLUMN erasure.ledger.records IS 'Of a withdrawal: the kinds of records that it ended; empty is all of them';
COMMENT ON COLUMN erasure.ledger.held IS 'The deletion waits for an inspection; access ended';
COMMENT ON COLUMN erasure.ledger.gone IS
    'In which order keys were deleted: given under a lock, so that a reader who knows one has missed none before it';
COMMENT ON COLUMN erasure.ledger.published IS 'Whether it is also in Kafka and in the file beside the master key';
CREATE INDEX ledger_student ON erasure.ledger (student);
CREATE INDEX ledger_unpublished ON erasure.ledger (id) WHERE NOT published;

CREATE TABLE erasure.origin (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    name text NOT NULL
);
COMMENT ON TABLE erasure.origin IS
    'Of which pseudonym key the digests are: entries of the copies that another made are of no student here';

CREATE TABLE erasure.awaited (
    service text NOT NULL,
    id uuid NOT NULL REFERENCES erasure.ledger ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (service, id)
);
COMMENT ON TABLE erasure.awaited IS 'Services that have not confirmed yet that they hold nothing any more';

CREATE TABLE erasure.confirmations (
    id uuid NOT NULL REFERENCES erasure.ledger ON DELETE CASCADE,
    service text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed jsonb NOT NULL,
    PRIMARY KEY (id, service)
);
COMMENT ON COLUMN erasure.confirmations.removed IS 'What the service removed: how many by place';

ALTER TABLE ingest.students
    DROP COLUMN ended_on,
    ADD COLUMN adult_on date,
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT students_student_id_agency_kept_for_key;
CREATE UNIQUE INDEX students_kept ON ingest.students (student_id, agency, kept_for) WHERE NOT held;
COMMENT ON COLUMN ingest.students.adult_on IS
    'The day of the eighteenth birthday, where it is known: from then on the student signs, and no parent';
COMMENT ON COLUMN ingest.students.held IS 'Ended: what there is waits for an inspection to close, and is then deleted';
COMMENT ON INDEX ingest.students_kept IS 'Who looks a student up says NOT held';

DELETE FROM ingest.consents WHERE notice;
ALTER TABLE ingest.consents
    DROP CONSTRAINT consents_pkey,
    DROP COLUMN notice,
    DROP COLUMN arrival,
    ADD PRIMARY KEY (student, agreement_id, signed_on, purpose);
COMMENT ON COLUMN ingest.consents.purpose IS 'A parent may sign for several on one day';
COMMENT ON COLUMN ingest.consents.records IS 'As far as they were not withdrawn';
"""


def upgrade() -> None:
    op.execute(TABLES)
    reader = role_of(READER)
    through = "EXISTS (SELECT FROM erasure.ledger l WHERE l.id = {}.id)"
    op.execute(protect("erasure.keys", service=INGEST, caller=HELD, held=True))
    op.execute(protect("erasure.ledger", service=INGEST, caller=HELD, held=True))
    for table in ("awaited", "confirmations"):
        op.execute(protect(f"erasure.{table}", service=INGEST, caller=f"{NO_STUDENTS} AND {through.format(table)}"))
    op.execute(f"""
        GRANT USAGE ON SCHEMA erasure TO {EVERYONE}, {reader};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA erasure TO {role_of(INGEST)};
        GRANT SELECT ON erasure.ledger, erasure.awaited, erasure.confirmations TO {reader};
    """)
    for other in OTHERS:
        role, acts = role_of(other), acts_as(other)
        op.execute(f"""
            GRANT SELECT ON erasure.keys, erasure.ledger, erasure.origin TO {role};
            GRANT SELECT, DELETE ON erasure.awaited TO {role};
            GRANT SELECT, INSERT ON erasure.confirmations TO {role};
            CREATE POLICY {other} ON erasure.keys FOR SELECT TO {role} USING ({acts});
            CREATE POLICY {other} ON erasure.ledger FOR SELECT TO {role} USING ({acts});
            CREATE POLICY {other} ON erasure.awaited TO {role} USING ({acts} AND service = '{other}');
            CREATE POLICY {other} ON erasure.confirmations TO {role} USING ({acts} AND service = '{other}');
        """)


def downgrade() -> None:
    for table in ("confirmations", "awaited", "ledger", "keys"):
        op.execute(unprotect(f"erasure.{table}", *OTHERS))
    op.execute("""
        DROP SCHEMA erasure CASCADE;
        DELETE FROM ingest.students WHERE held;
        DROP INDEX ingest.students_kept;
        ALTER TABLE ingest.students
            ADD COLUMN ended_on date,
            DROP COLUMN adult_on,
            DROP COLUMN held,
            ADD UNIQUE (student_id, agency, kept_for);
        ALTER TABLE ingest.consents
            DROP CONSTRAINT consents_pkey,
            ADD COLUMN notice boolean NOT NULL DEFAULT false,
            ADD COLUMN arrival bigint GENERATED ALWAYS AS IDENTITY,
            ADD PRIMARY KEY (student, agreement_id, signed_on, notice, purpose);
    """)
