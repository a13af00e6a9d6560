"""When a consent is in force: pure, by dates alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.ingest.agreement.document import Agreement, Feed
from services.ingest.rows.outcomes import WhyNot
from services.platform.sharing import ANY, ATTENDANCE

_FAR = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What a consent must cover, and the term in which it counts: both days inclusive."""

    agreement: str
    purpose: str
    recipient: str
    records: str = ATTENDANCE
    first: date = date.min
    last: date = date.max

    @classmethod
    def of(cls, agreement: Agreement, feed: Feed) -> ConsentPolicy:
        """What a consent must cover for this feed of the agreement."""
        return cls(agreement.id, feed.purpose, feed.agency, first=agreement.effective_on, last=agreement.expires_on)

    def misses(
        self, agreement_id: str, records: Iterable[str], purpose: str | None, recipients: Iterable[str]
    ) -> WhyNot | None:
        """What such a consent does not cover first; None when it covers all."""
        if self.agreement not in (agreement_id, ANY):
            return "agreement"
        if self.records not in records:
            return "records"
        if purpose != self.purpose:
            return "purpose"
        return None if self.recipient in recipients else "recipient"

    def fits(self, agreement_id: str, records: Iterable[str], purpose: str | None, recipients: Iterable[str]) -> bool:
        """Whether such a consent covers these records, this purpose and this recipient."""
        return self.misses(agreement_id, records, purpose, recipients) is None


@dataclass(frozen=True, slots=True)
class ConsentTerm:
    """What matters of one consent or revocation for the days in force."""

    agreement_id: str
    signed_on: date
    order: int
    """Which came first, of those signed on one day."""
    fits: bool
    expires_on: date | None = None
    """The last day in force."""
    revoked_on: date | None = None
    """The first day without it."""
    notice: bool = False
    """A revocation that is no consent itself; `signed_on` is then its `revoked_on`."""
    first: date = date.min
    last: date = date.max
    """The term in which it counts, both days inclusive."""


class Run(NamedTuple):
    """An unbroken run of days in force, both ends inclusive; no `through` means no end is set."""

    start: date
    through: date | None

    def holds(self, day: date) -> bool:
        """Whether the day lies in the run."""
        return self.start <= day and (self.through is None or day <= self.through)


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """What a student's consents come to."""

    run: Run | None
    """The run that holds today."""
    next_change: date | None
    """The next day on which it must be looked at again: the run's end, or the start of one to come."""


def standing(consents: Iterable[ConsentTerm], today: date, ended_on: date | None) -> ConsentStanding:
    """What the consents come to today. A run never starts before `ended_on`, the date of the last tombstone."""
    runs = _runs(list(consents))
    day = today.toordinal()
    for start, through in runs:
        if start <= day <= through:
            first = date.fromordinal(start)
            run = Run(max(first, ended_on) if ended_on else first, None if through == _FAR else _date(through))
            return ConsentStanding(run, _date(through + 1))
    return ConsentStanding(None, min((date.fromordinal(start) for start, _ in runs if start > day), default=None))


def current_run(consents: Iterable[ConsentTerm], today: date, ended_on: date | None) -> Run | None:
    """The unbroken run of days in force that holds today; None when no consent is in force."""
    return standing(consents, today, ended_on).run


def is_over(consents: Iterable[ConsentTerm], today: date) -> bool:
    """Whether none of these is in force today, nor ever will be."""
    stand = standing(consents, today, None)
    return stand.run is None and stand.next_change is None


def _date(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal <= _FAR else None


def _runs(consents: list[ConsentTerm]) -> list[tuple[int, int]]:
    """Days in force as inclusive ordinals, in order, with adjoining and overlapping consents merged."""
    spans = sorted(span for held in consents if (span := _span(held, consents)))
    merged: list[tuple[int, int]] = []
    for start, through in spans:
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], through))
        else:
            merged.append((start, through))
    return merged


def _span(held: ConsentTerm, consents: list[ConsentTerm]) -> tuple[int, int] | None:
    if not held.fits or held.notice:
        return None
    ends = [other.revoked_on.toordinal() - 1 for other in consents if other.revoked_on and _ends(other, held)]
    through = min([_FAR if held.expires_on is None else held.expires_on.toordinal(), held.last.toordinal(), *ends])
    start = max(held.signed_on, held.first).toordinal()
    return (start, through) if start <= through else None


def _ends(revoking: ConsentTerm, held: ConsentTerm) -> bool:
    """Whether the revocation ends that consent: of one agreement, signed on or before it; on one day, as they came."""
    if revoking.agreement_id != held.agreement_id:
        return False
    if revoking.notice and revoking.signed_on == held.signed_on:
        return held.order < revoking.order
    return held.signed_on <= revoking.signed_on
