"""What of a folder one agency gets, as numbers of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.document import Agreement, Feed
from services.ingest.agreement.spans import in_scope
from services.ingest.formats import FormatError


@dataclass(frozen=True, slots=True)
class Scope:
    """The schools and days of one agency's feed."""

    agreement: Agreement
    feed: Feed
    first: int
    last: int

    @classmethod
    def of(cls, agreement: Agreement, agency: str | None = None) -> Scope:
        """That of an agency, else of the agreement's first; raises `FormatError` for one that gets nothing live."""
        feeds = agreement.feeds() or (Feed("", "", frozenset()),)
        found = next((feed for feed in feeds if agency in (None, feed.agency)), None)
        if found is None:
            names = ", ".join(feed.agency for feed in feeds)
            raise FormatError(f"Nothing goes live to the agency {agency} by the agreement; it does to: {names or '-'}.")
        return cls.of_feed(agreement, found)

    @classmethod
    def of_feed(cls, agreement: Agreement, feed: Feed) -> Scope:
        """That of attendance which one party gets, live or not."""
        return cls(agreement, feed, agreement.effective_on.toordinal(), agreement.expires_on.toordinal())

    def clip(self, school_id: str, entry: int, exit_: int) -> tuple[int, int] | None:
        """The days of an enrollment that it has; None when there is none."""
        first, last = max(entry, self.first), min(exit_, self.last)
        return (first, last) if self.feed.has(school_id) and first <= last else None

    def seen(self, spans: Sequence[EnrollmentSpan]) -> list[EnrollmentSpan]:
        """A student's enrollments as the agency has them: elsewhere without the school."""
        return in_scope(self.agreement, self.feed, spans)
