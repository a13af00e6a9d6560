"""What real files do to reports, and that the day's truth can still be read from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import numpy as np
import pytest

from models.attendance import NO_TIME, PARTIAL, PRESENT, DayMarks, SectionMark, code_of, day_code, with_mark
from models.simulation import Row, World, WorldConfig, simulate
from models.simulation.config import GRADES
from models.simulation.filing import as_filed
from models.simulation.marks import STATUSES, UNKNOWN
from models.simulation.reporting import report

pytestmark = pytest.mark.slow

SEED = 4
STUDENTS = 150
FLAGS = {"true": True, "false": False, "": None}


def world_of(**reporting: object) -> World:
    return simulate(WorldConfig(students=STUDENTS).changed({"reporting": reporting}), SEED)


@pytest.fixture(scope="module")
def periods() -> World:
    return world_of(sections=6)


def merged(world: World) -> dict[tuple[str, str], int]:
    """The code of each student-day that has a row, as the product reads it."""
    days: defaultdict[tuple[str, str], DayMarks] = defaultdict(tuple)
    school = {}
    for student, place, day, status, excused, section, _, _, recorded in world.attendance():
        when = int(datetime.fromisoformat(recorded).timestamp()) if recorded else NO_TIME
        mark = SectionMark(place, section, code_of(status, FLAGS[excused]), when)
        days[student, day] = with_mark(days[student, day], mark)
        school[student, day] = place
    codes = {key: day_code(marks, school[key]) for key, marks in days.items()}
    return {key: code for key, code in codes.items() if code is not None}


def truth(world: World) -> dict[tuple[str, str], int]:
    ids, dates = world.identities.student_id, [day.isoformat() for day in world.year.dates]
    marks = world.marks
    rows = zip(marks.student.tolist(), marks.day.tolist(), marks.status.tolist(), marks.excused.tolist(), strict=True)
    return {
        (ids[student], dates[day]): code_of(STATUSES[status], excused == 1) for student, day, status, excused in rows
    }


def rows_by_day(world: World) -> dict[tuple[str, str], list[Row]]:
    days = defaultdict(list)
    for row in world.attendance():
        days[row[0], row[2]].append(row)
    return days


def test_by_default_a_report_is_a_row(world: World) -> None:
    reports = report(world.config, world.marks, world.year, world.seed)
    assert as_filed(world.config, reports, world.population, world.seed) is reports


@pytest.mark.parametrize("absence_only", [False, True])
@pytest.mark.parametrize("sections", [0, 2, 5, 6])
def test_the_rows_of_a_day_make_its_truth(sections: int, absence_only: bool) -> None:
    world = world_of(sections=sections, section_cut=0.0, absence_only=absence_only, no_recorded_at=0.2, duplicates=0.1)
    read, true = merged(world), truth(world)
    assert set(read) <= set(true)
    assert all(read.get(key, PRESENT) == code for key, code in true.items())


def test_a_cut_class_makes_a_partial_day(periods: World) -> None:
    read, true = merged(periods), truth(periods)
    wrong = Counter((true[key], code) for key, code in read.items() if code != true[key])
    assert set(wrong) == {(PRESENT, PARTIAL)}
    assert 0.005 < wrong.total() / len(read) < 0.02


def test_class_periods_begin_in_grade_6(periods: World) -> None:
    grades = {row[0]: GRADES.index(row[4]) for row in periods.students()}
    for (student, _), rows in rows_by_day(periods).items():
        expected = {f"P{n}" for n in range(1, 7)} if grades[student] >= GRADES.index("6") else {""}
        assert {row[5] for row in rows} == expected


def test_some_absences_show_in_part_of_the_class_periods(periods: World) -> None:
    shown = Counter[int]()
    for rows in rows_by_day(periods).values():
        if len(rows) == 6:
            shown[sum(row[3] == "absent" for row in rows)] += 1
    assert shown[6] > shown[3] + shown[4] + shown[5] > 20
    assert shown[1] > 20
    assert not shown[2]


def test_a_tardy_shows_in_the_first_class_and_an_early_departure_in_the_last(periods: World) -> None:
    late = {(row[3], row[5]) for row in periods.attendance() if row[3] in ("tardy", "early_departure") and row[5]}
    assert late == {("tardy", "P1"), ("early_departure", "P6")}


def test_a_class_period_has_the_values_of_its_own_status_only(periods: World) -> None:
    for row in periods.attendance():
        assert (row[4] == "") == (row[3] != "absent")
        assert (row[6] == "") == (row[3] in ("present", "absent"))
        assert row[7] == "" or row[4] == "true"


def test_where_only_absences_have_rows_present_is_said_in_corrections_alone() -> None:
    world = world_of(absence_only=True, absent_was_present=0.05)
    marks = world.reports.marks
    present = marks.status == STATUSES.index("present")
    assert present.sum() > 100
    assert not (present & world.reports.first).any()


def test_only_first_reports_may_lack_the_time_of_recording() -> None:
    reports = world_of(no_recorded_at=0.3).reports
    untimed = reports.recorded_minute == UNKNOWN
    assert abs(untimed[reports.first].mean() - 0.3) < 0.02
    assert not untimed[~reports.first].any()


def test_a_duplicate_repeats_the_row_before_it() -> None:
    once, twice = list(world_of().attendance()), list(world_of(duplicates=0.1).attendance())
    assert abs(len(twice) / len(once) - 1.1) < 0.01
    assert [row for n, row in enumerate(twice) if n == 0 or row != twice[n - 1]] == once


def test_how_rows_are_filed_leaves_the_truth_as_it_is(periods: World) -> None:
    assert np.array_equal(periods.marks.status, world_of().marks.status)
