"""Rows of attendance in columns are merged as `models.attendance` merges those of one day, in any batches and order."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attendance import (
    EXCUSED,
    NO_TIME,
    PRESENT,
    RETRACTED,
    UNEXCUSED,
    DayMarks,
    SectionMark,
    day_code,
    with_mark,
)
from models.engine.cohort import Cohort
from models.engine.marks import Marks, Rows
from models.engine.register import BREAK, CODE, LIVE, MANY, OPEN, STEP
from models.enrollment import Segment
from models.policy import default_policy
from tests.unit.models.tracks import COLUMNS

pytestmark = pytest.mark.slow

DAYS = COLUMNS[:4].tolist()
STUDENTS = 3
SCHOOLS = ("A", "B")


class Row(NamedTuple):
    student: int
    day: int
    mark: SectionMark
    live: bool


sections = st.sampled_from(["", "", "", "s1", "s2"])
moments = st.sampled_from([NO_TIME, 0, 1, 2, 3])
marks = st.builds(SectionMark, st.sampled_from(SCHOOLS), sections, st.integers(RETRACTED, UNEXCUSED), moments)
rows = st.lists(st.builds(Row, st.integers(0, STUDENTS - 1), st.sampled_from(DAYS), marks, st.booleans()), max_size=25)


class Taking:
    """Every student goes to A on the first days and to B later."""

    def __init__(self) -> None:
        self.cohort = Cohort(default_policy(), 2016, [])
        self.cohort.register.state_of = lambda *_: (OPEN, False)
        self.cohort.add(STUDENTS)
        self.marks = Marks(self.cohort)
        for student in range(STUDENTS):
            self.cohort.register.place(student, [Segment(1, DAYS[1], "A"), Segment(DAYS[2], DAYS[3], "B")])

    def take(self, batch: Sequence[Row]) -> list[bool]:
        number = self.cohort.register.number
        named = [row.mark.section for row in batch]
        changed = self.marks.take(
            Rows(
                row=np.array([row.student for row in batch], np.intp),
                day=np.array([row.day for row in batch], np.int32),
                school=np.array([number(row.mark.school) for row in batch], np.uint16),
                section=named if any(named) else None,
                code=np.array([row.mark.code for row in batch], np.uint8),
                moment=np.array([row.mark.recorded_at for row in batch], np.int64),
                live=np.array([row.live for row in batch], np.bool_),
            )
        )
        return changed.tolist()

    def of_all(self) -> dict[tuple[int, int], DayMarks]:
        return {(student, day): rows for student in range(STUDENTS) for day, rows in self.marks.of_row(student)}

    def cell(self, student: int, day: int) -> int:
        """What was said of a day; 0 for nothing."""
        register = self.cohort.register
        return int(register.said[student, register.column(day)]) if register.has(day) else 0

    def kept(self, student: int, day: int) -> int:
        self.cohort.evaluate_all()
        register = self.cohort.register
        return int(register.kept[student, register.column(day)])


def batches(told: Sequence[Row], random: Random) -> list[Sequence[Row]]:
    cuts = sorted(random.randint(0, len(told)) for _ in range(3))
    return [told[a:b] for a, b in zip([0, *cuts], [*cuts, len(told)], strict=True)]


def merged(told: Sequence[Row]) -> tuple[dict[tuple[int, int], DayMarks], set[tuple[int, int]]]:
    """Row by row, as one day's rows are merged; and the days that were marked live."""
    found: dict[tuple[int, int], DayMarks] = {}
    for row in told:
        found[row.student, row.day] = with_mark(found.get((row.student, row.day), ()), row.mark)
    return found, {(row.student, row.day) for row in told if row.live}


@given(rows, st.randoms(use_true_random=False))
def test_days_are_merged_as_row_by_row_in_any_batches(told: list[Row], random: Random) -> None:
    taking = Taking()
    for batch in batches(told, random):
        taking.take(batch)

    expected, live = merged(told)
    assert taking.of_all() == expected
    for (student, day), rows_of_day in expected.items():
        said = taking.cell(student, day)
        assert bool(said & LIVE) == ((student, day) in live)
        code = day_code(rows_of_day, "A" if day <= DAYS[1] else "B")
        step = STEP if (student, day) in live else 0
        assert taking.kept(student, day) == (code | step if code else 0)


