from __future__ import annotations

from datetime import date

import pytest

from models.engagement import courses
from models.engagement.facts import CourseMark
from models.engagement.standing import JudgedPart
from tests.unit.models.engagement.facts import AS_OF, POLICY, mark


def judged(*marks: CourseMark, as_of: date = AS_OF) -> JudgedPart:
    return courses.judge(marks, POLICY.courses, as_of)


@pytest.mark.parametrize(
    ("one", "track"),
    [
        (mark("F"), "off_track"),
        (mark("D-"), "on_track"),
        (mark("59", scale=100), "off_track"),
        (mark("60", scale=100), "on_track"),  # exactly 60%
        (mark("11.9", scale=20), "off_track"),
        (mark("0.9", scale=4), "off_track"),
        (mark("1", scale=4), "on_track"),
        (mark("55"), "off_track"),  # no scale known: of 100
        (mark("3"), None),  # no scale known: of 100, or of 4?
        (mark("INC"), None),
        (mark("P"), None),
        (mark("W"), None),
        (mark("F", subject="Art"), "on_track"),
    ],
)
def test_a_failed_core_course_is_off_track(one: CourseMark, track: str | None) -> None:
    assert judged(one).track == track


@pytest.mark.parametrize(
    ("before", "last", "track"),
    [
        (mark("A"), mark("B", "Q2"), "sliding"),
        (mark("A-"), mark("B+", "Q2"), "on_track"),  # a third of a letter
        (mark("B+"), mark("C+", "Q2"), "sliding"),
        (mark("B"), mark("B", "Q2"), "on_track"),
        (mark("C"), mark("A", "Q2"), "on_track"),
        (mark("90", scale=100), mark("80", "Q2", scale=100), "sliding"),  # exactly ten points
        (mark("89", scale=100), mark("80", "Q2", scale=100), "on_track"),
        (mark("3.5", scale=4), mark("2.5", "Q2", scale=4), "sliding"),
        (mark("3.5", scale=4), mark("2.6", "Q2", scale=4), "on_track"),
        (mark("A"), mark("84", "Q2", scale=100), "sliding"),  # a B
        (mark("A-"), mark("87", "Q2", scale=100), "on_track"),  # a B+
        (mark("95", scale=100), mark("B", "Q2"), "sliding"),
        (mark("A"), mark("3", "Q2", scale=4), "sliding"),
        (mark("100", scale=100), mark("0", "Q2", subject="Art", scale=100), "sliding"),
        (mark("A", subject="Art"), mark("C", "Q2", subject="Art"), "sliding"),
        (mark("F"), mark("C", "Q2"), "on_track"),  # made good
    ],
)
def test_a_full_letter_down_is_sliding(before: CourseMark, last: CourseMark, track: str) -> None:
    assert judged(before, last).track == judged(last, before).track == track


def test_only_marks_of_one_course_are_compared() -> None:
    assert judged(mark("A", course="M7"), mark("C", "Q2", course="M8")).track == "on_track"


def test_what_is_no_mark_stands_aside() -> None:
    assert judged(mark("A"), mark("INC", "S1"), mark("B", "Q2")).track == "sliding"


def test_of_terms_that_end_together_the_longer_one_is_last() -> None:
    assert judged(mark("F", "Q2"), mark("D", "S1")).track == "on_track"


def test_a_mark_counts_once_its_term_has_ended_and_in_its_school_year() -> None:
    assert judged(mark("F", "Q2"), as_of=date(2027, 1, 24)).track is None
    assert judged(mark("F", "Q2"), as_of=date(2027, 1, 25)).track == "off_track"
    assert judged(mark("F", "Q4 before")).track is None
    assert judged(mark("F", "a term of which nothing is known")).track == "off_track"


@pytest.mark.parametrize(
    "subject",
    ["English Language Arts", "ELA", "english", "Math", "MATHEMATICS", "Science", "social  studies", "Social-Studies"],
)
def test_core_subjects_are_known_however_they_are_written(subject: str) -> None:
    assert judged(mark("F", subject=subject)).track == "off_track"


@pytest.mark.parametrize("subject", ["Computer Science", "Algebra I", "Music", "Health Science"])
def test_another_subject_is_not_core(subject: str) -> None:
    failed = judged(mark("F", subject=subject))
    assert (failed.track, failed.areas) == ("on_track", ())


def test_a_course_without_a_subject_is_never_core_which_is_said_when_it_is_failed() -> None:
    failed, passed = judged(mark("F", subject=None)), judged(mark("C", subject=None))
    assert (failed.track, passed.track, passed.areas) == ("on_track", "on_track", ())
    assert "its subject is not known" in failed.areas[0].text
    both = judged(mark("C", subject=None), mark("F", "Q2", subject=None))
    assert (both.track, len(both.areas)) == ("sliding", 2)


def test_the_course_is_named_and_what_would_change_it() -> None:
    (area,) = judged(mark("F")).areas
    assert area.text == (
        "The last mark in Mathematics is F (Q1), which fails a core course. "
        "A passing mark in Mathematics at the term's end."
    )
    assert area.dates == (date(2026, 11, 10),)
    (down,) = judged(mark("A"), mark("B", "Q2")).areas
    assert down.text.startswith("The mark in Mathematics went down from A (Q1) to B (Q2).")
    assert down.dates == (date(2026, 11, 10), date(2027, 1, 25))
