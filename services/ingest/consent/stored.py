"""A consent as it is kept, and how a row that comes later changes it: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from services.ingest.agreement.document import FeedId
from services.ingest.consent.in_force import ConsentPolicy, ConsentTerm
from services.ingest.rows.parse import ConsentRow
from services.platform.sharing import ATTENDANCE


class ConsentKey(NamedTuple):
    """What makes two rows of one student speak of the same consent."""

    agreement_id: str
    signed_on: date
    notice: bool
    purpose: str
    """A parent may sign for several on one day; empty when a row only revokes."""


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """One consent, or one notice of revocation."""

    key: ConsentKey
    arrival: int
    signed_by: str | None
    relationship: str | None
    method: str | None
    records: tuple[str, ...]
    purpose: str | None
    recipients: tuple[str, ...]
    expires_on: date | None
    revoked_on: date | None

    def fits(self, policy: ConsentPolicy) -> bool:
        """Whether it covers what we need."""
        return policy.fits(self.key.agreement_id, self.records, self.purpose, self.recipients)

    def term_for(self, feed: FeedId) -> ConsentTerm:
        """What matters of it without an agreement: as far as it names the feed's agency and purpose, and attendance.

        The purpose of what is live is the agreement's.
        """
        named = feed.agency in self.recipients and feed.kept_for in ("", self.purpose)
        return ConsentTerm(
            agreement_id=self.key.agreement_id,
            signed_on=self.key.signed_on,
            order=self.arrival,
            fits=ATTENDANCE in self.records and named,
            expires_on=self.expires_on,
            revoked_on=self.revoked_on,
            notice=self.key.notice,
        )

    def term(self, policy: ConsentPolicy) -> ConsentTerm:
        """What matters of it for the days in force."""
        mine = self.term_for(FeedId(policy.recipient))
        return replace(mine, fits=self.fits(policy), first=policy.first, last=policy.last)


def stored(row: ConsentRow, arrival: int) -> StoredConsent:
    """The row as it is kept. One revoked before it was ever in force is a notice of revocation."""
    signed_on = row.signed_on or row.revoked_on
    if signed_on is None:
        raise ValueError("a consent row has signed_on or revoked_on")
    notice = row.revoked_on is not None and row.revoked_on <= signed_on
    return StoredConsent(
        key=ConsentKey(row.agreement_id or "", signed_on, notice, row.purpose or ""),
        arrival=arrival,
        signed_by=row.signed_by,
        relationship=row.relationship,
        method=row.method,
        records=tuple(row.records),
        purpose=row.purpose,
        recipients=tuple(row.recipients),
        expires_on=row.expires_on,
        revoked_on=row.revoked_on,
    )


def merged(known: StoredConsent, given: StoredConsent) -> StoredConsent:
    """The kept consent after a row on it.

    A revocation stays and can only come earlier: who wants to consent again signs anew. The row says anew which
    records the consent covers, and for whom.
    """
    revoked = [day for day in (known.revoked_on, given.revoked_on) if day is not None]
    return replace(given, arrival=known.arrival, revoked_on=min(revoked, default=None))
