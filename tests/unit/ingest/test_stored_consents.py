"""How later rows change what is kept of a student's consents, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.agreement.document import FeedId
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import ConsentPolicy, ConsentStanding, standing
from services.ingest.consent.judging import Grounds, adult_from
from services.ingest.consent.stored import StoredConsent, merged, stored
from services.ingest.consent.withdrawals import Withdrawal, of_row
from services.ingest.rows.parse import ConsentRow

SIGNED = date(2016, 9, 1)
WITHDRAWN = date(2016, 12, 1)
TODAY = date(2016, 12, 7)
POLICY = ConsentPolicy("a", "homelessness-prevention", "project-hope")
GROUNDS = Grounds({"a"}, {FeedId("project-hope"): POLICY}, TODAY)
ROW = ConsentRow(
    student_id="s",
    agreement_id="a",
    signed_by="A. Guardian",
    relationship="parent",
    signed_on=SIGNED,
    method="paper",
    records=("attendance", "grades"),
    purpose="homelessness-prevention",
    recipients=("project-hope", "dsni"),
    expires_on=None,
    revoked_on=None,
)
BARE = ConsentRow("s", "a", None, None, None, None, (), None, (), None, WITHDRAWN)


def kept(row: ConsentRow) -> StoredConsent:
    found = stored(row)
    assert found is not None
    return found


def said(*rows: ConsentRow, recipient: str = "project-hope") -> list[StoredConsent]:
    mine = ConsentHistory(FeedId(recipient))
    for row in rows:
        mine.take(row)
    return list(mine.kept.values())


def come_to(*rows: ConsentRow, today: date = TODAY) -> ConsentStanding:
    return standing([one.term(POLICY) for one in said(*rows)], today)


def test_the_same_row_again_changes_nothing() -> None:
    mine = ConsentHistory(FeedId("project-hope"))
    assert [mine.take(ROW), mine.take(ROW)] == [True, False]


def test_a_row_that_only_revokes_or_was_revoked_before_it_began_is_no_consent() -> None:
    assert stored(BARE) is None
    assert stored(replace(ROW, revoked_on=SIGNED)) is None


def test_two_purposes_signed_for_on_one_day_are_two_consents() -> None:
    assert kept(ROW).key != kept(replace(ROW, purpose="program-evaluation")).key


def test_a_narrower_consent_replaces_the_wider_one() -> None:
    assert merged(kept(ROW), kept(replace(ROW, records=("grades",)))).records == ("grades",)


def test_a_withdrawal_stays_when_the_consent_is_sent_again_without_it() -> None:
    for rows in ((ROW, BARE, ROW), (BARE, ROW), (replace(ROW, revoked_on=WITHDRAWN), ROW)):
        (one,) = said(*rows)
        assert one.revoked_on == WITHDRAWN
        assert come_to(*rows).over


def test_a_later_consent_counts() -> None:
    later = replace(ROW, signed_on=WITHDRAWN + timedelta(days=1))
    for rows in ((ROW, BARE, later), (later, ROW, BARE), (BARE, later, ROW)):
        run = come_to(*rows).run
        assert run is not None
        assert run.start == later.signed_on


def test_of_one_day_what_comes_later_holds() -> None:
    again = replace(ROW, signed_on=WITHDRAWN)
    assert come_to(ROW, again, BARE).over
    assert come_to(ROW, BARE, again).run is not None
    assert come_to(ROW, BARE, again, BARE).run is not None, "the withdrawal was known before"


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ({"recipients": ("dsni",)}, (("attendance", "grades"), None)),
        ({"records": ("grades",)}, (("attendance",), None)),
        ({"records": ("attendance",)}, (("attendance", "grades"), WITHDRAWN)),
        ({"purpose": "program-evaluation"}, (("attendance", "grades"), None)),
        ({"agreement_id": "another"}, (("attendance", "grades"), None)),
        ({"agreement_id": "*"}, (("attendance",), WITHDRAWN)),
        ({"recipients": ("project-hope",), "records": ("attendance", "grades")}, (("attendance",), WITHDRAWN)),
        ({}, (("attendance",), WITHDRAWN)),
    ],
)
def test_a_withdrawal_ends_what_it_names_alone(named: dict[str, Any], left: tuple[Any, Any]) -> None:
    withdrawal = replace(BARE, **named)
    for rows in ((ROW, withdrawal), (withdrawal, ROW)):
        (one,) = said(*rows)
        assert (one.records, one.revoked_on) == left


days = st.integers(0, 40)
consents = st.builds(
    lambda signed, lasts, recipients: replace(
        ROW,
        signed_on=SIGNED + timedelta(days=2 * signed),
        expires_on=None if lasts is None else SIGNED + timedelta(days=2 * signed + lasts),
        recipients=recipients,
    ),
    days,
    st.none() | days,
    st.sampled_from([("project-hope",), ("dsni",), ("project-hope", "dsni")]),
)
withdrawals = st.builds(
    lambda day, recipients, records: replace(
        BARE, revoked_on=SIGNED + timedelta(days=2 * day + 1), recipients=recipients, records=records
    ),
    days,
    st.sampled_from([(), ("project-hope",), ("dsni",)]),
    st.sampled_from([(), ("attendance",), ("grades",)]),
)
together = st.lists(consents, max_size=3, unique_by=lambda row: row.signed_on).flatmap(
    lambda signed: st.lists(withdrawals, max_size=3).map(lambda revoked: [*signed, *revoked])
)


@given(together, st.randoms())
def test_any_order_of_consents_and_withdrawals_ends_in_the_same(rows: list[ConsentRow], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    for recipient in ("project-hope", "dsni"):
        one, other = (
            {each.key: each for each in said(*order, recipient=recipient)} for order in (rows, [*shuffled, *rows])
        )
        assert one == other


def judged(row: ConsentRow, *known: Withdrawal, adult_on: date | None = None) -> tuple[str, str | None]:
    verdict = GROUNDS.judge(row, known, adult_on)
    if verdict.refused is None:
        return "", verdict.warning
    assert verdict.refused.status == "rejected"
    return verdict.refused.field or "withdrawn", verdict.refused.reason


def test_a_consent_from_before_a_withdrawal_is_refused_in_plain_words() -> None:
    (all_,) = of_row(BARE)
    what, reason = judged(ROW, all_)
    assert what == "withdrawn"
    assert reason == "It was withdrawn on 2016-12-01: a consent that was signed before that day never counts again"
    assert judged(replace(ROW, signed_on=WITHDRAWN), all_)[0] == ""
    assert judged(ROW, all_._replace(ended_on=TODAY + timedelta(days=1)))[0] == "", "it is to come"
    assert judged(ROW, all_._replace(agreement_id="another"))[0] == ""
    assert judged(replace(ROW, revoked_on=WITHDRAWN), all_)[0] == "", "it says so itself"


def test_what_would_be_shared_decides_whether_a_consent_is_refused() -> None:
    (of_hope,) = of_row(replace(BARE, recipients=("project-hope",)))
    assert judged(ROW, of_hope)[0] == "withdrawn", "nobody else gets anything by it"
    assert judged(replace(ROW, recipients=("dsni",)), of_hope)[0] == ""
    assert judged(ROW, of_hope._replace(records=("grades",)))[0] == ""
    assert judged(ROW, of_hope._replace(records=("attendance",)))[0] == "withdrawn"
    other = replace(ROW, purpose="research")
    assert judged(other, of_hope)[0] == "", "dsni might"
    assert judged(other, of_hope, of_hope._replace(recipient="dsni"))[0] == "withdrawn"


def test_only_new_withdrawals_are_to_be_written() -> None:
    row = replace(BARE, recipients=("dsni", "project-hope", "dsni"))
    first, second = of_row(row)
    assert GROUNDS.judge(row, (), None).withdrawn == [first, second]
    assert GROUNDS.judge(row, (first,), None).withdrawn == [second]


def test_an_agreement_that_was_never_applied_is_refused_by_its_field() -> None:
    assert judged(replace(ROW, agreement_id="b"))[0] == "agreement_id"
    assert judged(replace(BARE, agreement_id="b"))[0] == "agreement_id"
    assert Grounds({"*"}, {}, TODAY).judge(replace(ROW, agreement_id="b"), (), None).refused is None


def test_a_student_signs_from_the_eighteenth_birthday_on() -> None:
    own = replace(ROW, relationship="self")
    assert judged(own, adult_on=SIGNED) == ("", None)
    assert judged(own, adult_on=SIGNED + timedelta(days=1))[0] == "relationship"
    assert "no birth date" in (judged(own)[1] or "")
    assert judged(ROW) == judged(ROW, adult_on=TODAY + timedelta(days=1)) == ("", None)
    assert "eighteen" in (judged(ROW, adult_on=TODAY)[1] or "")
    assert judged(BARE, adult_on=TODAY) == ("", None)


def test_the_eighteenth_birthday() -> None:
    assert adult_from(date(2000, 9, 1)) == date(2018, 9, 1)
    assert adult_from(date(2000, 2, 29)) == date(2018, 3, 1)
