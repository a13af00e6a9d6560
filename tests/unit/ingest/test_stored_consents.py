"""How a later row changes a consent that is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from services.ingest.consent.in_force import ConsentPolicy, Run, current_run
from services.ingest.consent.stored import merged, stored
from services.ingest.rows.parse import ConsentRow

SIGNED = date(2016, 9, 1)
WITHDRAWN = date(2016, 12, 1)
ROW = ConsentRow(
    student_id="s",
    agreement_id="a",
    signed_by="A. Guardian",
    relationship="parent",
    signed_on=SIGNED,
    method="paper",
    records=("attendance",),
    purpose="homelessness-prevention",
    recipients=("project-hope",),
    expires_on=None,
    revoked_on=None,
)
BARE = ConsentRow("s", "a", None, None, None, None, (), None, (), None, WITHDRAWN)


def test_the_same_row_again_changes_nothing() -> None:
    kept = stored(ROW, 1)
    assert merged(kept, stored(ROW, 2)) == kept


def test_a_withdrawal_stays_when_the_consent_is_sent_again_without_it() -> None:
    kept = merged(stored(ROW, 1), stored(replace(ROW, revoked_on=WITHDRAWN), 2))
    assert kept.revoked_on == WITHDRAWN
    assert merged(kept, stored(ROW, 3)) == kept


def test_a_row_that_only_revokes_leaves_what_the_consent_covers_and_ends_it() -> None:
    policy = ConsentPolicy("a", "homelessness-prevention", "project-hope")
    kept, revoking = stored(ROW, 1), stored(replace(BARE, signed_on=SIGNED), 2)
    assert revoking.key != kept.key
    run = current_run([kept.term(policy), revoking.term(policy)], SIGNED, None)
    assert run == Run(SIGNED, WITHDRAWN - timedelta(days=1))


def test_two_purposes_signed_for_on_one_day_are_two_consents() -> None:
    assert stored(ROW, 1).key != stored(replace(ROW, purpose="program-evaluation"), 2).key


def test_a_narrower_consent_replaces_the_wider_one() -> None:
    assert merged(stored(ROW, 1), stored(replace(ROW, records=("grades",)), 2)).records == ("grades",)


def test_a_revocation_without_a_signature_is_a_notice_of_its_day() -> None:
    notice = stored(BARE, 1)
    assert notice.key.notice
    assert notice.key.signed_on == WITHDRAWN
