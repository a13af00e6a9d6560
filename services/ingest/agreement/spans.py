"""What an agency learns of a student's enrollments: pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.enrollment import FOREVER, Segment, Span, segments
from services.contracts.reference import EnrollmentSpan
from services.ingest.agreement.document import Agreement, Feed

NOT_SHARED = ""
"""In the place of a school that is not shared with the agency."""


def in_scope(agreement: Agreement, feed: Feed, spans: Sequence[EnrollmentSpan]) -> list[EnrollmentSpan]:
    """The enrollments as the feed has them: days within the term, and not where they were spent if that is not shared.

    Where they overlap, each day is at one school, as it would be without a term: a span that is cut or masked must not
    win over another.
    """
    if all(feed.has(span.school_id) and agreement.effective_on <= span.entry_date for span in spans):
        ends = ((span, min(span.exit_date or date.max, agreement.expires_on)) for span in spans)
        return [
            span.model_copy(update={"exit_date": None if end == date.max else end})
            for span, end in ends
            if span.entry_date <= end
        ]
    whole = [
        Span(
            span.entry_date.toordinal(),
            FOREVER if span.exit_date is None else span.exit_date.toordinal(),
            span.school_id if feed.has(span.school_id) else NOT_SHARED,
            span.calendar or "",
        )
        for span in spans
    ]
    term = agreement.effective_on.toordinal(), agreement.expires_on.toordinal()
    return [_span(segment) for segment in segments(whole, *term)]


def _span(segment: Segment) -> EnrollmentSpan:
    shared = segment.school != NOT_SHARED
    return EnrollmentSpan(
        school_id=segment.school,
        entry_date=date.fromordinal(segment.first),
        exit_date=None if segment.last >= FOREVER else date.fromordinal(segment.last),
        calendar=segment.calendar or None if shared else None,
        shared=shared,
    )
