"""Whether a record that is no mark may be kept: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from services.ingest.agreement.document import Agreement
from services.ingest.consent.in_force import Run
from services.ingest.rows.kinds import RecordTable
from services.ingest.rows.outcomes import NOT_CONSENTED, NOT_YET, Outcome
from services.ingest.rows.records import NO_DAYS, CourseRow, GradeRow, Record, RecordDays

NOT_SHARED = Outcome("out_of_scope", "The agreement in force shares no such records with anybody")
OUT_OF_SCOPE_DAYS = Outcome(
    "out_of_scope", "No enrollment at a school of which the agreement in force shares such records lies in its days"
)


_OF_WHAT_HAPPENED = frozenset({"assessments", "suspensions", "graduations"})


def not_yet(table: RecordTable, days: RecordDays, latest: date) -> Outcome | None:
    """The outcome of a record of what happened that is dated too far ahead; programmes and courses may begin later."""
    ahead = days.last is not None and days.last > latest
    return NOT_YET if ahead and table.name in _OF_WHAT_HAPPENED else None


def days_of(row: Record, terms: Mapping[str, RecordDays]) -> RecordDays:
    """The days that a row is about: its own, else its term's where that is known."""
    days = row.days
    return terms.get(row.term, days) if isinstance(row, CourseRow | GradeRow) and days == NO_DAYS else days


def may_be_kept(
    days: RecordDays, enrolled: Iterable[tuple[date, date | None]], agreement: Agreement, run: Run
) -> Outcome | None:
    """None when it may, else why not.

    A day that it is about must lie in the agreement's term, in an enrollment at a shared school and in the consent;
    it is about all days on the side where it sets no end.
    """
    first = max(days.first or date.min, agreement.effective_on)
    last = min(days.last or date.max, agreement.expires_on)
    parts = [(max(first, entry), min(last, exit_ or date.max)) for entry, exit_ in enrolled]
    parts = [(start, end) for start, end in parts if start <= end]
    if not parts:
        return OUT_OF_SCOPE_DAYS
    if any(max(start, run.start) <= min(end, run.through or date.max) for start, end in parts):
        return None
    return NOT_CONSENTED["not_yet" if max(end for _, end in parts) < run.start else "ended"]
