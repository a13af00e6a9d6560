"""Whose demographics a folder's agreement and consents share with anybody: by them groups are told apart."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import date

from services.ingest.agreement.document import Agreement
from services.ingest.consent.history import runs_on
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
    return {student for feed in agreement.record_feeds(KIND) for student in runs_on(agreement, feed, rows, day)}


class _Everybody(Container[str]):
    """Every student is in it."""

    def __contains__(self, _: object) -> bool:
        return True
