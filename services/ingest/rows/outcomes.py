"""What became of one row or entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from services.ingest.agreement.document import FeedId

Status = Literal["accepted", "duplicate", "rejected", "not_consented", "out_of_scope"]
WhyNot = Literal["unknown_student", "agreement", "records", "purpose", "recipient", "not_yet", "ended", "withdrawn"]
"""Why a mark is not consented: of whom nothing is known; what the consent does not cover; or its days."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one row; `reason` is in plain words and never holds any of the row's values."""

    status: Status
    reason: str | None = None
    student: str | None = None
    """The pseudonym of the student whose consent is now in force; only consents have it."""
    field: str | None = None
    """The field for which it was rejected; None when it is the whole row, or not rejected."""
    warning: str | None = None
    """What an accepted row does not do, and why; of a consent, what is to be done."""
    why_not: WhyNot | None = None
    """Why it is not consented."""


ACCEPTED = Outcome("accepted")
NOT_YET = Outcome("rejected", "date: expected a day that has come; this one lies in the future", field="date")
NOT_YET_RECORDED = Outcome(
    "rejected", "recorded_at: expected a moment that has come; this one lies in the future", field="recorded_at"
)
OLDER = Outcome("accepted", warning="Something said later stands: this changes nothing")
OUTSIDE = Outcome("accepted", warning="It lies outside every enrollment of the student: it counts nowhere")
NO_SCHOOL = Outcome("accepted", warning="The day is not instructional: it counts nowhere")
DUPLICATE = Outcome("duplicate", "Already taken")
OUT_OF_SCOPE = Outcome("out_of_scope", "No disclosure of the agreement in force covers this school and date")
NOT_CONSENTED: Final[dict[WhyNot, Outcome]] = {
    why: Outcome("not_consented", "No consent in force covers this", why_not=why) for why in get_args(WhyNot)
}


Unfit = dict[FeedId, dict[str, WhyNot]]
"""By feed and the district's id of a student: why there is no consent."""

_BEST: Final[tuple[Status, ...]] = ("accepted", "duplicate", "not_consented", "out_of_scope", "rejected")


def best(outcomes: Iterable[Outcome], otherwise: Outcome = OUT_OF_SCOPE) -> Outcome:
    """What is said of a row that several feeds may have: what the most of it came to."""
    return min(outcomes, key=lambda one: _BEST.index(one.status), default=otherwise)


def tally(outcomes: Iterable[Outcome]) -> Counter[Status]:
    """How many there are of each status."""
    return Counter(outcome.status for outcome in outcomes)
