"""Cases: what one agency does about one household, and what changes of them pages are told."""

from __future__ import annotations

from alembic import op

from services.platform.roles import role_of
from services.platform.row_security import acts_as, of_caller_through, protect, unprotect

revision = "casework_0007"
down_revision = "casework_0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE casework.cases (
    id uuid PRIMARY KEY,
    agency text,
    family text,
    school_id text,
    level text CHECK (level IN ('watch', 'elevated', 'urgent')),
    state text NOT NULL CHECK (state IN ('new', 'taken', 'snoozed', 'closed', 'cleared', 'withdrawn')),
    version bigint NOT NULL DEFAULT 1,
    opened_on date NOT NULL,
    ended_on date,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    waiting_since timestamptz,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    owner text,
    taken_on date,
    contact_by date,
    first_contact_at timestamptz,
    last_contact_on date,
    due_on date,
    snoozed_until date,
    until_worse boolean NOT NULL DEFAULT false,
    snoozed_level text,
    referred_to text,
    referred_by text,
    referral_expires_on date,
    referral_accepted boolean NOT NULL DEFAULT false,
    returned text,
    outcome text,
    CHECK ((state = 'new') = (waiting_since IS NOT NULL)),
    CHECK ((state IN ('closed', 'cleared', 'withdrawn')) = (ended_on IS NOT NULL)),
    CHECK ((state IN ('taken', 'snoozed')) <= (owner IS NOT NULL)),
    CHECK ((state = 'closed') >= (outcome IS NOT NULL))
);
COMMENT ON TABLE casework.cases IS 'A household (or a student without one) and an agency: one piece of work';
COMMENT ON COLUMN casework.cases.id IS 'Of the alert that opened it';
COMMENT ON COLUMN casework.cases.family IS 'The pseudonym of the household or student; null once nobody of it is left';
COMMENT ON COLUMN casework.cases.school_id IS 'Of the alert that gives it its level, as the level is';
COMMENT ON COLUMN casework.cases.waiting_since IS 'Since when it waits for somebody to take it (wall clock)';
COMMENT ON COLUMN casework.cases.contact_by IS 'Without a contact by the end of this day it goes back into the queue';
COMMENT ON COLUMN casework.cases.returned IS 'Why it came back to who should look at it';
CREATE INDEX cases_newest ON casework.cases (opened_on DESC, id DESC);
CREATE INDEX cases_of_state ON casework.cases (agency, state, opened_on DESC, id DESC);
CREATE INDEX cases_of_family ON casework.cases (family);
CREATE INDEX cases_waiting ON casework.cases (waiting_since) WHERE state = 'new';
CREATE INDEX cases_in_hand ON casework.cases (state) WHERE state IN ('taken', 'snoozed');

ALTER TABLE casework.alerts ADD COLUMN case_id uuid REFERENCES casework.cases;
CREATE INDEX alerts_case ON casework.alerts (case_id);

