"""For whom a folder's students are judged: a party of the agreement and its purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.ingest.agreement.document import Agreement, Disclosure, Feed
from services.platform.errors import OperatorError
from services.platform.sharing import ATTENDANCE, GRADES, SUSPENSIONS

KINDS = (ATTENDANCE, SUSPENSIONS, GRADES)
"""The kinds of records that engagement is judged by."""


class NoReaderError(OperatorError):
    """The agreement gives nobody, or not the one who was named, rows of students."""


class Readership(NamedTuple):
    """Who reads, and for what."""

    recipient: str
    purpose: str

    @classmethod
    def of(cls, agreement: Agreement, recipient: str | None = None, purpose: str | None = None) -> Readership:
        """The first that is as named and gets rows of students, one with live attendance before the others.

        Raises `NoReaderError`.
        """
        live = [one for one in _of_students(agreement) if one.form == "live" and ATTENDANCE in one.records]
        others = [one for one in _of_students(agreement) if set(KINDS) & set(one.records)]
        for one in (*live, *others):
            if recipient in (None, one.to) and purpose in (None, one.purpose):
                return cls(one.to, one.purpose)
        those = ", ".join(sorted({f"{one.to} for {one.purpose}" for one in others})) or "nobody"
        raise NoReaderError(
            f"The agreement gives rows of {', '.join(KINDS)} to {those}: choose by --recipient and --purpose."
        )

    def feed(self, agreement: Agreement, kind: str) -> Feed | None:
        """What the reader gets of a kind, student by student; None when nothing: aggregates are no rows."""
        given = [one for one in _of_students(agreement) if (one.to, one.purpose) == self and kind in one.records]
        if not given:
            return None
        live = kind == ATTENDANCE and any(one.form == "live" for one in given)
        return Feed(self.recipient, self.purpose, frozenset(_schools(given)), live, kind)


def _of_students(agreement: Agreement) -> list[Disclosure]:
    return [one for one in agreement.disclosure if one.form != "aggregate"]


def _schools(given: Sequence[Disclosure]) -> set[str]:
    return {school for one in given for school in one.schools}
