from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.casework.cases.following import CaseAlert, Following
from services.casework.cases.school_days import SchoolDays
from tests.cases import TODAY, a_case

NOW = datetime(2016, 12, 7, 14, tzinfo=UTC)


def an_alert(number: int = 1, **changes: Any) -> CaseAlert:
    values: dict[str, Any] = {
        "id": UUID(int=number),
        "agency": "project-hope",
        "family": "family",
        "school_id": "burke",
        "level": "watch",
        "status": "open",
        "raised_on": date(2016, 12, 5),
        "case_id": None,
    }
    return CaseAlert(**values | changes)


def following(cases: list[Any] | None = None, alerts: list[CaseAlert] | None = None) -> Following:
    return Following(cases or [], alerts or [], SchoolDays().between, TODAY, NOW)


def test_an_alert_opens_a_case_of_its_own_number() -> None:
    book = following()
    book.take(an_alert(7))
    [case] = book.changed()
    assert (case.id, case.state, case.level, case.waiting_since) == (UUID(int=7), "new", "watch", NOW)
    assert book.moved == {UUID(int=7): UUID(int=7)}


def test_children_of_a_household_are_one_case_at_the_highest_level() -> None:
    book = following()
    book.take(an_alert(1))
    book.take(an_alert(2, level="urgent", school_id="dearborn"))
    [case] = book.changed()
    assert (case.level, case.school_id) == ("urgent", "dearborn")
    assert book.moved[UUID(int=2)] == UUID(int=1)


def test_the_same_household_of_another_agency_is_another_case() -> None:
    book = following()
    book.take(an_alert(1))
    book.take(an_alert(2, agency="dsni"))
    assert len(book.changed()) == 2


def test_a_correction_withdraws_a_case_whoever_has_it() -> None:
    alert = an_alert(case_id=UUID(int=1))
    book = following([a_case(state="taken", owner="ann", waiting_since=None)], [alert])
    book.take(replace(alert, status="withdrawn"))
    [case] = book.changed()
    assert (case.state, case.ended_on) == ("withdrawn", TODAY)
    assert [came.what for came in book.came] == ["withdrawn"]


@pytest.mark.parametrize(("state", "after"), [("new", "cleared"), ("taken", "taken")])
def test_what_clears_leaves_the_queue_unless_somebody_has_it(state: str, after: str) -> None:
    mine = {"state": state, "owner": None if state == "new" else "ann"}
    alert = an_alert(case_id=UUID(int=1))
    book = following([a_case(**mine, **({} if state == "new" else {"waiting_since": None}))], [alert])
    book.take(replace(alert, status="cleared"))
    assert book.cases[UUID(int=1)].state == after


def _closed(days_ago: int) -> Following:
    ended = TODAY - timedelta(days=days_ago)
    case = a_case(state="closed", owner="ann", outcome="helped", waiting_since=None, ended_on=ended)
    return following([case], [an_alert(1, status="closed", case_id=UUID(int=1))])


def test_a_new_episode_within_thirty_school_days_opens_the_case_again() -> None:
    book = _closed(41)  # 29 weekdays
    book.take(an_alert(2, raised_on=TODAY))
    [case] = book.changed()
    assert (case.id, case.state, case.owner, case.outcome, case.returned) == (
        UUID(int=1), "new", None, None, "reopened",
    )  # fmt: skip


def test_a_later_episode_is_another_case() -> None:
    book = _closed(60)
    book.take(an_alert(2, raised_on=TODAY))
    assert book.cases[UUID(int=1)].state == "closed"
    assert book.cases[UUID(int=2)].state == "new"


def test_more_of_an_alert_that_people_closed_changes_nothing() -> None:
    book = _closed(1)
    book.take(an_alert(1, status="closed", level="urgent", case_id=UUID(int=1)))
    assert book.cases[UUID(int=1)].state == "closed"


@pytest.mark.parametrize(("until_worse", "state"), [(True, "taken"), (False, "snoozed")])
def test_a_rise_wakes_a_case_that_sleeps_until_it_gets_worse(until_worse: bool, state: str) -> None:
    snoozed = a_case(state="snoozed", owner="ann", waiting_since=None, until_worse=until_worse, snoozed_level="watch")
    alert = an_alert(case_id=UUID(int=1))
    book = following([snoozed], [alert])
    book.take(replace(alert, level="elevated"))
    assert book.cases[UUID(int=1)].state == state


def test_a_child_that_joins_another_household_leaves_the_rest_as_it_was() -> None:
    mover, stayer = an_alert(1, level="urgent", case_id=UUID(int=1)), an_alert(2, case_id=UUID(int=1))
    book = following([a_case(level="urgent")], [mover, stayer])
    book.take(replace(mover, family="other"))
    assert book.cases[UUID(int=1)].level == "watch"
    home = book.moved[UUID(int=1)]
    assert (book.cases[home].family, book.cases[home].level) == ("other", "urgent")


def test_taking_the_same_in_again_changes_nothing() -> None:
    alert = an_alert(case_id=UUID(int=1))
    book = following([a_case()], [alert])
    book.take(alert)
    assert book.changed() == []
    assert book.came == []
