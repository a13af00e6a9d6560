"""When a consent is in force, against a day-by-day oracle; and whether what was in force goes on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.agreement.document import FeedId
from services.ingest.consent.ending import Ending, ending, goes_on
from services.ingest.consent.in_force import ConsentPolicy, ConsentStanding, ConsentTerm, Run, current_run, standing
from services.ingest.consent.stored import ConsentKey, StoredConsent

START = date(2016, 9, 1)
POLICY = ConsentPolicy("DSA-2016", "homelessness-prevention", "project-hope")
FEED = FeedId("project-hope")

days = st.integers(0, 40).map(lambda n: START + timedelta(days=n))
helds = st.lists(st.builds(ConsentTerm, days, st.booleans(), st.none() | days, st.none() | days), max_size=5)


def day(number: int) -> date:
    return START + timedelta(days=number)


def in_force(consents: list[ConsentTerm], on: date) -> bool:
    """The rules of `docs/formats.md`, read one day at a time."""
    return any(
        held.fits
        and held.signed_on <= on
        and (held.expires_on is None or on <= held.expires_on)
        and (held.revoked_on is None or on < held.revoked_on)
        for held in consents
    )


def cut(consents: list[ConsentTerm], on: date) -> bool:
    """Whether a withdrawal took effect on the day: what holds from then on is another run."""
    return any(held.revoked_on == on for held in consents)


@given(helds, days)
def test_a_run_holds_today_exactly_when_a_consent_is_in_force_today(consents: list[ConsentTerm], today: date) -> None:
    run = current_run(consents, today)
    assert (run is not None) == in_force(consents, today)
    assert run is None or run.holds(today)


@given(helds, days)
def test_a_run_is_unbroken_and_as_long_as_it_can_be(consents: list[ConsentTerm], today: date) -> None:
    run = current_run(consents, today)
    if run is None:
        return
    through = run.through or day(60)
    assert all(in_force(consents, run.start + timedelta(days=n)) for n in range((through - run.start).days + 1))
    assert not in_force(consents, run.start - timedelta(days=1)) or cut(consents, run.start)
    after = through + timedelta(days=1)
    assert run.through is None or not in_force(consents, after) or cut(consents, after)


@given(helds, st.randoms(), days)
def test_the_order_of_the_rows_changes_nothing(consents: list[ConsentTerm], random: object, today: date) -> None:
    shuffled = list(consents)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(shuffled, today) == standing(consents, today)


@given(helds, days)
def test_nothing_changes_before_the_next_change(consents: list[ConsentTerm], today: date) -> None:
    now = standing(consents, today)
    until = now.next_change or day(60)
    days_between = [today + timedelta(days=n) for n in range((until - today).days)]
    assert all(in_force(consents, on) == (now.run is not None) for on in days_between)
    if now.next_change:
        assert in_force(consents, now.next_change) != (now.run is not None) or cut(consents, now.next_change)
    assert now.over == (not any(in_force(consents, today + timedelta(days=n)) for n in range(60)))


def test_both_ends_are_days_in_force() -> None:
    held = ConsentTerm(START, True, expires_on=day(3))
    assert current_run([held], START) == current_run([held], day(3)) == Run(START, day(3))
    assert current_run([held], day(4)) is None


def test_the_day_of_revocation_is_the_first_without() -> None:
    held = ConsentTerm(START, True, revoked_on=day(3))
    assert current_run([held], day(2)) == Run(START, day(2))
    assert current_run([held], day(3)) is None


def test_a_renewal_that_adjoins_makes_one_run_and_none_after_a_withdrawal() -> None:
    second = ConsentTerm(day(4), True)
    assert current_run([ConsentTerm(START, True, expires_on=day(3)), second], START) == Run(START, None)
    withdrawn = [ConsentTerm(START, True, revoked_on=day(4)), second]
    assert standing(withdrawn, START) == ConsentStanding(Run(START, day(3)), day(4))
    assert current_run(withdrawn, day(4)) == Run(day(4), None)


@pytest.mark.parametrize(
    ("before", "now", "first", "same"),
    [
        (Run(START, None), Run(START, day(9)), date.min, True),
        (Run(START, None), Run(day(-5), None), date.min, True),
        (Run(START, day(3)), Run(START, None), date.min, True),
        (Run(START, None), None, date.min, False),
        (Run(START, None), Run(day(4), None), date.min, False),  # a withdrawal lies between
        (Run(START, None), Run(day(4), None), day(4), True),  # the agreement begins later now
        (Run(START, day(2)), Run(day(4), None), day(4), False),  # a day lies between two terms
        (Run(START, day(3)), Run(day(4), None), day(4), True),
    ],
)
def test_a_run_goes_on_unless_something_ended_it(before: Run, now: Run | None, first: date, *, same: bool) -> None:
    assert goes_on(before, now, first) == same


def consent(signed: int, *, expires: int | None = None, revoked: int | None = None, **more: object) -> StoredConsent:
    given: dict[str, object] = {"records": ("attendance",), "recipients": ("project-hope",)}
    return StoredConsent(
        key=ConsentKey("DSA", day(signed), "p"),
        signed_by="A. Guardian",
        relationship="parent",
        method="paper",
        expires_on=None if expires is None else day(expires),
        revoked_on=None if revoked is None else day(revoked),
        **given | more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("consents", "today", "expected"),
    [
        ([consent(0, expires=3)], 4, Ending("expired", "DSA", day(4))),
        ([consent(0, revoked=3)], 3, Ending("withdrawn", "DSA", day(3))),
        ([consent(0, revoked=0)], 9, Ending("withdrawn", "DSA", day(0))),
        ([consent(0, expires=5, revoked=3)], 9, Ending("withdrawn", "DSA", day(3))),
        ([consent(0, expires=2, revoked=9)], 9, Ending("expired", "DSA", day(3))),
        ([consent(0, revoked=2), consent(3, expires=5)], 9, Ending("expired", "DSA", day(6))),
        ([consent(0)], 9, Ending("agreement_ended", "DSA", day(9))),
        ([consent(12)], 9, Ending("agreement_ended", "DSA", day(9))),
        ([consent(0, records=("grades",))], 9, Ending("withdrawn", "DSA", day(9))),  # said anew, narrower
    ],
)
def test_why_it_ended(consents: list[StoredConsent], today: int, expected: Ending) -> None:
    assert ending(consents, FEED, ConsentStanding(None, None), day(today)) == expected
    assert expected.by == ("district" if expected.because == "withdrawn" else "clock")


def test_why_the_first_of_two_ended_is_not_asked_of_the_second() -> None:
    both = [consent(0, revoked=3), consent(4)]
    now = standing([one.term_for(FEED) for one in both], day(9))
    assert ending(both, FEED, now, day(9)) == Ending("withdrawn", "DSA", day(3))


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
