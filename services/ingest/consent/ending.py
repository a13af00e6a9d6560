"""Whether what was in force goes on, and why it does not: pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import NamedTuple

from services.ingest.agreement.document import FeedId
from services.ingest.consent.in_force import ConsentStanding, Run, current_run, last_day
from services.ingest.consent.stored import StoredConsent
from services.platform.erasure.entry import Because


class Ending(NamedTuple):
    """Why what was in force ended, by which agreement it had been, and the first day without it."""

    because: Because
    agreement: str
    ended_on: date

    @property
    def by(self) -> str:
        """Who brought it about, as the ledger says it."""
        return "district" if self.because == "withdrawn" else "clock"


def goes_on(before: Run, now: Run | None, first: date) -> bool:
    """Whether the run is the one that there was, with nothing between that ended it.

    A new version of the agreement may lengthen it, and cut what lies before the `first` day of its term.
    """
    if now is None or (before.through is not None and now.start > before.through + timedelta(days=1)):
        return False
    return now.start <= max(before.start, first)


def ending(consents: Collection[StoredConsent], feed: FeedId, now: ConsentStanding, today: date) -> Ending:
    """Why the run that there was, or the one that was to come, is no more; `now` is what the consents come to."""
    terms = [(one, one.term_for(feed)) for one in consents]
    fitting = [(one, term) for one, term in terms if term.fits]
    by_itself = next((one for one, term in fitting if current_run([term], today)), None)
    if by_itself is not None and now.run is None:
        return Ending("agreement_ended", by_itself.key.agreement_id, today)
    until = now.run.start if now.run else today
    over = [(last, one) for one, term in fitting if (last := last_day(term)) is not None and last < until]
    if over:
        last, one = max(over, key=lambda each: each[0])
        withdrawn = one.revoked_on == last + timedelta(days=1)
        return Ending("withdrawn" if withdrawn else "expired", one.key.agreement_id, last + timedelta(days=1))
    agreement = next((one.key.agreement_id for one in consents), "")
    return Ending("agreement_ended" if fitting else "withdrawn", agreement, today)
