"""Students' households, groups and enrollments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np

from models.arrays import Ints
from models.backtest.history import Spans
from models.enrollment import FOREVER
from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.spans import NOT_SHARED
from services.ingest.rows.parse import EnrollmentRow
from services.ingest.rows.records import DemographicsRow, group_word
from services.lab.year.folder import Folder
from services.lab.year.schools import EnrolledCounts
from services.lab.year.scope import Scope

GROUPS: Final = ("gender", "race_ethnicity", "english_learner", "special_education")
_UNKNOWN: Final = ("",) * len(GROUPS)


@dataclass(slots=True)
class People:
    """What the files say of all students, consented or not."""

    scope: Scope
    households: dict[str, str] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    followed: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Which calendar of the school an enrollment follows, where it names one."""
    enrollments: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """By student, school and entry day: the last exit day. Of every school and day, in scope or not."""

    def household(self, student_ids: Iterable[str]) -> Ints:
        """Each student's household; one without a household id has one of their own."""
        places: dict[tuple[str, bool], int] = {}
        keys = ((self.households.get(one, one), one in self.households) for one in student_ids)
        return np.array([places.setdefault(key, len(places)) for key in keys], np.int32)

    def group(self, place: int, student_ids: Iterable[str]) -> tuple[str, ...]:
        """Each student's value in the group at this place of `GROUPS`; empty when unknown."""
        return tuple(self.groups.get(one, _UNKNOWN)[place] for one in student_ids)

    def schools(self) -> set[str]:
        """The schools in scope at which anyone is enrolled."""
        return {school for _, school, _ in self._in_scope()}

    def enrolled(self, schools: Mapping[str, int]) -> EnrolledCounts:
        """All spans in scope, as numbers of students."""
        found = [(schools[school], entry, exit_) for (_, school, entry), exit_ in self._in_scope().items()]
        school, entry, exit_ = np.array(found, np.int32).reshape(-1, 3).T.copy()
        return EnrolledCounts(school, entry, exit_)

    def spans(self, students: Mapping[str, int], schools: Mapping[str, int]) -> tuple[Spans, Spans]:
        """The enrollments of these students, by student and entry: in scope, and where nothing is shared."""
        mine: defaultdict[str, list[EnrollmentSpan]] = defaultdict(list)
        for (student, school, entry), exit_ in self.enrollments.items():
            if student in students:
                mine[student].append(_span(school, entry, exit_, self.followed.get((student, school, entry))))
        seen = [(students[student], span) for student, spans in mine.items() for span in self.scope.seen(spans)]
        shared = ((student, span) for student, span in seen if span.shared)
        return _columns(shared, schools), _columns(((s, span) for s, span in seen if not span.shared), {NOT_SHARED: 0})

    def _in_scope(self) -> dict[tuple[str, str, int], int]:
        found: dict[tuple[str, str, int], int] = {}
        for (student, school, entry), exit_ in self.enrollments.items():
            days = self.scope.clip(school, entry, exit_)
            if days is not None:
                key = student, school, days[0]
                found[key] = max(days[1], found.get(key, days[1]))
        return found


def _span(school: str, entry: int, exit_: int, calendar: str | None) -> EnrollmentSpan:
    return EnrollmentSpan(
        school_id=school,
        entry_date=date.fromordinal(entry),
        exit_date=None if exit_ == FOREVER else date.fromordinal(exit_),
        calendar=calendar,
    )


def _columns(found: Iterable[tuple[int, EnrollmentSpan]], schools: Mapping[str, int]) -> Spans:
    rows = sorted(
        (student, span.entry_date.toordinal(), schools[span.school_id], _last(span), span.calendar or "")
        for student, span in found
    )
    student, entry, school, exit_ = np.array([row[:4] for row in rows], np.int32).reshape(-1, 4).T.copy()
    calendars = tuple(row[4] for row in rows)
    return Spans(student, school, entry, exit_, calendars if any(calendars) else None)


def _last(span: EnrollmentSpan) -> int:
    return FOREVER if span.exit_date is None else span.exit_date.toordinal()


def read_people(folder: Folder, scope: Scope, described: Container[str]) -> People:
    """Students and enrollments: of a student the last row holds, of one entry the longest.

    The groups are of those who are `described`: whose consent covers demographics.
    """
    people = People(scope)
    for person in folder.rows(folder.source.students()):
        if person.household_id:
            people.households[person.student_id] = person.household_id
    for row in folder.rows(folder.source.records("demographics")):
        if isinstance(row, DemographicsRow) and row.student_id in described:
            before = people.groups.get(row.student_id, _UNKNOWN)
            people.groups[row.student_id] = tuple(now or old for now, old in zip(_groups(row), before, strict=True))
    for span in folder.rows(folder.source.enrollments()):
        _enroll(people, span)
    return people


def _enroll(people: People, row: EnrollmentRow) -> None:
    if row.household_id:
        people.households[row.student_id] = row.household_id
    exit_ = FOREVER if row.exit_date is None else row.exit_date.toordinal()
    key = row.student_id, row.school_id, row.entry_date.toordinal()
    if row.calendar:
        people.followed[key] = row.calendar
    people.enrollments[key] = max(exit_, people.enrollments.get(key, exit_))


def _groups(row: DemographicsRow) -> tuple[str, ...]:
    return tuple(group_word(getattr(row, name)) for name in GROUPS)
