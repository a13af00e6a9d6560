"""What students' consents come to now: the change in the database that hides or shows at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.ids import Pseudonym
from services.ingest.agreement.document import Agreement
from services.ingest.consent.beginning import begin
from services.ingest.consent.ending import Ending, ending, goes_on
from services.ingest.consent.in_force import ConsentPolicy, ConsentStanding, standing
from services.ingest.consent.stored import ConsentKey, StoredConsent
from services.ingest.consent.withdrawals import of_entries
from services.ingest.context import IngestContext
from services.ingest.erasure.erase import erase
from services.ingest.metrics import CONSENT_CHANGES
from services.ingest.store import consents, ledger, students
from services.ingest.store.students import NewStudent, StudentRecord


@dataclass(frozen=True, slots=True)
class Settled:
    """Who has a consent in force now, and for whom that is new or at an end."""

    in_force: dict[str, Pseudonym]
    began: list[str]
    """The district's ids of students whose consent came into force: their rows may now be taken."""
    ended: int
    kept: frozenset[str]
    """The district's ids of those of whom a consent is in force or to come."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A student, and what the consents come to."""

    student: StudentRecord
    consents: Collection[StoredConsent]
    policy: ConsentPolicy | None
    now: ConsentStanding

    @property
    def ended(self) -> bool:
        """Whether a run has ended, or there is nothing any more that could begin one."""
        if self.student.run is None:
            return self.now.over
        return not goes_on(self.student.run, self.now.run, self.policy.first if self.policy else date.min)


async def settle(
    connection: AsyncConnection,
    parts: IngestContext,
    given: Collection[StudentRecord],
    kept: Mapping[int, Mapping[ConsentKey, StoredConsent]],
    agreement: Agreement | None,
    today: date,
) -> Settled:
    """Bring locked students up to date with their consents and the agreement; what Kafka must learn is pending then.

    With a run that has ended everything that consent allowed to keep is erased, name and key and all. What is in force
    then, or to come, is carried to a new student, whom nobody can join with the one that was.

    Take `ledger.alone` before students are locked.
    """
    policies = {} if agreement is None else {one.id: ConsentPolicy.of(agreement, one) for one in agreement.all_feeds()}
    digests = {student.id: parts.names.digest(student.student_id) for student in given}
    entries = await ledger.of(connection, set(digests.values()))
    found = []
    for student in given:
        withdrawals = of_entries(entries.get(digests[student.id], ()))
        mine = [one.before(withdrawals, student.feed) for one in kept[student.id].values()]
        policy = policies.get(student.feed)
        now = standing([] if policy is None else [one.term(policy) for one in mine], today)
        found.append(_Found(student, mine, policy, now))
    over = [one for one in found if one.ended]
    await _erase(connection, parts, over, today)
    living = [one for one in found if not one.ended] + await _carry(connection, parts, over, today)
    changes = [(one.student.id, one.now) for one in living if one.now != one.student.standing]
    if changes:
        await students.stand(connection, changes)
    in_force = {one.student.student_id: one.student.pseudonym for one in living if one.now.run}
    began = [one.student.student_id for one in living if one.now.run and one.student.run is None]
    CONSENT_CHANGES.labels("began").inc(len(began))
    CONSENT_CHANGES.labels("ended").inc(len(over))
    return Settled(in_force, began, len(over), frozenset(one.student.student_id for one in living))


async def _erase(connection: AsyncConnection, parts: IngestContext, over: Sequence[_Found], today: date) -> None:
    by_ending: defaultdict[Ending, list[StudentRecord]] = defaultdict(list)
    for one in over:
        by_ending[ending(one.consents, one.student.feed, one.now, today)].append(one.student)
    for why, mine in by_ending.items():
        await erase(
            connection,
            parts.names,
            mine,
            because=why.because,
            ended_on=why.ended_on,
            by=why.by,
            agreement=why.agreement,
        )


async def _carry(
    connection: AsyncConnection, parts: IngestContext, over: Sequence[_Found], today: date
) -> list[_Found]:
    """Keep those of whom a consent is in force or to come as new students, with no other consents."""
    carried: list[_Found] = []
    for feed in dict.fromkeys(one.student.feed for one in over):
        mine = [one for one in over if one.student.feed == feed and not one.now.over]
        new = await begin(connection, parts, feed, [_anew(one.student) for one in mine])
        carried += [replace(one, student=new[one.student.student_id]) for one in mine]
    left = [
        (one.student.id, consent)
        for one in carried
        for consent in one.consents
        if one.policy is not None and not standing([consent.term(one.policy)], today).over
    ]
    if left:
        await consents.keep(connection, left)
    return carried


def _anew(student: StudentRecord) -> NewStudent:
    return NewStudent(student.student_id, student.slot, student.adult_on)
