"""Whoever shows students hears at once, when a transaction is committed, that one of them may not be shown any more."""

from __future__ import annotations

from alembic import op

revision = "ingest_0019"
down_revision = "ingest_0016"
branch_labels = None
depends_on = None

NOTICES = """
CREATE FUNCTION ingest.say_consent_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_notify('firstbell_consents', OLD.pseudonym);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION ingest.say_consent_changed IS 'The pseudonym, to who listens: it is to be asked again';
CREATE TRIGGER say_consent_changed AFTER UPDATE OF consent_from, consent_through, held ON ingest.students
    FOR EACH ROW WHEN (OLD.consent_from IS NOT NULL AND NEW.consent_from IS NULL)
    EXECUTE FUNCTION ingest.say_consent_changed();
CREATE TRIGGER say_consent_ended AFTER DELETE ON ingest.students
    FOR EACH ROW WHEN (OLD.consent_from IS NOT NULL) EXECUTE FUNCTION ingest.say_consent_changed();

CREATE FUNCTION ingest.say_agreement_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_notify('firstbell_consents', '');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION ingest.say_agreement_changed IS 'An empty word to who listens: everybody is to be asked again';
CREATE TRIGGER say_agreement_changed AFTER INSERT OR UPDATE OR DELETE ON ingest.disclosures
    FOR EACH STATEMENT EXECUTE FUNCTION ingest.say_agreement_changed();
"""


def upgrade() -> None:
    op.execute(NOTICES)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER say_agreement_changed ON ingest.disclosures;
        DROP TRIGGER say_consent_ended ON ingest.students;
        DROP TRIGGER say_consent_changed ON ingest.students;
        DROP FUNCTION ingest.say_agreement_changed, ingest.say_consent_changed;
    """)
