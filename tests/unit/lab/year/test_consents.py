from __future__ import annotations

from datetime import date

from services.ingest.consent.in_force import ConsentPolicy, Run
from services.ingest.rows.parse import ConsentRow
from services.lab.year.consents import Consented

_FIRST, _LAST = date(2025, 9, 4), date(2026, 6, 20)


def _row(signed_on: date | None, *, agreement: str = "A", revoked_on: date | None = None) -> ConsentRow:
    return ConsentRow(
        student_id="s1",
        agreement_id=agreement,
        signed_by=None,
        relationship=None,
        signed_on=signed_on,
        method=None,
        records=("attendance",),
        purpose="homelessness-prevention",
        recipients=("project-hope",),
        expires_on=None,
        revoked_on=revoked_on,
    )


def _runs(*batches: list[ConsentRow]) -> dict[str, list[Run]]:
    consented = Consented(ConsentPolicy("*", "homelessness-prevention", "project-hope"), _FIRST)
    for batch in batches:
        consented.take(batch)
    return consented.runs(_LAST)


def test_a_consent_renewed_after_a_revocation_makes_a_second_run() -> None:
    runs = _runs([_row(date(2025, 8, 1), revoked_on=date(2025, 11, 3)), _row(date(2026, 1, 12))])

    assert runs == {"s1": [Run(date(2025, 8, 1), date(2025, 11, 2)), Run(date(2026, 1, 12), None)]}


def test_a_consent_that_is_over_before_the_first_day_or_begins_after_the_last_makes_none() -> None:
    assert _runs([_row(date(2025, 8, 1), revoked_on=date(2025, 9, 1)), _row(date(2026, 7, 1))]) == {}


def test_a_revocation_before_its_student_is_known_is_kept() -> None:
    revocation, consent = _row(None, revoked_on=date(2025, 10, 1)), _row(date(2025, 8, 1))

    assert _runs([revocation], [consent]) == {"s1": [Run(date(2025, 8, 1), date(2025, 9, 30))]}
    assert _runs([revocation, consent]) == {"s1": [Run(date(2025, 8, 1), date(2025, 9, 30))]}


def test_a_run_after_one_that_ended_between_batches_begins_with_its_consent() -> None:
    runs = _runs(
        [_row(date(2025, 8, 1))],
        [_row(None, revoked_on=date(2025, 8, 20))],
        [_row(date(2025, 8, 25), agreement="B")],
    )

    assert runs == {"s1": [Run(date(2025, 8, 25), None)]}
