"""What an agency learns of an enrollment: pure."""

from __future__ import annotations

from datetime import date

from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.document import Agreement, Feed


def in_scope(agreement: Agreement, feed: Feed, span: EnrollmentSpan) -> list[EnrollmentSpan]:
    """The span as the feed has it: its days within the term, and not where they were spent if that is not shared.

    Nothing when it has no day within the term.
    """
    first = max(span.entry_date, agreement.effective_on)
    last = min(span.exit_date or date.max, agreement.expires_on)
    if first > last:
        return []
    exit_date = None if last == date.max else last
    if span.school_id and feed.has(span.school_id):
        return [span.model_copy(update={"entry_date": first, "exit_date": exit_date})]
    return [EnrollmentSpan(school_id="", entry_date=first, exit_date=exit_date, shared=False)]
