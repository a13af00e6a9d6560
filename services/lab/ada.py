"""Average daily attendance of a folder, over the attendance of every disclosure of its agreement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from models.ada import AttendanceSums, StudentDay, days_of
from models.engagement.days import ReportedDays
from models.engagement.standing import year_begins
from services.ingest.ada.reading import Averages
from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import Item, Rejection, Source, open_sources
from services.lab.engagement.attendance import Marked, marked_on
from services.lab.year.reader import NothingInScopeError, ReadHistory, read_history
from services.platform.errors import OperatorError
from services.platform.sharing import ANY


class FolderAverages(NamedTuple):
    """The averages, and what is to be said of the files."""

    averages: Averages
    notes: list[str]
    """No id and no name is in it."""
    rejected: list[Rejection]


class NothingToCountError(OperatorError):
    """The folder has no attendance that its agreement shares with anybody."""


def averages_of(folder: Path, as_of: date | None, mapping: Path | None, *, first_day_out: bool) -> FolderAverages:
    """The averages of the school year of the day, else of the last one that a school reported.

    Raises `FormatError`, `AgreementError`, `NothingToCountError` and `OSError`.
    """
    source = open_sources([folder], mapping, first_day_out=first_day_out)
    agreement, note = agreement_of(source)
    read: list[ReadHistory] = []
    for feed in agreement.attendance_feeds():
        try:
            read.append(read_history(folder, feed=feed, mapping=mapping, first_day_out=first_day_out))
        except NothingInScopeError:
            continue
    if not read:
        raise NothingToCountError(
            f"No attendance in {folder} is in the scope of its agreement. Compare schools and dates."
        )
    last = as_of or max(date.fromordinal(int(one.history.counts.day.max())) for one in read)
    by_feed = [marked_on(one.history, last) for one in read]
    first, grades, sums = year_begins(last), _grades(source), AttendanceSums()
    for student in sorted({student for _, marked in by_feed for student in marked}):
        sums.add(grades.get(student), _days(student, by_feed))
    cells = sums.cells([reported for reported, _ in by_feed], agreement.small_cell)
    assumed = {one.history.schools[school] for one in read for school in one.history.assumed}
    told = {cell.key.school for cell in cells}
    shared = {school for feed in agreement.attendance_feeds() for school in feed.schools} - {ANY}
    return FolderAverages(
        Averages(first, last, agreement.small_cell, cells, sorted(assumed & told), sorted(shared - told)),
        [note, *source.warnings, *map(str, source.not_read)],
        read[0].rejected,
    )


def _days(student: str, by_feed: list[tuple[ReportedDays, dict[str, Marked]]]) -> Iterator[StudentDay]:
    for reported, marked in by_feed:
        if student in marked:
            parts, marks = marked[student]
            yield from days_of([part for part in parts if part.school], marks.get, reported)


def _grades(source: Source) -> dict[str, str]:
    """The last grade that the files give a student."""
    rows = [*source.enrollments(), *source.students()]
    return {one.row.student_id: one.row.grade for one in rows if isinstance(one, Item) and one.row.grade}
