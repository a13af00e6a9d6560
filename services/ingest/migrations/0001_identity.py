"""Consents, identities, what was taken, and the view that casework and notify read."""

from __future__ import annotations

from alembic import op

revision = "ingest_0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE ingest.replay_clock (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    today date NOT NULL
);
COMMENT ON TABLE ingest.replay_clock IS 'The replayed day; empty when the wall clock rules';

CREATE TABLE ingest.settings (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    timezone text NOT NULL
);

CREATE FUNCTION ingest.today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT today FROM ingest.replay_clock),
        (now() AT TIME ZONE coalesce((SELECT timezone FROM ingest.settings), 'America/New_York'))::date)
$$;

CREATE TABLE ingest.schools (
    school_id text PRIMARY KEY,
    name text,
    campus text,
    timezone text
);

CREATE TABLE ingest.students (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pseudonym text NOT NULL UNIQUE,
    student_id text NOT NULL UNIQUE,
    slot integer NOT NULL,
    first_name text,
    last_name text,
    grade text,
    household text,
    consent_from date,
    consent_through date,
    next_change date,
    ended_on date,
    revision integer NOT NULL DEFAULT 0,
    consent_pending boolean NOT NULL DEFAULT false,
    enrollment_pending boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN ingest.students.household IS 'The household''s pseudonym';
COMMENT ON COLUMN ingest.students.consent_from IS
    'The unbroken run of days on which a consent fits, as of the last look; null when none is in force';
COMMENT ON COLUMN ingest.students.next_change IS 'The next day on which consents must be looked at again';
COMMENT ON COLUMN ingest.students.ended_on IS 'Date of the last tombstone: an earlier day never counts again';
COMMENT ON COLUMN ingest.students.revision IS 'Counts changes, so that a publisher sees one that came meanwhile';
COMMENT ON COLUMN ingest.students.consent_pending IS 'Kafka has not acknowledged the run, or its end, yet';
CREATE INDEX students_next_change ON ingest.students (next_change);
CREATE INDEX students_pending ON ingest.students (id) WHERE consent_pending OR enrollment_pending;

CREATE TABLE ingest.consents (
    student integer NOT NULL REFERENCES ingest.students ON DELETE CASCADE,
    agreement_id text NOT NULL,
    signed_on date NOT NULL,
    notice boolean NOT NULL,
    arrival bigint GENERATED ALWAYS AS IDENTITY,
    signed_by text,
    relationship text,
    method text,
    records text[] NOT NULL,
    purpose text,
    recipients text[] NOT NULL,
    expires_on date,
    revoked_on date,
    PRIMARY KEY (student, agreement_id, signed_on, notice)
);
COMMENT ON COLUMN ingest.consents.notice IS 'A revocation that is no consent itself';
COMMENT ON COLUMN ingest.consents.arrival IS 'Which came first, of a consent and a revocation of one day';

CREATE TABLE ingest.enrollments (
    student integer NOT NULL REFERENCES ingest.students ON DELETE CASCADE,
    school_id text NOT NULL,
    entry_date date NOT NULL,
    exit_date date,
    PRIMARY KEY (student, school_id, entry_date)
);

CREATE TABLE ingest.taken (
    student integer NOT NULL,
    date date NOT NULL,
    digest bigint NOT NULL,
    section text NOT NULL,
    taken bigint NOT NULL,
    PRIMARY KEY (student, date, digest)
);
COMMENT ON TABLE ingest.taken IS
    'Marks that Kafka has acknowledged, so that a repeat counts nothing twice; no foreign key, for speed';
COMMENT ON COLUMN ingest.taken.taken IS 'Order of taking: nanoseconds since 1970';

CREATE TABLE ingest.taken_events (
    digest bytea PRIMARY KEY,
    student integer NOT NULL
);
CREATE INDEX taken_events_student ON ingest.taken_events (student);

CREATE TABLE ingest.school_days (
    school_id text NOT NULL,
    date date NOT NULL,
    instructional boolean,
    reported boolean NOT NULL DEFAULT false,
    history boolean NOT NULL DEFAULT false,
    absent integer NOT NULL DEFAULT 0,
    seen integer NOT NULL DEFAULT 0,
    expected integer NOT NULL DEFAULT 0,
    revision integer NOT NULL DEFAULT 0,
    day_pending boolean NOT NULL DEFAULT false,
    close_pending boolean NOT NULL DEFAULT false,
    PRIMARY KEY (school_id, date)
);
COMMENT ON TABLE ingest.school_days IS 'Calendar, closes and head counts per school and date; nobody is named';
CREATE INDEX school_days_pending ON ingest.school_days (school_id, date) WHERE day_pending OR close_pending;

CREATE TABLE ingest.enrolled_changes (
    school_id text NOT NULL,
    date date NOT NULL,
    change integer NOT NULL,
    PRIMARY KEY (school_id, date)
);
COMMENT ON TABLE ingest.enrolled_changes IS
    'How the number of enrolled students changes by date, so that it is known for any date; sums only';

CREATE VIEW ingest.consented_students AS
    SELECT pseudonym, student_id, first_name, last_name, grade, household, slot, consent_from, consent_through
    FROM ingest.students
    WHERE consent_from <= ingest.today() AND (consent_through IS NULL OR consent_through >= ingest.today());
COMMENT ON VIEW ingest.consented_students IS
    'Students whose consent is in force now, by the one clock: what other services may join';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("DROP SCHEMA ingest CASCADE")
