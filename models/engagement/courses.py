"""Marks of courses in the school year to date: failed core courses, and marks that went down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from models.engagement.facts import CourseMark
from models.engagement.policy import CourseThresholds, ScaleSteps
from models.engagement.standing import JudgedPart, TargetArea, Track, year_begins

_UNKNOWN_SCALE = 100
"""Of what a number is taken to be that no scale of grade points reaches."""


class _Scored(NamedTuple):
    """A mark as a number: of letters or grade points in points, of another scale a share."""

    mark: CourseMark
    steps: ScaleSteps
    """Of its scale."""
    value: Fraction
    points: Fraction
    """The same as points of letters, by which marks of two scales are compared."""


def judge(marks: Iterable[CourseMark], policy: CourseThresholds, as_of: date) -> JudgedPart:
    """Where the courses stand by each one's last mark; nothing without any mark."""
    begins = year_begins(as_of)
    known = (one for one in marks if one.known_from <= as_of and (one.last is None or one.last >= begins))
    by_course: defaultdict[str, list[_Scored]] = defaultdict(list)
    for mark in sorted(known, key=_in_order):
        scored = _score(mark, policy)
        if scored is not None:
            by_course[mark.course].append(scored)
    if not by_course:
        return JudgedPart(None)
    found = [_judge_course(by_course[course], policy) for course in sorted(by_course)]
    tracks = {judged.track for judged in found}
    worst: Track = "off_track" if "off_track" in tracks else "sliding" if "sliding" in tracks else "on_track"
    return JudgedPart(worst, tuple(area for judged in found for area in judged.areas))


def _judge_course(scored: Sequence[_Scored], policy: CourseThresholds) -> JudgedPart:
    """By the last mark of the course, and the one before."""
    last = scored[-1]
    fails, core = last.value < last.steps.failing_below, policy.core_subject(last.mark.subject)
    if fails and core:
        return JudgedPart("off_track", (_area([last], core, policy.failed, policy.failed_clears),))
    areas = []
    went_down = _went_down(scored[-2], last, policy) if len(scored) > 1 else False
    if went_down:
        areas.append(_area(scored[-2:], core, policy.down, policy.down_clears))
    if fails and not last.mark.subject:
        areas.append(_area([last], core, policy.unknown))
    return JudgedPart("sliding" if went_down else "on_track", tuple(areas))


def _went_down(before: _Scored, last: _Scored, policy: CourseThresholds) -> bool:
    if before.steps is last.steps:
        return before.value - last.value >= last.steps.full_letter
    return before.points - last.points >= policy.letters.full_letter


def _area(rests_on: Sequence[_Scored], core: str | None, *templates: str) -> TargetArea:
    before, last = rests_on[0].mark, rests_on[-1].mark
    said = {
        "course": last.title or core or last.subject or last.course,
        "mark": last.mark,
        "term": last.term,
        "before": before.mark,
        "before_term": before.term,
    }
    dates = sorted(one.mark.last for one in rests_on if one.mark.last is not None)
    return TargetArea("courses", " ".join(template.format(**said) for template in templates), tuple(dates))


def _in_order(mark: CourseMark) -> tuple[object, ...]:
    """By the term's end, of one end the longer term last; one that is not known comes before, by its name."""
    last, first = mark.last or date.min, mark.first or mark.last or date.min
    return last, -first.toordinal(), mark.term, mark.mark


def _score(mark: CourseMark, policy: CourseThresholds) -> _Scored | None:
    """The mark as a number; None for what is no mark (P, INC, W), and for a small number of which no scale is known."""
    letters, grade_points, shares = policy.letters, policy.grade_points, policy.shares
    points = letters.points_of(mark.mark)
    if points is not None:
        return _Scored(mark, letters, points, points)
    try:
        number = Fraction(mark.mark)
    except (ValueError, ZeroDivisionError):
        return None
    if mark.scale_max is None and number <= grade_points.up_to:
        return None
    scale = _UNKNOWN_SCALE if mark.scale_max is None else Fraction(mark.scale_max)
    if scale <= grade_points.up_to:
        return _Scored(mark, grade_points, number, number)
    return _Scored(mark, shares, number / scale, letters.points_of_share(number / scale))
