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
        return cls(agreement.id, feed.purpose, feed.agency, feed.kind, agreement.effective_on, agreement.expires_on)

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
    """What matters of one consent for the days in force."""

    signed_on: date
    fits: bool
    expires_on: date | None = None
    """The last day in force."""
    revoked_on: date | None = None
    """The first day without it."""
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

    @property
    def over(self) -> bool:
        """Whether none is in force today, nor ever will be."""
        return self.run is None and self.next_change is None


class _Span(NamedTuple):
    """Days in force as inclusive ordinals."""

    start: int
    through: int
    revoked: bool
    """Whether a revocation ends it: what begins on the next day is another run, as all that was is erased."""


def standing(consents: Iterable[ConsentTerm], today: date) -> ConsentStanding:
    """What the consents come to today."""
    runs = _runs(consents)
    day = today.toordinal()
    for start, through, _ in runs:
        if start <= day <= through:
            return ConsentStanding(Run(date.fromordinal(start), _date(through)), _date(through + 1))
    return ConsentStanding(None, min((date.fromordinal(run.start) for run in runs if run.start > day), default=None))


def current_run(consents: Iterable[ConsentTerm], today: date) -> Run | None:
    """The unbroken run of days in force that holds today; None when no consent is in force."""
    return standing(consents, today).run


def last_day(consent: ConsentTerm) -> date | None:
    """The last day on which the consent could be in force; None when no end is set."""
    return _date(_end(consent))


def _date(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal < _FAR else None


def _runs(consents: Iterable[ConsentTerm]) -> list[_Span]:
    """The runs in order: overlapping consents merged, and those that adjoin, unless a revocation lies between."""
    spans = sorted(span for consent in consents if (span := _span(consent)))
    merged: list[_Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if last is None or span.start > last.through + (not last.revoked):
            merged.append(span)
        elif span.through > last.through:
            merged[-1] = span._replace(start=last.start)
    return merged


def _span(consent: ConsentTerm) -> _Span | None:
    start, through = max(consent.signed_on, consent.first).toordinal(), _end(consent)
    revoked = consent.revoked_on is not None and through == consent.revoked_on.toordinal() - 1
    return _Span(start, through, revoked) if consent.fits and start <= through else None


def _end(consent: ConsentTerm) -> int:
    expires, revoked = consent.expires_on or date.max, consent.revoked_on
    return min(expires.toordinal(), consent.last.toordinal(), _FAR if revoked is None else revoked.toordinal() - 1)
