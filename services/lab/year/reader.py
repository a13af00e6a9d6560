"""A folder of the district export set as a history: what was handed in, and on which day it became known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from models.attendance import RETRACTED
from models.backtest.history import Counts, DayMarks, History, Runs
from models.enrollment import FOREVER
from services.ingest.agreement.document import Feed
from services.ingest.agreement.folder import agreement_of
from services.ingest.consent.in_force import ConsentPolicy, Run
from services.ingest.formats import FormatError, Item, Rejection
from services.ingest.imports.reading import CHUNK, chunks
from services.ingest.imports.replayer import first_signed
from services.ingest.settings import IngestSettings
from services.lab.year.attendance import Attendance, AttendanceReader
from services.lab.year.consents import Consented
from services.lab.year.described import described
from services.lab.year.folder import Folder
from services.lab.year.marks import day_marks, first_of_event, in_force, several
from services.lab.year.outcomes import read_identified
from services.lab.year.people import GROUPS, read_people
from services.lab.year.schools import EnrolledCounts, YearDays, head_counts
from services.lab.year.scope import Scope
from services.platform.sharing import ANY

Progress = Callable[[str, int, int], None]
"""Called with what is being read, how far it has come, and how far it will go."""


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """A history, and what is to be said of its files."""

    history: History
    rejected: list[Rejection]
    """Rows that cannot be used."""
    notes: list[str]
    """What else the user should know; no id and no name is in it."""
    files: frozenset[str]
    """The names of the folder's files that were read."""


class NothingInScopeError(FormatError):
    """The folder has attendance, and none of it is in the scope of who reads."""


def agencies_of(folder: Path, mapping: Path | None = None) -> tuple[str, ...]:
    """The agencies to which attendance flows by the folder's agreement; raises as `read_history` does."""
    agreement, _ = agreement_of(Folder(folder, mapping).source)
    return tuple(feed.agency for feed in agreement.feeds())


def read_history(
    folder: Path,
    progress: Progress | None = None,
    *,
    agency: str | None = None,
    feed: Feed | None = None,
    mapping: Path | None = None,
    first_day_out: bool = False,
) -> ReadHistory:
    """What the stream would have known of one agency's feed on each day, had the folder's files been replayed.

    Without an agency it is the first of the folder's agreement. With a `feed` it is that one, live or not, and also
    what was handed in before the first and after the last row of a consented student: nobody walks through its days.
    `mapping` and `first_day_out` are as `open_sources` has them. Which consents count is as the folder's agreement
    says, where times without a timezone stand as ingest's settings say.

    Raises `FormatError` when the folder or a file without which there is no history is missing or cannot be read, or
    (`NothingInScopeError`) when no row is in scope; `AgreementError`, and `OSError`.
    """
    files, settings = Folder(folder, mapping, first_day_out=first_day_out), IngestSettings.load()
    schools = list(files.rows(files.source.schools()))
    zones = {school.school_id: ZoneInfo(school.timezone) for school in schools if school.timezone}
    attendance = AttendanceReader(files, zones, settings.tz).read(progress)
    agreement, note = agreement_of(files.source)
    scope = Scope.of(agreement, agency) if feed is None else Scope.of_feed(agreement, feed)
    attendance, out_of_scope = _in_scope(attendance, scope)
    policy = ConsentPolicy.of(agreement, scope.feed)
    left_out = 0
    if feed is None:
        attendance, left_out = _spanned(attendance, first_signed(files.source, agreement))
    first, last = (date.fromordinal(int(which(attendance.rows.handed_in))) for which in (np.min, np.max))
    runs = _runs_of_consent(files, policy, first, last)
    consents = (found.row for found in files.source.consents() if isinstance(found, Item))
    people = read_people(files, scope, described(agreement, consents, last))
    days = YearDays((row for row in files.rows(files.source.school_days()) if scope.feed.has(row.school_id)), first)
    assumed = days.assume(attendance.reported())
    names = (
        {one.school_id for one in schools if scope.feed.has(one.school_id)}
        | people.schools()
        | days.schools()
        | set(attendance.schools)
    )
    students, places = _places(runs), _places(names)
    identified_student, identified_day = read_identified(files, students)

    in_columns, enrolled = _columns_of(runs, students), people.enrolled(places)
    spans, unshared = people.spans(students, places)
    known = _known(attendance, students, places, in_columns, enrolled)
    history = History(
        student_ids=tuple(students),
        schools=tuple(places),
        household=people.household(students),
        groups={name: people.group(place, students) for place, name in enumerate(GROUPS)},
        runs=in_columns,
        spans=spans,
        unshared=unshared,
        calendar=days.calendar(places),
        followed=days.followed(places),
        assumed=frozenset(places[school] for school in assumed),
        marks=known.marks,
        counts=known.counts,
        closes=days.closes(known.counts, places, enrolled),
        identified_student=identified_student,
        identified_day=identified_day,
        rows=attendance.read,
    )
    notes = [note]
    agencies = len(agreement.feeds())
    if agencies > 1:
        notes.append(f"Of {agencies} agencies this is what {scope.feed.agency} gets.")
    known_of = sum(any(people.groups.get(one, ())) for one in students)
    if agreement.id != ANY and known_of < len(students):
        notes.append(
            f"Groups are known of {known_of:,} of {len(students):,} students: whose consent covers demographics."
        )
    if out_of_scope:
        notes.append(f"{out_of_scope:,} rows are out of the agreement's scope: left out.")
    notes += [f"School {school} has neither calendar nor sessions: its weekdays are assumed." for school in assumed]
    if left_out:
        notes.append(f"{left_out:,} rows lie before the first or after the last of a consented student: left out.")
    return ReadHistory(history, files.rejected, [*files.notes(), *notes], files.names())


