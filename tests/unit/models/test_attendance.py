"""Section rows make one mark, whatever the order in which they came."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attendance import (
    EARLY_DEPARTURE,
    EXCUSED,
    NO_TIME,
    PARTIAL,
    PRESENT,
    TARDY,
    UNEXCUSED,
    DayMarks,
    SectionMark,
    code_of,
    day_code,
    with_mark,
)

CODES = (PRESENT, TARDY, EARLY_DEPARTURE, PARTIAL, EXCUSED, UNEXCUSED)
rows = st.lists(
    st.builds(
        SectionMark,
        st.sampled_from(["A", "B"]),
        st.sampled_from(["", "s1", "s2", "s3"]),
        st.sampled_from(CODES),
        st.sampled_from([NO_TIME, 5, 6]),
    ),
    max_size=8,
)


def merged(*marks: SectionMark) -> DayMarks:
    day: DayMarks = ()
    for mark in marks:
        day = with_mark(day, mark)
    return day


def sections(*codes: int) -> list[SectionMark]:
    return [SectionMark("A", f"s{number}", code, NO_TIME) for number, code in enumerate(codes)]


@pytest.mark.parametrize(
    ("codes", "day"),
    [
        ((UNEXCUSED, PRESENT), UNEXCUSED),
        ((UNEXCUSED, UNEXCUSED, PRESENT, PRESENT), UNEXCUSED),
        ((UNEXCUSED, PRESENT, PRESENT), PARTIAL),
        ((UNEXCUSED, TARDY, TARDY), PARTIAL),
        ((EXCUSED, EXCUSED, PRESENT), EXCUSED),
        ((EXCUSED, UNEXCUSED), UNEXCUSED),
        ((EXCUSED, UNEXCUSED, PRESENT, PRESENT), UNEXCUSED),
        ((TARDY, PRESENT), TARDY),
        ((TARDY, TARDY, PRESENT, PRESENT), TARDY),
        ((EARLY_DEPARTURE, PRESENT), EARLY_DEPARTURE),
        ((TARDY, EARLY_DEPARTURE), PARTIAL),
        ((PARTIAL, PRESENT), PARTIAL),
        ((PRESENT, PRESENT), PRESENT),
        ((EXCUSED,), EXCUSED),
        ((TARDY,), TARDY),
    ],
)
def test_section_rows_make_one_mark(codes: tuple[int, ...], day: int) -> None:
    assert day_code(sections(*codes), "A") == day


def test_a_row_without_a_section_counts_as_one_section() -> None:
    whole = SectionMark("A", "", UNEXCUSED, NO_TIME)
    assert day_code(merged(whole, *sections(PRESENT)), "A") == UNEXCUSED
    assert day_code(merged(whole, *sections(PRESENT, PRESENT)), "A") == PARTIAL


def test_another_schools_rows_say_nothing() -> None:
    assert day_code([SectionMark("B", "", UNEXCUSED, NO_TIME)], "A") is None
    assert day_code([SectionMark("B", "", UNEXCUSED, NO_TIME), *sections(PRESENT)], "A") == PRESENT


def test_the_later_recorded_wins_whatever_it_says() -> None:
    early, late = SectionMark("A", "", UNEXCUSED, 1), SectionMark("A", "", PRESENT, 2)
    assert day_code(merged(early, late), "A") == day_code(merged(late, early), "A") == PRESENT


def test_a_row_with_a_time_beats_one_without() -> None:
    timed, without = SectionMark("A", "", PRESENT, 0), SectionMark("A", "", UNEXCUSED, NO_TIME)
    assert day_code(merged(timed, without), "A") == day_code(merged(without, timed), "A") == PRESENT


@pytest.mark.parametrize("moment", [NO_TIME, 7])
def test_of_rows_of_one_moment_the_gravest_wins(moment: int) -> None:
    by_gravity = [UNEXCUSED, EXCUSED, PARTIAL, TARDY, EARLY_DEPARTURE, PRESENT]
    for place, code in enumerate(by_gravity):
        for order in permutations([SectionMark("A", "", c, moment) for c in by_gravity[place : place + 3]]):
            assert day_code(merged(*order), "A") == code


def test_an_absence_not_known_to_be_excused_is_unexcused() -> None:
    assert [code_of("absent", excused) for excused in (True, False, None)] == [EXCUSED, UNEXCUSED, UNEXCUSED]
    assert code_of("tardy", True) == TARDY


@given(rows, st.randoms(use_true_random=False))
def test_order_and_repeats_of_rows_change_nothing(marks: list[SectionMark], random: object) -> None:
    mixed = marks * 2
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for school in ("A", "B"):
        assert day_code(merged(*mixed), school) == day_code(merged(*marks), school)


@given(rows)
def test_a_repeat_gives_back_the_same_object(marks: list[SectionMark]) -> None:
    day = merged(*marks)
    assert all(with_mark(day, mark) is day for mark in marks)
