"""When a consent is in force, against a day-by-day oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.consent.in_force import ConsentPolicy, ConsentTerm, Run, current_run, is_over, standing

START = date(2016, 9, 1)
POLICY = ConsentPolicy("DSA-2016", "homelessness-prevention", "project-hope")

days = st.integers(0, 40).map(lambda n: START + timedelta(days=n))
agreements = st.sampled_from(["a", "b"])


@st.composite
def helds(draw: st.DrawFn) -> list[ConsentTerm]:
    found = []
    for order in range(draw(st.integers(0, 5))):
        signed = draw(days)
        revoked = draw(st.none() | days)
        found.append(
            ConsentTerm(
                agreement_id=draw(agreements),
                signed_on=signed,
                order=order,
                fits=draw(st.booleans()),
                expires_on=draw(st.none() | days),
                revoked_on=revoked,
                notice=revoked is not None and revoked <= signed,
            )
        )
    return found


def in_force(consents: list[ConsentTerm], day: date) -> bool:
    """The rules of `docs/formats.md`, read one day at a time."""
    return any(
        held.fits
        and not held.notice
        and held.signed_on <= day
        and (held.expires_on is None or day <= held.expires_on)
        and not any(
            other.revoked_on is not None
            and other.revoked_on <= day
            and other.agreement_id == held.agreement_id
            and (
                held.signed_on < other.signed_on
                or (held.signed_on == other.signed_on and (not other.notice or held.order < other.order))
            )
            for other in consents
        )
        for held in consents
    )


@given(helds(), days)
def test_a_run_holds_today_exactly_when_a_consent_is_in_force_today(consents: list[ConsentTerm], today: date) -> None:
    run = current_run(consents, today, None)
    assert (run is not None) == in_force(consents, today)
    assert run is None or run.holds(today)


@given(helds(), days)
def test_a_run_is_unbroken_and_as_long_as_it_can_be(consents: list[ConsentTerm], today: date) -> None:
    run = current_run(consents, today, None)
    if run is None:
        return
    through = run.through or START + timedelta(days=60)
    assert all(in_force(consents, run.start + timedelta(days=n)) for n in range((through - run.start).days + 1))
    assert not in_force(consents, run.start - timedelta(days=1))
    assert run.through is None or not in_force(consents, run.through + timedelta(days=1))


@given(helds(), days, days)
def test_a_run_never_starts_before_the_last_tombstone(consents: list[ConsentTerm], ended_on: date, today: date) -> None:
    today = max(today, ended_on)
    run = current_run(consents, today, ended_on)
    whole = current_run(consents, today, None)
    assert run == (whole and Run(max(whole.start, ended_on), whole.through))


@given(helds(), st.randoms(), days)
def test_the_order_of_the_rows_changes_nothing(consents: list[ConsentTerm], random: object, today: date) -> None:
    shuffled = list(consents)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(shuffled, today, None) == standing(consents, today, None)


@given(helds(), agreements, days, days)
def test_a_revocation_never_adds_a_day(consents: list[ConsentTerm], agreement: str, revoked: date, today: date) -> None:
    notice = ConsentTerm(agreement, revoked, len(consents), fits=False, revoked_on=revoked, notice=True)
    assert not in_force([*consents, notice], today) or in_force(consents, today)
    after = current_run([*consents, notice], today, None)
    before = current_run(consents, today, None)
    assert after is None or (before is not None and before.start <= after.start)


@given(helds(), days)
def test_nothing_changes_before_the_next_change(consents: list[ConsentTerm], today: date) -> None:
    now = standing(consents, today, None)
    until = now.next_change or START + timedelta(days=60)
    days_between = [today + timedelta(days=n) for n in range((until - today).days)]
    assert all(in_force(consents, day) == (now.run is not None) for day in days_between)
    if now.next_change:
        assert in_force(consents, now.next_change) != (now.run is not None)
    assert is_over(consents, today) == (now.run is None and now.next_change is None)


def test_both_ends_are_days_in_force() -> None:
    held = ConsentTerm("a", START, 0, fits=True, expires_on=START + timedelta(days=3))
    run = Run(START, START + timedelta(days=3))
    assert current_run([held], START, None) == run
    assert current_run([held], START + timedelta(days=3), None) == run
    assert current_run([held], START + timedelta(days=4), None) is None


def test_the_day_of_revocation_is_the_first_without() -> None:
    held = ConsentTerm("a", START, 0, fits=True, revoked_on=START + timedelta(days=3))
    assert current_run([held], START + timedelta(days=2), None) == Run(START, START + timedelta(days=2))
    assert current_run([held], START + timedelta(days=3), None) is None


def test_a_renewal_that_adjoins_makes_one_run() -> None:
    first = ConsentTerm("a", START, 0, fits=True, expires_on=START + timedelta(days=3))
    second = ConsentTerm("b", START + timedelta(days=4), 1, fits=True)
    assert current_run([first, second], START, None) == Run(START, None)


def test_who_withdraws_and_signs_again_on_one_day_has_consented() -> None:
    first = ConsentTerm("a", START, 0, fits=True)
    notice = ConsentTerm(
        "a", START + timedelta(days=9), 1, fits=False, revoked_on=START + timedelta(days=9), notice=True
    )
    again = replace(first, signed_on=START + timedelta(days=9), order=2)
    today = START + timedelta(days=9)
    assert current_run([first, notice], today, None) is None
    assert current_run([first, notice, again], today, today) == Run(today, None)
    assert current_run([first, replace(again, order=0), notice], today, today) is None


@pytest.mark.parametrize(
    ("records", "purpose", "recipients", "fits"),
    [
        (("grades", "attendance"), "homelessness-prevention", ("dsni", "project-hope"), True),
        (("grades",), "homelessness-prevention", ("project-hope",), False),
        (("attendance",), "research", ("project-hope",), False),
        (("attendance",), None, ("project-hope",), False),
        (("attendance",), "homelessness-prevention", (), False),
    ],
)
def test_a_consent_fits_when_it_covers_records_purpose_and_recipient(
    records: tuple[str, ...], purpose: str | None, recipients: tuple[str, ...], fits: bool
) -> None:
    assert POLICY.fits("DSA-2016", records, purpose, recipients) == fits
    assert not POLICY.fits("DSA-2017", records, purpose, recipients)
