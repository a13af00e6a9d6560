from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engagement.facts import CourseMark, EngagementFacts, SchoolAttendance, Suspension, SuspensionsOnFile
from models.engagement.judgement import NotKnown, PartStanding, judge, worst
from models.engagement.standing import Track
from tests.unit.models.engagement.facts import AS_OF, NOTHING, POLICY, attendance, mark, suspended

DAYS = st.dates(date(2026, 6, 1), date(2027, 7, 31))
MARKS = st.builds(
    CourseMark,
    course=st.sampled_from(["M7", "A7"]),
    term=st.sampled_from(["Q1", "Q2", "S1"]),
    mark=st.sampled_from(["A", "B+", "C-", "F", "INC", "55", "88"]),
    known_from=DAYS,
    subject=st.sampled_from(["Math", "Art", None]),
    last=st.none() | DAYS,
)
FACTS = st.builds(
    EngagementFacts,
    st.none() | st.builds(SchoolAttendance, *[st.lists(DAYS, unique=True, max_size=60).map(tuple)] * 2),
    st.none()
    | st.builds(SuspensionsOnFile, st.lists(st.builds(Suspension, DAYS, DAYS)).map(tuple), handed_in=st.booleans()),
    st.none() | st.lists(MARKS, unique_by=lambda one: (one.course, one.term)).map(tuple),
)


@given(FACTS, DAYS, st.randoms())
def test_the_order_of_facts_does_not_matter(facts: EngagementFacts, as_of: date, order: random.Random) -> None:
    assert judge(_shuffled(facts, order), POLICY, as_of) == judge(facts, POLICY, as_of)


@given(FACTS, DAYS)
def test_what_comes_to_be_known_later_changes_nothing_of_a_day(facts: EngagementFacts, as_of: date) -> None:
    assert judge(_known_on(facts, as_of), POLICY, as_of) == judge(facts, POLICY, as_of)


@given(FACTS, DAYS)
def test_the_level_is_the_worst_part_that_is_known(facts: EngagementFacts, as_of: date) -> None:
    found = judge(facts, POLICY, as_of)
    known = [part for part in found.parts.values() if part not in get_args(NotKnown)]
    assert found.level == min(known, key=("off_track", "sliding", "on_track").index, default=None)
    assert all(list(area.dates) == sorted(area.dates) for area in found.areas)
    assert {area.area for area in found.areas} <= {name for name, part in found.parts.items() if part in known}


@pytest.mark.parametrize("parts", list(product([*get_args(Track), *get_args(NotKnown)], repeat=2)))
def test_what_is_not_known_never_counts(parts: tuple[PartStanding, PartStanding]) -> None:
    assert worst(parts) == worst(part for part in parts if part not in get_args(NotKnown))


def test_a_kind_that_is_not_shared_is_told_from_one_without_data() -> None:
    found = judge(replace(NOTHING, marks=()), POLICY, AS_OF)
    assert found.parts == {"attendance": "not_shared", "behaviour": "not_shared", "courses": "no_data"}
    assert found.level is None


def test_one_bad_part_makes_the_level() -> None:
    good = EngagementFacts(attendance(0, 60), suspended(), (mark("A"),))
    assert judge(good, POLICY, AS_OF).level == "on_track"
    assert judge(good, POLICY, AS_OF).areas == ()
    for bad in (
        replace(good, attendance=attendance(20, 60)),
        replace(good, suspensions=suspended(AS_OF)),
        replace(good, marks=(mark("F"),)),
    ):
        assert judge(bad, POLICY, AS_OF).level == "off_track"


def _shuffled(facts: EngagementFacts, order: random.Random) -> EngagementFacts:
    days, on_file = facts.attendance, facts.suspensions

    def mixed(values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(order.sample(values, len(values)))

    return EngagementFacts(
        days and SchoolAttendance(mixed(days.enrolled), mixed(days.absent), days.has_calendar),
        on_file and SuspensionsOnFile(mixed(on_file.suspensions), on_file.handed_in),
        None if facts.marks is None else mixed(facts.marks),
    )


def _known_on(facts: EngagementFacts, day: date) -> EngagementFacts:
    days, on_file = facts.attendance, facts.suspensions
    later = day + timedelta(1)
    return EngagementFacts(
        days and SchoolAttendance(*(tuple(one for one in of if one < later) for of in (days.enrolled, days.absent))),
        on_file and replace(on_file, suspensions=tuple(one for one in on_file.suspensions if max(one) < later)),
        facts.marks and tuple(one for one in facts.marks if one.known_from < later),
    )
