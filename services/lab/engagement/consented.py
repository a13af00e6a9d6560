"""Whose records of one kind the reader may see on a day, by the folder's agreement, consents and enrollments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from models.engagement.standing import year_begins
from services.ingest.agreement.document import Agreement, Feed
from services.ingest.classification.records import may_be_kept
from services.ingest.consent.history import runs_on
from services.ingest.consent.in_force import Run
from services.ingest.reporting.schools import Enrolled
from services.ingest.rows.parse import ConsentRow
from services.ingest.rows.records import RecordDays

Enrollments = Mapping[str, Iterable[Enrolled]]
"""By the district's id."""


@dataclass(frozen=True, slots=True)
class SharedKind:
    """One kind of records of those students of whom the reader may see it on a day."""

    agreement: Agreement
    feed: Feed
    enrollments: Enrollments
    runs: Mapping[str, Run]
    """By the district's id: the run of consent that holds on the day."""

    @classmethod
    def of(
        cls, agreement: Agreement, feed: Feed, consents: Iterable[ConsentRow], enrollments: Enrollments, as_of: date
    ) -> SharedKind:
        """What the consents, in the order of the files, come to on the day.

        Who was at no shared school in the school year to date is not among them.
        """
        year = RecordDays(year_begins(as_of), as_of)
        consented = cls(agreement, feed, enrollments, runs_on(agreement, feed, consents, as_of))
        return replace(consented, runs={one: run for one, run in consented.runs.items() if consented.has(one, year)})

    def has(self, student_id: str, days: RecordDays) -> bool:
        """Whether a record that is about these days is shared: as an import would keep it."""
        run = self.runs.get(student_id)
        if run is None:
            return False
        spans = [(one.entry, one.exit) for one in self.enrollments.get(student_id, ()) if self.feed.has(one.school_id)]
        return may_be_kept(days, spans, self.agreement, run) is None
