"""What is kept of one student of one kind of records: where the student was, and which days are in scope. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.enrollment import Segment, Stay, shared_segments
from services.casework.engagement.people import AskedDay, FeedTerm, ShownKind


@dataclass(frozen=True, slots=True)
class KeptKind:
    """One kind of records of a student, under the agreement in force."""

    shown: ShownKind
    feed: FeedTerm
    stays: Sequence[Stay]

    def has(self, first: date | None, last: date | None) -> bool:
        """Whether any of these days, without an end on the side that is None, is in scope and consented."""
        begins = max(first or date.min, self.shown.consent_from, self.feed.first)
        ends = min(last or date.max, self.shown.consent_through or date.max, self.feed.last)
        return any(
            self.feed.has(stay.school_id) and max(begins, stay.entry_date) <= min(ends, stay.exit_date or date.max)
            for stay in self.stays
        )

    def parts(self, day: AskedDay) -> tuple[Segment, ...]:
        """Where the student was in the school year to date; without a school's id where nothing is shared."""
        begins = max(day.begins, self.shown.consent_from, self.feed.first)
        ends = min(day.as_of, self.shown.consent_through or date.max, self.feed.last)
        return shared_segments(self.stays, self.feed.has, begins, ends)

    def school(self, day: AskedDay) -> str | None:
        """The last shared school of the school year to date."""
        return next((part.school for part in reversed(self.parts(day)) if part.school), None)
