"""What is kept of students, as the facts by which engagement is judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from sqlalchemy import Row, TextClause

from models.attendance import merged_code
from models.engagement.days import ReportedDays, attendance_of
from models.engagement.facts import CourseMark, EngagementFacts, SchoolAttendance, Suspension, SuspensionsOnFile
from models.enrollment import Stay
from services.casework.engagement.calendars import reported_days
from services.casework.engagement.kept import KeptKind
from services.casework.engagement.people import AskedDay, Asking, FeedTerm, Kinds
from services.casework.engagement.statements import (
    COURSES,
    ENROLLMENTS,
    MARKS,
    MARKS_OF_COURSES,
    SUSPENDED,
    SUSPENSIONS_HANDED_IN,
)
from services.platform.sharing import ATTENDANCE, GRADES, SUSPENSIONS

Rows: TypeAlias = Sequence[Row[tuple[object, ...]]]
RowsOf: TypeAlias = Mapping[int, Rows]
"""By the student's number in the feed of the kind."""


@dataclass(frozen=True, slots=True)
class GatheredFacts:
    """A student's facts, and of which of the student's records they are."""

    facts: EngagementFacts
    school_id: str | None
    """Where the student was last in the school year to date; None without any school that is shared."""
    consents: Mapping[str, date]
    """The pseudonyms of the kinds that are shared, and since when the consent for each is in force."""


async def gather(
    session: Asking,
    feeds: Mapping[str, FeedTerm],
    people: Mapping[str, Kinds],
    day: AskedDay,
    days: ReportedDays | None = None,
) -> dict[str, GatheredFacts]:
    """The facts of the students, by the district's id; `days` are those of all their schools, where they are known."""
    numbers = {kind: [kinds[kind].student for kinds in people.values() if kind in kinds] for kind in feeds}
    stays = await _rows(session, ENROLLMENTS, [one for of in numbers.values() for one in of], day)
    if days is None:
        days = await reported_days(session, day, {row.school_id for of in stays.values() for row in of})
    marks = await _rows(session, MARKS, numbers.get(ATTENDANCE, []), day)
    suspended = await _rows(session, SUSPENDED, numbers.get(SUSPENSIONS, []), day)
    handed_in = bool((await session.execute(SUSPENSIONS_HANDED_IN)).scalar_one())
    graded, courses = [await _rows(session, one, numbers.get(GRADES, []), day) for one in (MARKS_OF_COURSES, COURSES)]
    found = {}
    for student_id, kinds in people.items():
        kept = _kept(kinds, feeds, stays, day)
        facts = EngagementFacts(
            _attendance(kept[ATTENDANCE], marks, day, days) if ATTENDANCE in kept else None,
            _suspensions(kept[SUSPENSIONS], suspended, handed_in=handed_in) if SUSPENSIONS in kept else None,
            _marks(kept[GRADES], graded, courses) if GRADES in kept else None,
        )
        school = next((place for one in kept.values() if (place := one.school(day))), None)
        consents = {one.shown.pseudonym: one.shown.consent_from for one in kept.values()}
        found[student_id] = GatheredFacts(facts, school, consents)
    return found


async def _rows(session: Asking, statement: TextClause, students: Sequence[int], day: AskedDay) -> RowsOf:
    """What the statement finds of the students, as of the day."""
    found: defaultdict[int, list[Row[tuple[object, ...]]]] = defaultdict(list)
    if students:
        when = {"begins": day.begins, "year_ends": day.year_ends, "as_of": day.as_of, "ends": day.ends}
        for row in await session.execute(statement, {"students": list(students), **when}):
            found[row.student].append(row)
    return found


def _kept(kinds: Kinds, feeds: Mapping[str, FeedTerm], stays: RowsOf, day: AskedDay) -> dict[str, KeptKind]:
    """The kinds that are shared: the student was at a shared school in the school year to date."""
    found = {
        kind: KeptKind(kinds[kind], feeds[kind], [_stay(row) for row in stays.get(kinds[kind].student, ())])
        for kind in (ATTENDANCE, SUSPENSIONS, GRADES)
        if kind in kinds and kind in feeds
    }
    return {kind: one for kind, one in found.items() if one.has(day.begins, day.as_of)}


def _stay(row: Row[tuple[object, ...]]) -> Stay:
    return Stay(row.school_id, row.entry_date, row.exit_date, row.calendar)


def _attendance(kept: KeptKind, marks: RowsOf, day: AskedDay, days: ReportedDays) -> SchoolAttendance:
    codes = {(row.school_id, row.date): merged_code(row.codes) for row in marks.get(kept.shown.student, ())}
    return attendance_of(kept.parts(day), {at: code for at, code in codes.items() if code is not None}, days)


def _suspensions(kept: KeptKind, suspended: RowsOf, *, handed_in: bool) -> SuspensionsOnFile:
    began = [row.began_on for row in suspended.get(kept.shown.student, ()) if kept.has(row.began_on, row.began_on)]
    return SuspensionsOnFile(tuple(Suspension(day, day) for day in began), handed_in)


def _marks(kept: KeptKind, graded: RowsOf, courses: RowsOf) -> tuple[CourseMark, ...]:
    """Marks that were known on the asked day, so that each counts from the beginning."""
    about: dict[tuple[str, str], Row[tuple[object, ...]]] = {}
    for row in courses.get(kept.shown.student, ()):
        about[row.course, row.term] = about[row.course, ""] = row
    found = []
    for row in graded.get(kept.shown.student, ()):
        course = about.get((row.course, row.term)) or about.get((row.course, ""))
        if kept.has(row.first, row.last):
            found.append(
                CourseMark(
                    course=row.course,
                    term=row.term,
                    mark=row.grade,
                    known_from=date.min,
                    title=None if course is None else course.title,
                    subject=None if course is None else course.subject,
                    scale_max=row.grade_scale_max,
                    first=row.first,
                    last=row.last,
                )
            )
    return tuple(found)
