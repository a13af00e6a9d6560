"""The Ed-Fi Alliance's own sample, with the consents and enrollments written to go with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from services.ingest.formats import Item, Source, open_sources

SAMPLE = Path(__file__).resolve().parents[5] / "shared" / "data" / "edfi-5.2"

pytestmark = pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample is not beside the repository")


@pytest.fixture
def source() -> Source:
    return open_sources([SAMPLE])


def test_every_event_is_read(source):
    found = [event for event in source.attendance() if isinstance(event, Item)]

    assert Counter(event.row.section_id is not None for event in found) == {False: 1_917, True: 66}
    whole_days = [event.row for event in found if event.row.section_id is None]
    assert Counter((row.status, row.excused) for row in whole_days) == {
        ("absent", True): 1_077,
        ("absent", False): 773,
        ("tardy", None): 66,
        ("partial", None): 1,
    }
    assert len({row.date for row in whole_days}) == 162


def test_the_sessions_make_183_instructional_days_in_each_school(source):
    days = [day.row for day in source.school_days() if isinstance(day, Item)]

    assert set(Counter(day.school_id for day in days).values()) == {183}
    assert len({day.school_id for day in days}) == 3
    school_days = {(day.school_id, day.date) for day in days}
    off = Counter(
        event.row.status
        for event in source.attendance()
        if isinstance(event, Item)
        and event.row.section_id is None
        and (event.row.school_id, event.row.date) not in school_days
    )
    assert off == {"absent": 29, "tardy": 3}


def test_students_schools_enrollments_and_consents_are_read_without_a_rejection(source):
    enrolled = {span.row.student_id for span in source.enrollments() if isinstance(span, Item)}
    named = {student.row.student_id for student in source.students() if isinstance(student, Item)}

    assert len(enrolled) == 227
    assert enrolled <= named
    assert len(list(source.schools())) == 3
    assert all(isinstance(consent, Item) for consent in source.consents())
    assert all("not read are the elements" in warning for warning in source.warnings)


def test_sessions_and_grading_periods_are_terms_of_each_school(source):
    terms = [one.row for one in source.terms() if isinstance(one, Item)]

    assert len({one.term for one in terms}) == len(terms) == 24
    assert not list(source.records("courses"))
