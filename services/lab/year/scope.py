"""What of a folder one agency gets, as numbers of days."""

from __future__ import annotations

from typing import NamedTuple

from services.ingest.agreement.document import Agreement, Feed


class Scope(NamedTuple):
    """The schools and days, as ordinals, of one agency's feed."""

    feed: Feed
    first: int
    last: int
    others: int
    """How many other agencies get something live."""

    @classmethod
    def of(cls, agreement: Agreement) -> Scope:
        """That of the agreement's first agency."""
        first, *others = agreement.feeds() or (Feed("", "", frozenset()),)
        return cls(first, agreement.effective_on.toordinal(), agreement.expires_on.toordinal(), len(others))

    def clip(self, school_id: str, entry: int, exit_: int) -> tuple[int, int] | None:
        """The days of an enrollment that it has; None when there is none."""
        first, last = max(entry, self.first), min(exit_, self.last)
        return (first, last) if self.feed.has(school_id) and first <= last else None
