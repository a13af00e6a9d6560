"""A dry run: what the files come to by themselves, with nothing sent or kept. Pure but for reading the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import TypeVar

from services.ingest.agreements import Agreement, AgreementKey, agreement, merged
from services.ingest.consents import Policy, Run, current_run
from services.ingest.digests import mark_digest
from services.ingest.formats import Found, Item, Source
from services.ingest.importer import Progress
from services.ingest.report import Report
from services.ingest.reporting import Enrolled, Reporting
from services.ingest.rows import ConsentRow, MarkRow, to_utc
from services.ingest.settings import IngestSettings

RowT = TypeVar("RowT")


def rehearse(source: Source, settings: IngestSettings, progress: Progress) -> Report:
    """The report of an import into an empty system today (by the wall clock)."""
    report = Report()
    policy = Policy(settings.consent_records, settings.consent_purpose, settings.consent_recipient)
    runs = _runs(_kept(source.consents(), report), policy, settings.wall_today())
    for kind in (source.schools(), source.students()):
        for _ in _kept(kind, report):
            progress(source.bytes_read)
    enrolled: defaultdict[str, list[Enrolled]] = defaultdict(list)
    for span in _kept(source.enrollments(), report):
        enrolled[span.student_id].append(Enrolled(span.school_id, span.entry_date, span.exit_date))
    calendars: defaultdict[str, dict[date, bool]] = defaultdict(dict)
    for day in _kept(source.school_days(), report):
        if day.instructional is not None:
            calendars[day.school_id][day.date] = day.instructional
    reporting = Reporting()
    for school_id, calendar in calendars.items():
        reporting.school(school_id).calendar = calendar
    taken: set[tuple[str, date, int]] = set()
    before = len(report.rejections)
    for row in _kept(source.attendance(), report):
        progress(source.bytes_read)
        if not _consented(row, runs):
            report.marks["not_consented"] += 1
            continue
        mark = _identity(row, settings)
        report.marks["duplicate" if mark in taken else "accepted"] += 1
        if mark not in taken:
            taken.add(mark)
            report.note_idle(row, enrolled.get(row.student_id, ()), reporting)
    report.marks["rejected"] = len(report.rejections) - before
    report.tell(source)
    return report


def _kept(found: Iterator[Found[RowT]], report: Report) -> Iterator[RowT]:
    for one in found:
        if isinstance(one, Item):
            yield one.row
        else:
            report.rejections.extend([one])


def _runs(rows: Iterator[ConsentRow], policy: Policy, today: date) -> dict[str, Run]:
    given: defaultdict[str, dict[AgreementKey, Agreement]] = defaultdict(dict)
    for place, row in enumerate(rows):
        one = agreement(row, place)
        mine = given[row.student_id]
        mine[one.key] = merged(mine[one.key], one) if one.key in mine else one
    runs = {
        student: current_run((one.held(policy) for one in mine.values()), today, None)
        for student, mine in given.items()
    }
    return {student: run for student, run in runs.items() if run is not None}


def _consented(row: MarkRow, runs: dict[str, Run]) -> bool:
    run = runs.get(row.student_id)
    return run is not None and run.holds(row.date)


def _identity(row: MarkRow, settings: IngestSettings) -> tuple[str, date, int]:
    recorded_at = None if row.recorded_at is None else to_utc(row.recorded_at, settings.tz)
    digest = mark_digest(row.school_id, row.status, row.excused, row.section_id or "", recorded_at)
    return row.student_id, row.date, digest
