from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from models.simulation import World, WorldConfig, simulate
from models.simulation.marks import STATUSES
from models.simulation.reporting import Reports
from services.ingest.rows.parse import REASONS

pytestmark = pytest.mark.slow


def by_student_day(reports: Reports) -> dict[tuple[int, int], list[int]]:
    rows = defaultdict(list)
    for row, key in enumerate(zip(reports.marks.student.tolist(), reports.marks.day.tolist(), strict=True)):
        rows[key].append(row)
    return rows


def test_the_last_recorded_row_of_a_day_is_the_truth(world: World) -> None:
    truth = {
        key: (status, excused)
        for key, status, excused in zip(
            zip(world.marks.student.tolist(), world.marks.day.tolist(), strict=True),
            world.marks.status.tolist(),
            world.marks.excused.tolist(),
            strict=True,
        )
    }
    said = world.reports.marks
    for key, rows in by_student_day(world.reports).items():
        assert truth[key] == (said.status[rows[-1]], said.excused[rows[-1]])


def test_a_correction_is_recorded_on_a_later_day_than_what_it_corrects(world: World) -> None:
    corrected = [rows for rows in by_student_day(world.reports).values() if len(rows) > 1]
    assert len(corrected) > 500
    assert all(len(rows) == 2 for rows in corrected)
    recorded = world.reports.recorded_day
    assert all(recorded[first] < recorded[second] for first, second in corrected)


def test_some_schools_are_late_and_most_are_not(world: World) -> None:
    late = Counter[int]()
    marks = world.reports.marks
    first = [rows[0] for rows in by_student_day(world.reports).values()]
    for row in first:
        late[int(marks.school[row])] += int(world.reports.recorded_day[row] > marks.day[row])
    rows = Counter(marks.school[first].tolist())
    shares = sorted(late[school] / rows[school] for school in rows)
    assert 0.1 < shares[-1] < 0.4
    assert shares[-2] < 0.06


def test_a_year_that_reports_nothing_late_has_each_row_on_its_own_day() -> None:
    config = WorldConfig(students=200)
    on_time = config.reporting.model_copy(
        update={
            "late_schools": 0.0,
            "other_late_days": 0.0,
            "late_notes": 0.0,
            "absent_was_tardy": 0.0,
            "absent_was_present": 0.0,
            "present_was_absent": 0.0,
        }
    )
    world = simulate(config.model_copy(update={"reporting": on_time}), 5)
    assert np.array_equal(world.reports.recorded_day, world.reports.marks.day)
    assert world.attendance_count == len(world.marks.day)


def test_attended_marks_have_no_excuse_and_late_ones_have_minutes(world: World) -> None:
    for row in world.attendance():
        status, excused, minutes, reason = row[3], row[4], row[6], row[7]
        assert status in STATUSES
        assert (excused == "") == (status != "absent")
        assert (minutes == "") == (status in ("present", "absent"))
        assert reason == "" or excused == "true"


def test_reasons_are_codes_that_ingest_knows(world: World) -> None:
    assert {row[7] for row in world.attendance()} - {""} <= REASONS