@given(rows, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_anything(told: list[Row], random: Random) -> None:
    mixed = told * 2
    random.shuffle(mixed)
    taking, in_order = Taking(), Taking()
    for batch in batches(mixed, random):
        taking.take(batch)
    in_order.take(told)

    assert taking.of_all() == in_order.of_all()
    assert not any(taking.take(told))
    for student in range(STUDENTS):
        for day in {row.day for row in told if row.student == student}:
            assert taking.cell(student, day) & (CODE | LIVE) == in_order.cell(student, day) & (CODE | LIVE)
            assert taking.kept(student, day) == in_order.kept(student, day)


@given(rows)
def test_a_row_tells_something_new_when_it_changes_the_days_rows_or_makes_it_live(told: list[Row]) -> None:
    taking = Taking()
    known: dict[tuple[int, int], DayMarks] = {}
    live: set[tuple[int, int]] = set()
    for row in told:
        key = row.student, row.day
        before = known.get(key, ())
        known[key] = with_mark(before, row.mark)
        assert taking.take([row]) == [known[key] is not before or (row.live and key not in live)]
        live |= {key} if row.live else set()


def whole_day(code: int, moment: int = NO_TIME, *, live: bool = True, school: str = "A", section: str = "") -> Row:
    return Row(0, DAYS[0], SectionMark(school, section, code, moment), live)


def test_of_duplicates_in_one_batch_the_latest_wins() -> None:
    taking = Taking()

    taking.take([whole_day(UNEXCUSED, 5), whole_day(PRESENT, 9), whole_day(EXCUSED, 7)])

    assert taking.marks.several_of(0) == {}
    assert taking.kept(0, DAYS[0]) == PRESENT | STEP


def test_several_sections_make_one_day_and_two_schools_each_their_own() -> None:
    taking = Taking()

    taking.take([whole_day(UNEXCUSED, section="s1"), whole_day(PRESENT, section="s2"), whole_day(PRESENT, school="B")])

    assert taking.cell(0, DAYS[0]) & MANY
    assert taking.kept(0, DAYS[0]) == UNEXCUSED | STEP, "absent in half of the sections of the student's school"
    taking.take([whole_day(PRESENT, 1, section="s1")])
    assert taking.kept(0, DAYS[0]) == PRESENT | STEP


def test_what_is_taken_back_says_nothing_until_it_is_said_anew() -> None:
    taking = Taking()
    taking.take([whole_day(UNEXCUSED, 1)])
    taking.take([whole_day(RETRACTED, 2)])
    assert taking.kept(0, DAYS[0]) == 0
    taking.take([whole_day(EXCUSED, 1)])
    assert taking.kept(0, DAYS[0]) == 0, "said before it was taken back"
    taking.take([whole_day(EXCUSED, 3)])
    assert taking.kept(0, DAYS[0]) == EXCUSED | STEP


def test_a_day_all_of_whose_sections_are_taken_back_says_nothing() -> None:
    taking = Taking()
    taking.take([whole_day(UNEXCUSED, 1, section=section) for section in ("s1", "s2")])
    taking.take([whole_day(RETRACTED, 2, section=section) for section in ("s1", "s2")])

    assert taking.cell(0, DAYS[0]) & CODE == BREAK
    assert taking.kept(0, DAYS[0]) == 0


def test_a_live_row_makes_the_day_live_however_old_it_is() -> None:
    taking = Taking()
    taking.take([whole_day(UNEXCUSED, 5, live=False)])
    assert taking.kept(0, DAYS[0]) == UNEXCUSED

    assert taking.take([whole_day(PRESENT, 1)]) == [True]

    assert taking.kept(0, DAYS[0]) == UNEXCUSED | STEP
    assert taking.take([whole_day(UNEXCUSED, 9, live=False)]) == [True]
    assert taking.kept(0, DAYS[0]) == UNEXCUSED | STEP
