"""What students' consents come to now: the change in the database that hides or shows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym
from services.ingest.agreement.document import Agreement, FeedId
from services.ingest.consent.in_force import ConsentPolicy, ConsentStanding, Run, current_run, standing
from services.ingest.consent.stored import ConsentKey, StoredConsent
from services.ingest.metrics import CONSENT_CHANGES
from services.ingest.store import students
from services.ingest.store.students import StudentRecord


@dataclass(frozen=True, slots=True)
class Settled:
    """Who has a consent in force now, and for whom that is new or at an end."""

    in_force: dict[str, Pseudonym]
    began: list[str]
    """The district's ids of students whose consent came into force: their rows may now be taken."""
    ended: int


async def settle(
    connection: AsyncConnection,
    given: Collection[StudentRecord],
    kept: Mapping[int, Mapping[ConsentKey, StoredConsent]],
    agreement: Agreement | None,
    today: date,
) -> Settled:
    """Bring locked students up to date with their consents and the agreement; what Kafka must learn is pending then.

    A run that has ended takes with it everything that consent allowed to keep, also when another begins.
    """
    policies = {} if agreement is None else {one.id: ConsentPolicy.of(agreement, one) for one in agreement.all_feeds()}
    in_force: dict[str, Pseudonym] = {}
    began: list[str] = []
    over: list[int] = []
    lapsed: list[int] = []
    changes: list[tuple[int, ConsentStanding]] = []
    for student in given:
        policy = policies.get(student.feed)
        held = [] if policy is None else [consent.term(policy) for consent in kept[student.id].values()]
        now = standing(held, today, student.ended_on)
        ended = student.run is not None and (now.run is None or not _goes_on(student.run, now.run, today))
        if ended and _holds_by_itself(kept[student.id].values(), student.feed, today):
            lapsed.append(student.id)  # the agreement ended it: with the next one its days may be shared again
        elif ended:
            over.append(student.id)
            now = standing(held, today, today)
        if now.run:
            in_force[student.student_id] = student.pseudonym
            if ended or student.run is None:
                began.append(student.student_id)
        if now != student.standing:
            changes.append((student.id, now))
    if changes:
        await students.stand(connection, changes)
    if over or lapsed:
        await students.forget(connection, over, lapsed, today)
    CONSENT_CHANGES.labels("began").inc(len(began))
    CONSENT_CHANGES.labels("ended").inc(len(over) + len(lapsed))
    return Settled(in_force, began, len(over) + len(lapsed))


def _holds_by_itself(consents: Iterable[StoredConsent], feed: FeedId, today: date) -> bool:
    """Whether a consent for the feed holds today, whatever the agreement says."""
    return current_run((one.term_for(feed) for one in consents), today, None) is not None


def _goes_on(before: Run, now: Run, today: date) -> bool:
    """Whether the run is the one that there was: a new version of the agreement may lengthen it."""
    return before.holds(today) or (before.through is not None and now.start <= before.through + timedelta(days=1))
