"""The suspensions and marks of a folder, by student, as far as they are shared and known on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from models.engagement.facts import CourseMark, Suspension, SuspensionsOnFile
from services.ingest.classification.records import days_of
from services.ingest.rows.records import CourseRow, GradeRow, Record, RecordDays, SuspensionRow, TermRow
from services.lab.engagement.consented import SharedKind

Terms = Mapping[str, TermRow]


def suspensions_of(rows: Iterable[Record], shared: SharedKind, *, handed_in: bool) -> dict[str, SuspensionsOnFile]:
    """Those of every student with a consent; what happened counts from its own day."""
    found: defaultdict[str, dict[tuple[date, str], Suspension]] = defaultdict(dict)
    for row in rows:
        if isinstance(row, SuspensionRow) and shared.has(row.student_id, row.days):
            found[row.student_id][row.date, row.action] = Suspension(row.date, row.date)
    return {
        student: SuspensionsOnFile(tuple(found[student].values()) if student in found else (), handed_in)
        for student in shared.runs
    }


def marks_of(
    grades: Iterable[Record], courses: Iterable[Record], terms: Terms, shared: SharedKind
) -> dict[str, tuple[CourseMark, ...]]:
    """Those of every student with a consent; a mark counts from its term's end, without a known one always."""
    days = {term: RecordDays(row.start_date, row.end_date) for term, row in terms.items()}
    taken = _courses(courses, days, shared)
    found: defaultdict[str, dict[tuple[str, str], CourseMark]] = defaultdict(dict)
    for row in grades:
        if not isinstance(row, GradeRow) or not shared.has(row.student_id, days_of(row, days)):
            continue
        about = _course_of(row, taken)
        term, when = terms.get(row.term), days_of(row, days)
        found[row.student_id][row.course, row.term] = CourseMark(
            course=row.course,
            term=row.term,
            mark=row.grade,
            known_from=when.last or date.min,
            title=None if about is None else about.title,
            subject=None if about is None else about.subject,
            scale_max=None if term is None else term.grade_scale_max,
            first=when.first,
            last=when.last,
        )
    return {student: tuple(found[student].values()) if student in found else () for student in shared.runs}


Taken = Mapping[tuple[str, str, str], CourseRow]
"""By student, course and term; without a term what was said last of the course."""


def _courses(rows: Iterable[Record], days: Mapping[str, RecordDays], shared: SharedKind) -> Taken:
    found: dict[tuple[str, str, str], CourseRow] = {}
    for row in rows:
        if isinstance(row, CourseRow) and shared.has(row.student_id, days_of(row, days)):
            found[row.student_id, row.course, row.term] = found[row.student_id, row.course, ""] = row
    return found


def _course_of(row: GradeRow, taken: Taken) -> CourseRow | None:
    return taken.get((row.student_id, row.course, row.term)) or taken.get((row.student_id, row.course, ""))