def _in_scope(attendance: Attendance, scope: Scope) -> tuple[Attendance, int]:
    """The rows of schools and days that the agreement covers; how many are not."""
    rows = attendance.rows
    shared = np.array([scope.feed.has(school) for school in attendance.schools], bool)[rows.school]
    inside = shared & (rows.day >= scope.first) & (rows.day <= scope.last) & (rows.handed_in <= scope.last)
    if inside.all():
        return attendance, 0
    if not inside.any():
        raise NothingInScopeError(
            f"No attendance row is in the scope of {scope.feed.agency or 'any agency'}: compare the agreement's "
            "schools and dates with the rows'."
        )
    return replace(attendance, rows=rows.take(inside)), int(np.count_nonzero(~inside))


def _spanned(attendance: Attendance, signed: Mapping[str, date]) -> tuple[Attendance, int]:
    """The rows from the first to the last day on which one of a consented student is handed in; how many are not.

    As `services.ingest.imports.replayer` does. Without such a row all are kept: then nobody is in the history anyway.
    """
    rows = attendance.rows
    signed_on = np.array([signed.get(one, date.max).toordinal() for one in attendance.students], np.int32)
    days = rows.handed_in[rows.day >= signed_on[rows.student]]
    if not len(days):
        return attendance, 0
    inside = (rows.handed_in >= days.min()) & (rows.handed_in <= days.max())
    return replace(attendance, rows=rows.take(inside)), int(np.count_nonzero(~inside))


@dataclass(frozen=True, slots=True)
class _Known:
    marks: DayMarks
    counts: Counts


def _known(
    attendance: Attendance,
    students: Mapping[str, int],
    schools: Mapping[str, int],
    runs: Runs,
    enrolled: EnrolledCounts,
) -> _Known:
    """What the rows come to: the counts over all of them, the marks over those that passed the gate."""
    school = np.array([schools[one] for one in attendance.schools], np.int32)
    student = np.array([students.get(one, -1) for one in attendance.students], np.int32)
    rows = replace(attendance.rows, school=school[attendance.rows.school])
    many = several(rows)
    said = rows.code != RETRACTED
    counts = head_counts(rows.take(said), many[said], enrolled)
    rows = replace(rows, student=student[rows.student])
    passed = np.flatnonzero(in_force(rows, runs))
    passed = passed[first_of_event(rows.take(passed))]
    return _Known(day_marks(rows.take(passed), many[passed]), counts)


def _runs_of_consent(files: Folder, policy: ConsentPolicy, first: date, last: date) -> dict[str, list[Run]]:
    consented = Consented(policy, first)
    for chunk in chunks(files.source.consents(), CHUNK):
        consented.take([item.row for item in files.kept(chunk)])
    return consented.runs(last)


def _columns_of(runs: Mapping[str, Sequence[Run]], students: Mapping[str, int]) -> Runs:
    found = [
        (place, run.start.toordinal(), FOREVER if run.through is None else run.through.toordinal())
        for student, place in students.items()
        for run in runs[student]
    ]
    student, first, last = np.array(found, np.int32).reshape(-1, 3).T.copy()
    return Runs(student, first, last)


def _places(texts: Iterable[str]) -> dict[str, int]:
    return {text: place for place, text in enumerate(sorted(texts))}
