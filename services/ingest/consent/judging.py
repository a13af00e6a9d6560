"""What is said of a row of consents by itself, before anything is kept: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from services.ingest.agreement.document import Agreement, FeedId
from services.ingest.consent.in_force import ConsentPolicy
from services.ingest.consent.withdrawals import Withdrawal, of_row, withdrawn_on
from services.ingest.rows.outcomes import Outcome
from services.ingest.rows.parse import ConsentRow
from services.platform.sharing import ANY

ADULT: Final = 18

_NO_SUCH_AGREEMENT: Final = Outcome(
    "rejected",
    "agreement_id: expected an agreement that was applied; `firstbell agreement show` names the one in force",
    field="agreement_id",
)
_TOO_YOUNG: Final = Outcome(
    "rejected",
    "relationship: expected parent or guardian, as the student was not yet eighteen when it was signed",
    field="relationship",
)
_TO_RENEW: Final = "The student has turned eighteen: have the consent renewed, signed by the student"
_AGE_UNKNOWN: Final = "The student signed, and no birth date says that it was after the eighteenth birthday"


class Verdict(NamedTuple):
    """What a row comes to by itself."""

    refused: Outcome | None
    withdrawn: Sequence[Withdrawal] = ()
    """What it withdraws that was not withdrawn before."""
    warning: str | None = None
    """What is to be looked at, if its consent is kept."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """By which rows are judged."""

    agreements: Collection[str]
    """All that were ever applied; `*` is any."""
    policies: Mapping[FeedId, ConsentPolicy]
    """What a consent must cover for each feed of the one in force."""
    today: date

    @classmethod
    def of(cls, applied: Collection[str], agreement: Agreement | None, today: date) -> Grounds:
        """By the agreement in force, if there is any."""
        feeds = () if agreement is None else agreement.all_feeds()
        policies = {feed.id: ConsentPolicy.of(agreement, feed) for feed in feeds if agreement is not None}
        return cls(applied, policies, today)

    def judge(self, row: ConsentRow, withdrawals: Sequence[Withdrawal], adult_on: date | None) -> Verdict:
        """The verdict on a row of a student of whom these withdrawals are known, and perhaps the age."""
        if ANY not in self.agreements and row.agreement_id not in self.agreements:
            return Verdict(_NO_SUCH_AGREEMENT)
        if row.relationship == "self" and row.signed_on and adult_on and row.signed_on < adult_on:
            return Verdict(_TOO_YOUNG)
        if row.revoked_on is None:
            since = self._withdrawn_since(row, withdrawals)
            if since is not None:
                reason = f"It was withdrawn on {since}: a consent that was signed before that day never counts again"
                return Verdict(Outcome("rejected", reason))
        new = [one for one in of_row(row) if one not in withdrawals]
        return Verdict(None, new, self._warning(row, adult_on))

    def _withdrawn_since(self, row: ConsentRow, withdrawals: Sequence[Withdrawal]) -> date | None:
        """Since when all is withdrawn that would be shared by the row, or else that it names."""
        shared = {(feed.agency, feed.kind) for feed, policy in self.policies.items() if _fits(row, policy)}
        named = {(recipient, kind) for recipient in row.recipients for kind in row.records}
        found = [withdrawn_on(row, recipient, kind, self.today, withdrawals) for recipient, kind in shared or named]
        days = [day for day in found if day is not None]
        return max(days) if days and len(days) == len(found) else None

    def _warning(self, row: ConsentRow, adult_on: date | None) -> str | None:
        if row.signed_on is None:
            return None
        if row.relationship == "self":
            return _AGE_UNKNOWN if adult_on is None else None
        return _TO_RENEW if adult_on is not None and adult_on <= self.today else None


def adult_from(birth_date: date) -> date:
    """The day of the eighteenth birthday; of who was born on a leap day, the first of March."""
    year = birth_date.year + ADULT
    return date(year, 3, 1) if (birth_date.month, birth_date.day) == (2, 29) else birth_date.replace(year=year)


def _fits(row: ConsentRow, policy: ConsentPolicy) -> bool:
    return policy.fits(row.agreement_id, row.records, row.purpose, row.recipients)
