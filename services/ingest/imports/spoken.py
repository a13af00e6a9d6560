"""Of which schools and days the files of an import speak beside attendance: what a snapshot is the whole truth of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.ingest.rows.kinds import RecordTable
from services.ingest.rows.records import NO_DAYS, CourseRow, GradeRow, Record


@dataclass(slots=True)
class RecordSpan:
    """The days of which the rows of one file speak, both ends inclusive."""

    first: date | None = None
    last: date | None = None
    terms: set[str] = field(default_factory=set)
    """Terms of rows that give no days of their own: their days count too."""

    def see(self, row: Record, today: date) -> None:
        """Take in a row; one without an end speaks of the days to this one."""
        days = row.days
        if days != NO_DAYS:
            ends = [day for day in days if day is not None]
            self.first = min([*ends, self.first or date.max])
            self.last = max([*ends, self.last or date.min, *([today] if days.last is None else [])])
        elif isinstance(row, CourseRow | GradeRow):
            self.terms.add(row.term)


class Spoken:
    """What an import's files speak of."""

    def __init__(self) -> None:
        self.schools: set[str] = set()
        """Schools of enrollments and attendance."""
        self.faulty: set[str] = set()
        """What else was read of which a row was rejected: `terms`, and tables of records."""
        self.spans: defaultdict[str, RecordSpan] = defaultdict(RecordSpan)
        """By table of records, where there was a row of it."""

    def see(self, name: str, rows: Iterable[Record], today: date) -> None:
        """Take in rows of a table of records."""
        for row in rows:
            self.spans[name].see(row, today)

    def is_faulty(self, table: RecordTable) -> bool:
        """Whether a row of the table was rejected, or of the terms on which its days stand."""
        return table.name in self.faulty or ("term" in table.key and "terms" in self.faulty)
