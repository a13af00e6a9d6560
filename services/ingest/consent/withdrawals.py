"""What a withdrawal ends: the recipients and kinds of records that it names, all when it names none. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from services.ingest.agreement.document import FeedId
from services.ingest.rows.parse import ConsentRow
from services.platform.erasure.entry import LedgerEntry
from services.platform.sharing import ANY, ATTENDANCE


class Withdrawal(NamedTuple):
    """No consent to it that was signed before `ended_on` counts from that day on, whenever it is handed in."""

    agreement_id: str
    """`*` is any, as that is which is assumed where there is none."""
    recipient: str
    """`*` is everyone."""
    purpose: str
    """Empty: any."""
    records: tuple[str, ...]
    """Empty: all kinds."""
    ended_on: date

    def ends(self, agreement_id: str, recipient: str, purpose: str) -> bool:
        """Whether it is about such consents, as far as the recipient has something by them."""
        return (
            self.agreement_id in (agreement_id, ANY)
            and self.recipient in (recipient, ANY)
            and self.purpose in (purpose, "")
        )

    def covers(self, kind: str) -> bool:
        """Whether it ends this kind of records."""
        return not self.records or kind in self.records


def of_row(row: ConsentRow) -> list[Withdrawal]:
    """The withdrawals of a row with `revoked_on`; none of another."""
    if row.revoked_on is None:
        return []
    return [
        Withdrawal(row.agreement_id, one, row.purpose or "", tuple(sorted(set(row.records))), row.revoked_on)
        for one in sorted(set(row.recipients)) or [ANY]
    ]


def of_entries(entries: Iterable[LedgerEntry]) -> list[Withdrawal]:
    """What a student's entries in the ledger say. With every withdrawal one without a pseudonym was written."""
    return [
        _of_entry(one)
        for one in entries
        if one.because == "destroyed" or (one.because == "withdrawn" and one.pseudonym is None)
    ]


def _of_entry(entry: LedgerEntry) -> Withdrawal:
    feed = FeedId(entry.recipient, entry.kept_for)
    records = entry.records if feed.kind == ATTENDANCE else (feed.kind,)
    return Withdrawal(entry.agreement, entry.recipient, feed.purpose, records, entry.ended_on)


def withdrawn_on(
    row: ConsentRow, recipient: str, kind: str, today: date, withdrawals: Iterable[Withdrawal]
) -> date | None:
    """Since when the row's consent to this kind of records is withdrawn for the recipient; None when it is not.

    A consent that was signed on the day of a withdrawal, and is handed in after it, counts.
    """
    days = [
        one.ended_on
        for one in withdrawals
        if one.ends(row.agreement_id, recipient, row.purpose or "") and one.covers(kind)
        if row.signed_on is not None and row.signed_on < one.ended_on <= today
    ]
    return max(days, default=None)
