"""A consent as it is kept for a feed, and what of it withdrawals leave: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from services.ingest.agreement.document import FeedId
from services.ingest.consent.in_force import ConsentPolicy, ConsentTerm
from services.ingest.consent.withdrawals import Withdrawal
from services.ingest.rows.parse import ConsentRow


class ConsentKey(NamedTuple):
    """What makes two rows of one student speak of the same consent."""

    agreement_id: str
    signed_on: date
    purpose: str
    """A parent may sign for several on one day."""


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """One consent, as far as it was not withdrawn."""

    key: ConsentKey
    signed_by: str | None
    relationship: str | None
    method: str | None
    records: tuple[str, ...]
    recipients: tuple[str, ...]
    expires_on: date | None
    revoked_on: date | None
    """The first day without it."""

    def fits(self, policy: ConsentPolicy) -> bool:
        """Whether it covers what we need."""
        return policy.fits(self.key.agreement_id, self.records, self.key.purpose, self.recipients)

    def term_for(self, feed: FeedId) -> ConsentTerm:
        """What matters of it without an agreement: as far as it names the feed's agency, purpose and kind of records.

        The purpose of what is live is the agreement's.
        """
        named = feed.agency in self.recipients and feed.purpose in ("", self.key.purpose)
        return ConsentTerm(
            signed_on=self.key.signed_on,
            fits=feed.kind in self.records and named,
            expires_on=self.expires_on,
            revoked_on=self.revoked_on,
        )

    def term(self, policy: ConsentPolicy) -> ConsentTerm:
        """What matters of it for the days in force."""
        mine = self.term_for(FeedId(policy.recipient))
        return replace(mine, fits=self.fits(policy), first=policy.first, last=policy.last)

    def after(self, withdrawal: Withdrawal, feed: FeedId) -> StoredConsent:
        """What is left of it for the feed by a withdrawal that comes after it, perhaps on the day of signing."""
        if self.key.signed_on > withdrawal.ended_on or not self._ended_by(withdrawal, feed.agency):
            return self
        return self._without(withdrawal, feed.kind)

    def before(self, withdrawals: Iterable[Withdrawal], feed: FeedId) -> StoredConsent:
        """What is left of it for the feed by withdrawals that came before it was handed in."""
        left = self
        for one in withdrawals:
            if self.key.signed_on < one.ended_on and self._ended_by(one, feed.agency):
                left = left._without(one, feed.kind)
        return left

    def _ended_by(self, withdrawal: Withdrawal, recipient: str) -> bool:
        return withdrawal.ends(self.key.agreement_id, recipient, self.key.purpose)

    def _without(self, withdrawal: Withdrawal, kind: str) -> StoredConsent:
        """The feed's kind ends on its day. Of others nothing is kept here that could end on a day to come: now."""
        others = tuple(one for one in self.records if one == kind or not withdrawal.covers(one))
        if not withdrawal.covers(kind):
            return replace(self, records=others)
        return replace(self, records=others, revoked_on=min(self.revoked_on or date.max, withdrawal.ended_on))


def stored(row: ConsentRow) -> StoredConsent | None:
    """The row's consent as it is kept; None when the row only revokes, or was revoked before it was ever in force."""
    if row.signed_on is None or (row.revoked_on is not None and row.revoked_on <= row.signed_on):
        return None
    return StoredConsent(
        key=ConsentKey(row.agreement_id, row.signed_on, row.purpose or ""),
        signed_by=row.signed_by,
        relationship=row.relationship,
        method=row.method,
        records=row.records,
        recipients=row.recipients,
        expires_on=row.expires_on,
        revoked_on=None,
    )


def merged(known: StoredConsent | None, given: StoredConsent) -> StoredConsent:
    """The kept consent after a row on it: what it covers is said anew, and what was withdrawn stays so."""
    days = [one.revoked_on for one in (known, given) if one is not None and one.revoked_on is not None]
    return replace(given, revoked_on=min(days, default=None))
