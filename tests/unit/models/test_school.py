"""What is known of a school's days does not depend on the order in which it was heard."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from models.school import School
from models.shock import HeadCount, ShockRule

RULE = ShockRule()
MONDAY = date(2016, 9, 12).toordinal()
SATURDAY = MONDAY + 5


def counted(school: School) -> list[int]:
    """Closed days on which there was school."""
    return [day for day in sorted(school.closed) if school.is_instructional(day)]


def test_without_a_calendar_the_weekdays_are_school_days() -> None:
    school = School()
    school.close(MONDAY, history=False)
    school.close(SATURDAY, history=False)
    assert counted(school) == [MONDAY]
    assert school.last_reported() == SATURDAY


def test_a_calendar_decides_for_its_own_school_year_alone() -> None:
    school = School()
    school.set_calendar(SATURDAY, instructional=True)
    assert school.is_instructional(SATURDAY)
    assert not school.is_instructional(MONDAY)
    assert school.is_instructional(date(2017, 9, 11).toordinal())


def test_a_late_calendar_row_changes_which_closed_days_count() -> None:
    school = School()
    school.close(MONDAY, history=False)
    school.close(MONDAY + 1, history=False)
    assert school.set_calendar(MONDAY, instructional=True) == 2016, (
        "the other days of the year ceased to be school days"
    )
    assert counted(school) == [MONDAY]
    assert school.set_calendar(MONDAY + 1, instructional=True) == 0
    assert counted(school) == [MONDAY, MONDAY + 1]
    assert school.set_calendar(MONDAY + 1, instructional=True) is None
    assert school.set_calendar(MONDAY, instructional=False) == 0
    assert counted(school) == [MONDAY + 1]


def test_a_day_off_that_was_off_anyway_changes_nothing() -> None:
    school = School()
    school.set_calendar(MONDAY, instructional=True)
    assert school.set_calendar(SATURDAY, instructional=False) is None


def test_a_school_that_reported_nothing_has_no_data() -> None:
    assert School().last_reported() is None


def test_a_close_of_a_history_decides_nothing_and_a_live_one_stays_live() -> None:
    school = School()
    assert school.close(MONDAY, history=True)
    assert school.closed[MONDAY], "inside an imported history"
    assert school.history_through == MONDAY
    assert not school.close(MONDAY, history=True)
    assert school.close(MONDAY, history=False)
    assert not school.closed[MONDAY]
    assert not school.close(MONDAY, history=True)
    assert not school.closed[MONDAY]


def test_head_counts_say_which_days_became_or_ceased_to_be_shock_days() -> None:
    school = School()
    for number in range(5):
        school.set_counts(MONDAY + number, HeadCount(5, 100, 0))
    assert school.find_shocks(RULE) == set()
    late = MONDAY + 7
    assert school.set_counts(late, HeadCount(60, 100, 0))
    assert school.find_shocks(RULE) == {late}
    assert not school.set_counts(late, HeadCount(60, 100, 0))
    assert school.find_shocks(RULE) == set()
    assert school.set_counts(late, HeadCount(6, 100, 0))
    assert school.find_shocks(RULE) == {late}
    assert school.shocks == set()


def test_a_day_that_turns_to_and_fro_before_shock_days_are_looked_for_did_not_turn() -> None:
    school = School()
    for number in range(5):
        school.set_counts(MONDAY + number, HeadCount(5, 100, 0))
    school.set_counts(MONDAY + 7, HeadCount(60, 100, 0))
    school.set_counts(MONDAY + 7, HeadCount(6, 100, 0))
    assert school.find_shocks(RULE) == set()


def test_an_earlier_days_counts_turn_a_later_day() -> None:
    school = School()
    for number in range(4):
        school.set_counts(MONDAY + number, HeadCount(5, 100, 0))
    school.set_counts(MONDAY + 7, HeadCount(30, 100, 0))
    assert school.find_shocks(RULE) == set(), "four days are too few to say what is usual"
    school.set_counts(MONDAY + 4, HeadCount(5, 100, 0))
    assert school.find_shocks(RULE) == {MONDAY + 7}


def test_a_day_without_school_is_no_shock_day() -> None:
    school = School()
    school.set_counts(MONDAY, HeadCount(90, 100, 0))
    assert school.find_shocks(RULE) == {MONDAY}
    school.set_calendar(MONDAY, instructional=False)
    assert school.find_shocks(RULE) == {MONDAY}
    assert school.shocks == set()


facts = st.lists(
    st.one_of(
        st.tuples(st.just("calendar"), st.integers(0, 20), st.booleans()),
        st.tuples(st.just("close"), st.integers(0, 20), st.just(False)),
        st.tuples(st.just("counts"), st.integers(0, 20), st.integers(0, 100)),
    ),
    unique_by=lambda fact: fact[:2],
    max_size=30,
)


def told(heard: list[tuple[str, int, int]], *, asking: bool = False) -> tuple[object, ...]:
    """What is known in the end; `asking` for shock days after every fact."""
    school = School()
    for kind, number, value in heard:
        day = MONDAY + number
        if kind == "calendar":
            school.set_calendar(day, instructional=bool(value))
        elif kind == "close":
            school.close(day, history=False)
        else:
            school.set_counts(day, HeadCount(value, 100, 0))
        if asking:
            before = set(school.shocks)
            assert school.find_shocks(RULE) == before ^ school.shocks
    school.find_shocks(RULE)
    return counted(school), school.shocks, school.calendar, school.closed, school.last_reported()


@given(heard=facts, random=st.randoms(use_true_random=False), asking=st.booleans())
def test_the_order_of_facts_changes_nothing(heard: list[tuple[str, int, int]], random: object, *, asking: bool) -> None:
    mixed = heard * 2
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert told(mixed, asking=asking) == told(heard)
