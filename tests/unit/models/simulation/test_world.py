"""The world as a whole: reproducible, consistent, in the export set's columns."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

import numpy as np
import pytest
from pydantic import ValidationError

from models.simulation import HEADERS, World, WorldConfig, simulate
from models.simulation.config import CalendarConfig, SchoolConfig

pytestmark = pytest.mark.slow

SMALL = WorldConfig(students=120)


def everything(world: World) -> dict[str, list[tuple[str, ...]]]:
    return {name: list(rows) for name, rows in world.files().items()}


def test_the_same_config_and_seed_make_the_same_world() -> None:
    assert everything(simulate(SMALL, 3)) == everything(simulate(SMALL, 3))


def test_another_seed_makes_another_world() -> None:
    one, other = everything(simulate(SMALL, 3)), everything(simulate(SMALL, 4))
    assert all(one[name] != other[name] for name in ("students.csv", "attendance.csv", "calendar.csv", "consents.csv"))


def test_another_way_of_reporting_leaves_the_truth_as_it_is() -> None:
    reporting = SMALL.reporting.model_copy(update={"late_days": 0.9, "silent_days": 0.1})
    plain, late = simulate(SMALL, 3), simulate(SMALL.model_copy(update={"reporting": reporting}), 3)
    assert np.array_equal(plain.marks.status, late.marks.status)
    assert late.attendance_count < plain.attendance_count


def test_every_row_has_its_headers_columns(world: World) -> None:
    files = everything(world)
    assert set(files) == set(HEADERS)
    for name, rows in files.items():
        assert rows
        assert {len(row) for row in rows} == {len(HEADERS[name])}


def test_headers_are_those_of_the_export_set() -> None:
    assert ",".join(HEADERS["attendance.csv"]) == (
        "student_id,school_id,date,status,excused,section_id,minutes_missed,reason,recorded_at"
    )
    assert ",".join(HEADERS["students.csv"]) == (
        "student_id,first_name,last_name,birth_date,grade,household_id,gender,race_ethnicity,"
        "english_learner,special_education"
    )
    assert ",".join(HEADERS["consents.csv"]) == (
        "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients,"
        "expires_on,revoked_on"
    )
    assert ",".join(HEADERS["enrollments.csv"]) == "student_id,school_id,entry_date,exit_date"
    assert ",".join(HEADERS["schools.csv"]) == "school_id,name,campus,timezone"
    assert ",".join(HEADERS["calendar.csv"]) == "school_id,date,instructional"
    assert ",".join(HEADERS["outcomes.csv"]) == "student_id,date,kind"


def test_marks_lie_on_instructional_days_inside_an_enrollment_at_that_school(world: World) -> None:
    opens = {(school, day) for school, day, instructional in world.calendar() if instructional == "true"}
    spans = defaultdict(list)
    for student, school, entry, leave in world.enrollments():
        spans[student, school].append((entry, leave or "9999"))
    for row in world.attendance():
        student, school, day = row[:3]
        assert (school, day) in opens
        assert any(entry <= day <= leave for entry, leave in spans[student, school])


def test_every_enrolled_student_has_a_mark_of_every_instructional_day(world: World) -> None:
    opens = [(school, day) for school, day, instructional in world.calendar() if instructional == "true"]
    by_school = defaultdict(list)
    for school, day in opens:
        by_school[school].append(day)
    expected = {
        (student, school, day)
        for student, school, entry, leave in world.enrollments()
        for day in by_school[school]
        if entry <= day <= (leave or "9999")
    }
    assert {row[:3] for row in world.attendance()} == expected


def test_a_transferring_student_has_two_enrollments_that_do_not_overlap(world: World) -> None:
    spans = defaultdict(list)
    for student, school, entry, leave in world.enrollments():
        spans[student].append((entry, leave, school))
    moved = [sorted(both) for both in spans.values() if len(both) > 1]
    assert len(moved) > 20
    for first, second in moved:
        assert first[1] < second[0]
        assert first[2] != second[2]


def test_siblings_share_a_household_and_some_go_to_different_schools(world: World) -> None:
    homes = defaultdict(list)
    for row in world.students():
        homes[row[5]].append(row)
    schools = {student: school for student, school, _, _ in world.enrollments()}
    families = [home for home in homes.values() if len(home) > 1]
    assert len(families) > 150
    assert all(len({row[2] for row in home}) == 1 for home in families)
    apart = [home for home in families if len({schools[row[0]] for row in home}) > 1]
    assert 0.1 < len(apart) / len(families) < 0.7


def test_ids_are_unique_and_have_six_or_seven_digits(world: World) -> None:
    ids = [row[0] for row in world.students()]
    assert len(set(ids)) == world.config.students
    assert all(len(student) in (6, 7) and student.isdigit() for student in ids)


def test_outcomes_name_enrolled_students_in_the_order_of_a_case(world: World) -> None:
    kinds = defaultdict(list)
    for student, day, kind in world.outcomes():
        date.fromisoformat(day)
        kinds[student].append(kind)
    steps = ["homelessness_identified", "support_started", "support_ended"]
    assert all(case == steps[: len(case)] for case in kinds.values())


def test_rows_come_in_the_order_of_their_recorded_dates_and_never_before_their_own(world: World) -> None:
    last = ""
    for row in world.attendance():
        recorded = datetime.fromisoformat(row[8])
        assert recorded.utcoffset() is not None
        assert row[8][:10] >= max(row[2], last)
        last = row[8][:10]


@pytest.mark.parametrize("students", [1, 2, 9])
def test_tiny_worlds_are_possible(students: int) -> None:
    calendar = CalendarConfig(instructional_days=30, storms=9)
    world = simulate(WorldConfig(students=students, calendar=calendar), 1)
    assert len(list(world.students())) == students
    assert list(world.attendance())


def test_a_large_district_has_more_schools_than_the_pilot() -> None:
    assert len(WorldConfig.of_size(2000).schools) == 6
    assert len(WorldConfig.of_size(50_000).schools) > 100


def test_an_unknown_parameter_is_an_error() -> None:
    with pytest.raises(ValidationError):
        WorldConfig.model_validate({"housing": {"troubles": 0.2}})


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
def test_a_school_needs_a_time_zone_that_exists(zone: str) -> None:
    with pytest.raises(ValidationError, match="America/New_York"):
        SchoolConfig(school_id="x", name="X", lowest="K", highest="5", size=1, timezone=zone)
