"""Judges every student of a folder, as one reader may see them, by what was known on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from models.engagement.facts import CourseMark, EngagementFacts, SchoolAttendance, SuspensionsOnFile
from models.engagement.judgement import Engagement, judge
from models.engagement.policy import EngagementPolicy
from services.ingest.agreement.document import Agreement, Feed
from services.ingest.agreement.folder import agreement_of
from services.ingest.formats import Found, Item, Rejection, Source, open_sources
from services.ingest.formats.base import RowT
from services.ingest.reporting.schools import Enrolled
from services.ingest.settings import IngestSettings
from services.lab.engagement.attendance import attendance_on
from services.lab.engagement.consented import SharedKind
from services.lab.engagement.readership import KINDS, Readership
from services.lab.engagement.records import marks_of, suspensions_of
from services.lab.year.reader import NothingInScopeError, Progress, ReadHistory, read_history
from services.platform.sharing import ATTENDANCE, GRADES, SUSPENSIONS


@dataclass(frozen=True, slots=True)
class EngagementQuestion:
    """What is asked of which folder; the paths and flags are as `open_sources` has them."""

    folder: Path
    policy: EngagementPolicy
    as_of: date | None = None
    """None: the last day on which a school in scope reported, else today."""
    recipient: str | None = None
    purpose: str | None = None
    mapping: Path | None = None
    first_day_out: bool = False


@dataclass(frozen=True, slots=True)
class FolderEngagement:
    """Each student of whom the reader may see anything, by the district's id, in order."""

    as_of: date
    readership: Readership
    students: dict[str, Engagement]
    notes: list[str]
    """What the user should know of the files; no id and no name is in it."""
    rejected: list[Rejection]


def engagement_of(asked: EngagementQuestion, progress: Progress | None = None) -> FolderEngagement:
    """Judge the folder's students.

    Raises `FormatError`, `AgreementError`, `NoReaderError` and `OSError`.
    """
    source = open_sources([asked.folder], asked.mapping, first_day_out=asked.first_day_out)
    agreement, note = agreement_of(source)
    readership = Readership.of(agreement, asked.recipient, asked.purpose)
    read = _history(asked, source, readership.feed(agreement, ATTENDANCE), progress)
    as_of = asked.as_of or _last_reported(read)
    files = _Files(source)
    attendance = {} if read is None else attendance_on(read.history, as_of)
    shared = _shared(files, agreement, readership, as_of)
    suspensions, marks = _suspensions(files, shared.get(SUSPENSIONS)), _marks(files, shared.get(GRADES))
    attending = shared[ATTENDANCE].runs if ATTENDANCE in shared else {}
    students = {
        student: EngagementFacts(
            attendance.get(student, SchoolAttendance()) if student in attending else None,
            suspensions.get(student),
            marks.get(student),
        )
        for student in sorted({*attending, *suspensions, *marks})
    }
    judged = {student: judge(facts, asked.policy, as_of) for student, facts in students.items()}
    notes = [note, *source.warnings, *map(str, source.not_read), *_assumed(read)]
    return FolderEngagement(
        as_of, readership, judged, notes, [*([] if read is None else read.rejected), *files.rejected]
    )


class _Files:
    """The files, and what of them cannot be used."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rejected: list[Rejection] = []

    def rows(self, found: Iterable[Found[RowT]]) -> Iterator[RowT]:
        """The usable rows; the others are noted."""
        for one in found:
            if isinstance(one, Item):
                yield one.row
            else:
                self.rejected.append(one)


def _history(
    asked: EngagementQuestion, source: Source, feed: Feed | None, progress: Progress | None
) -> ReadHistory | None:
    """The attendance that the reader gets; None when that is none."""
    if feed is None or not source.readers.attendance:
        return None
    try:
        return read_history(asked.folder, progress, feed=feed, mapping=asked.mapping, first_day_out=asked.first_day_out)
    except NothingInScopeError:
        return None


def _last_reported(read: ReadHistory | None) -> date:
    """The last day of which a school in scope said anything; today when none did."""
    if read is None:
        return IngestSettings.load().wall_today()
    return date.fromordinal(int(read.history.counts.day.max()))


def _assumed(read: ReadHistory | None) -> list[str]:
    schools = [] if read is None else sorted(read.history.schools[school] for school in read.history.assumed)
    return [f"School {school} has neither calendar nor sessions: no attendance rate is judged." for school in schools]


def _shared(files: _Files, agreement: Agreement, readership: Readership, as_of: date) -> dict[str, SharedKind]:
    """By kind, those that the reader gets."""
    consents = [found.row for found in files.source.consents() if isinstance(found, Item)]
    enrollments: defaultdict[str, list[Enrolled]] = defaultdict(list)
    for found in files.source.enrollments():
        if isinstance(found, Item):
            row = found.row
            enrollments[row.student_id].append(Enrolled(row.school_id, row.entry_date, row.exit_date))
    feeds = {kind: readership.feed(agreement, kind) for kind in KINDS}
    return {
        kind: SharedKind.of(agreement, feed, consents, enrollments, as_of)
        for kind, feed in feeds.items()
        if feed is not None
    }


def _suspensions(files: _Files, shared: SharedKind | None) -> dict[str, SuspensionsOnFile]:
    if shared is None:
        return {}
    handed_in = SUSPENSIONS in files.source.readers.records
    return suspensions_of(files.rows(files.source.records(SUSPENSIONS)), shared, handed_in=handed_in)


def _marks(files: _Files, shared: SharedKind | None) -> dict[str, tuple[CourseMark, ...]]:
    if shared is None:
        return {}
    terms = {row.term: row for row in files.rows(files.source.terms())}
    courses, grades = (files.rows(files.source.records(name)) for name in ("courses", GRADES))
    return marks_of(grades, courses, terms, shared)