CREATE TABLE casework.case_actions (
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    case_id uuid NOT NULL REFERENCES casework.cases ON DELETE CASCADE,
    action text NOT NULL,
    subject text,
    role text,
    done_on date NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    given jsonb NOT NULL,
    before jsonb,
    undone boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE casework.case_actions IS 'What people did about a case, and what came of itself (without a subject)';
COMMENT ON COLUMN casework.case_actions.given IS 'What was said with it: result, kind, until, reason, outcome, note, …';
COMMENT ON COLUMN casework.case_actions.before IS 'The case before it, by which it can be undone';
CREATE INDEX case_actions_case ON casework.case_actions (case_id, position);

CREATE TABLE casework.changes (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new', 'changed', 'gone')),
    agency text,
    schools text[] NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE casework.changes IS 'Which cases changed, for the pages that show them; kept for a day';

ALTER TABLE casework.actions
    DROP CONSTRAINT actions_action_check,
    DROP CONSTRAINT actions_outcome_check,
    ADD CONSTRAINT actions_outcome_check CHECK (outcome IN (
        'homelessness_identified', 'housing_crisis', 'helped', 'already_known', 'not_at_risk', 'unreachable',
        'moved_away', 'not_homeless', 'could_not_reach', 'other')),
    ADD COLUMN of_case jsonb;
COMMENT ON COLUMN casework.actions.of_case IS 'What the event says of an action on the whole case; null without one';

INSERT INTO casework.cases (id, agency, family, school_id, level, state, opened_on, ended_on, waiting_since, updated_at)
SELECT DISTINCT ON (agency, coalesce(household, student))
       id, agency, coalesce(household, student), school_id, level,
       CASE WHEN bool_or(status = 'open') OVER family THEN 'new'
            WHEN bool_or(status = 'closed') OVER family THEN 'closed'
            WHEN bool_or(status = 'cleared') OVER family THEN 'cleared' ELSE 'withdrawn' END,
       raised_on,
       CASE WHEN NOT bool_or(status = 'open') OVER family THEN max(raised_on) OVER family END,
       CASE WHEN bool_or(status = 'open') OVER family THEN clock_timestamp() END, updated_at
FROM casework.alerts
WINDOW family AS (PARTITION BY agency, coalesce(household, student))
ORDER BY agency, coalesce(household, student), level IS NULL, raised_on, id;
UPDATE casework.alerts a SET case_id = c.id FROM casework.cases c
WHERE c.agency IS NOT DISTINCT FROM a.agency AND c.family = coalesce(a.household, a.student);
UPDATE casework.cases SET family = NULL WHERE level IS NULL;
"""

VIEWS = """
CREATE VIEW casework.alert_cases WITH (security_invoker = true) AS
    SELECT a.id AS alert_id, c.id AS case_id, c.state, c.owner, c.level, c.agency, a.school_id
    FROM casework.alerts a JOIN casework.cases c ON c.id = a.case_id WHERE a.level IS NOT NULL;
COMMENT ON VIEW casework.alert_cases IS 'How the case of an alert stands, for who is about to tell of it';
CREATE VIEW casework.waiting_cases WITH (security_invoker = true) AS
    SELECT c.id AS case_id, lead.id AS alert_id, lead.student, lead.school_id, c.agency, c.level, c.waiting_since
    FROM casework.cases c CROSS JOIN LATERAL (
        SELECT a.id, a.student, a.school_id FROM casework.alerts a
        WHERE a.case_id = c.id AND a.status = 'open' AND a.level = c.level ORDER BY a.id LIMIT 1) AS lead
    WHERE c.state = 'new';
COMMENT ON VIEW casework.waiting_cases IS 'Cases that nobody has taken, each with the alert that gives it its level';
"""
SHOWN_TO_NOTIFY = {
    "cases": "id, state, owner, level, agency, waiting_since",
    "alerts": "id, case_id, level, school_id, student, status",
}
NEW_TABLES = ("changes", "case_actions", "cases")


def upgrade() -> None:
    op.execute(TABLES)
    theirs = of_caller_through("SELECT FROM casework.alerts a WHERE a.case_id = cases.id")
    op.execute(protect("casework.cases", service="casework", caller=theirs, held=True))
    case = "SELECT FROM casework.cases c WHERE c.id = case_actions.case_id"
    op.execute(protect("casework.case_actions", service="casework", caller=of_caller_through(case), held=True))
    changed = "SELECT FROM casework.cases c WHERE c.id = changes.case_id"
    op.execute(protect("casework.changes", service="casework", caller=of_caller_through(changed)))
    op.execute(VIEWS)
    notify = role_of("notify")
    op.execute(f"GRANT USAGE ON SCHEMA casework TO {notify}")
    op.execute(f"GRANT SELECT ON casework.alert_cases, casework.waiting_cases TO {notify}")
    for table, columns in SHOWN_TO_NOTIFY.items():
        op.execute(f"""
            GRANT SELECT ({columns}) ON casework.{table} TO {notify};
            CREATE POLICY telling ON casework.{table} FOR SELECT TO {notify} USING ({acts_as("notify")});
        """)


def downgrade() -> None:
    notify = role_of("notify")
    op.execute("DROP VIEW casework.waiting_cases, casework.alert_cases")
    for table, columns in SHOWN_TO_NOTIFY.items():
        op.execute(f"DROP POLICY telling ON casework.{table}; REVOKE ALL ({columns}) ON casework.{table} FROM {notify}")
    op.execute(f"REVOKE USAGE ON SCHEMA casework FROM {notify}")
    for table in NEW_TABLES:
        op.execute(unprotect(f"casework.{table}"))
    op.execute("""
        DELETE FROM casework.actions WHERE of_case IS NOT NULL;
        ALTER TABLE casework.actions
            DROP COLUMN of_case,
            DROP CONSTRAINT actions_outcome_check,
            ADD CONSTRAINT actions_action_check CHECK (action IN ('taken', 'snoozed', 'contacted', 'closed')),
            ADD CONSTRAINT actions_outcome_check CHECK (
                outcome IN ('homelessness_identified', 'housing_crisis', 'not_homeless', 'could_not_reach', 'other'));
        ALTER TABLE casework.alerts DROP COLUMN case_id;
        DROP TABLE casework.changes, casework.case_actions, casework.cases;
    """)
