"""Whose demographics a folder's agreement and consents share with anybody: by them groups are told apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from datetime import date

from services.ingest.agreement.document import Agreement, Feed
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import ConsentPolicy, current_run
from services.ingest.rows.parse import ConsentRow
from services.platform.sharing import ANY

KIND = "demographics"


def described(agreement: Agreement, consents: Iterable[ConsentRow], day: date) -> Container[str]:
    """The district's ids of those whose consent to it is in force on the day, whoever gets it in whatever form.

    Where no agreement is given, nothing limits what the files share: all of them.
    """
    if agreement.id == ANY:
        return _Everybody()
    rows = list(consents)
    found: set[str] = set()
    for feed in agreement.record_feeds(KIND):
        found |= _consenting(feed, ConsentPolicy.of(agreement, feed), rows, day)
    return found


def _consenting(feed: Feed, policy: ConsentPolicy, rows: Iterable[ConsentRow], day: date) -> set[str]:
    said: defaultdict[str, ConsentHistory] = defaultdict(lambda: ConsentHistory(feed.id))
    for row in rows:
        said[row.student_id].take(row)
    return {
        student
        for student, mine in said.items()
        if current_run((one.term(policy) for one in mine.kept.values()), day) is not None
    }


class _Everybody(Container[str]):
    """Every student is in it."""

    def __contains__(self, _: object) -> bool:
        return True
