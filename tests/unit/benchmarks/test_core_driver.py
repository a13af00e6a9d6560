"""The driver of the core: how often it evaluates changes nothing in the end, and a flush has what was touched."""

from __future__ import annotations

import pytest

from benchmarks.core_driver import BACKLOG, Core
from benchmarks.marks import Year, year_of
from benchmarks.publish import our_days, reference_records
from models.artifact import default_artifact

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def year() -> Year:
    return year_of(60, days=22)


def taken(year: Year, *, every: int = 1, one_mark_a_record: bool = False) -> Core:
    core = Core(default_artifact(), 1, every=every)
    core.take_all(reference_records(year))
    for day in our_days(year, one_mark_a_record=one_mark_a_record):
        core.take_all((*day.marks, *day.closes))
    return core


def test_alerts_stand_the_same_however_often_it_evaluates_and_however_marks_are_batched(year: Year) -> None:
    standing = taken(year).standing()
    assert standing
    assert taken(year, every=BACKLOG).standing() == standing
    assert taken(year, one_mark_a_record=True).standing() == standing


def test_partitions_tell_each_other_of_every_week(year: Year) -> None:
    topics = [record.topic for record in taken(year).said]
    assert topics.count("risk.weeks.v1") == topics.count("risk.thresholds.v1") == 4 * 5


def test_changes_have_every_student_once_and_are_gone_when_taken(year: Year) -> None:
    core = taken(year)
    changes = dict(core.take_changes())
    assert all(any(pupil.pseudonym in key for key in changes) for pupil in year.pupils)
    assert not [key for key, _ in core.take_changes() if "|s|" in key]
