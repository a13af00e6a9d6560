"""What became of one row or entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["accepted", "duplicate", "rejected", "not_consented"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one row; `reason` is in plain words and never holds any of the row's values."""

    status: Status
    reason: str | None = None
    student: str | None = None
    """The pseudonym of the student whose consent is now in force; only consents have it."""
    field: str | None = None
    """The field for which it was rejected; None when it is the whole row, or not rejected."""


ACCEPTED = Outcome("accepted")
NOT_YET = Outcome("rejected", "date: expected a day that has come; this one lies in the future", field="date")
DUPLICATE = Outcome("duplicate", "Already taken")
NOT_CONSENTED = Outcome("not_consented", "No consent in force covers this")


def tally(outcomes: Iterable[Outcome]) -> Counter[Status]:
    """How many there are of each status."""
    return Counter(outcome.status for outcome in outcomes)
