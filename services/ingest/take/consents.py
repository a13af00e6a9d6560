"""Consents: kept for those who have one in force or to come, and put into force; withdrawals: kept for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, FeedId
from services.ingest.consent.beginning import begin
from services.ingest.consent.history import ConsentHistory
from services.ingest.consent.in_force import standing
from services.ingest.consent.judging import Grounds, Verdict, adult_from
from services.ingest.consent.settle import settle
from services.ingest.consent.stored import stored
from services.ingest.consent.withdrawals import Withdrawal, of_entries, of_row
from services.ingest.context import IngestContext
from services.ingest.rows.outcomes import DUPLICATE, Outcome, Unfit, best
from services.ingest.rows.parse import ConsentRow
from services.ingest.store import agreements, consents, gate, ledger, students
from services.ingest.store.agreements import NoAgreementError
from services.ingest.store.students import NewStudent
from services.platform.erasure.entry import LedgerEntry

_NOT_FITTING = Outcome("not_consented", "The consent does not cover these records, this purpose and this recipient")
_OVER = Outcome("not_consented", "No consent of this student is in force or to come; nothing is kept")


@dataclass(frozen=True, slots=True)
class Known:
    """What other files say of students, by the district's id."""

    households: Mapping[str, str]
    """Those known now: a student's slot is made at the first consent and stays."""
    births: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows that may be kept, and what is known of their students."""

    rows: Sequence[ConsentRow]
    grounds: Grounds
    agreement: Agreement | None
    withdrawals: Mapping[str, Sequence[Withdrawal]]
    """Those that were known before these rows, by student."""
    adults: Mapping[str, date]
    households: Mapping[str, str]


async def take_consents(parts: IngestContext, rows: Sequence[ConsentRow], known: Known, unfit: Unfit) -> list[Outcome]:
    """Each row's outcome, in order. The database hides and erases at once; Kafka learns by `publish_students`.

    A revocation counts for every feed for which the student is kept, also one that the agreement does not have now, and
    when no agreement is in force or nothing is kept: it is in the ledger then, before a consent that comes later.

    `unfit` gets what the consents of students who are not kept do not cover. Raises `NoAgreementError`.
    """
    ids = {row.student_id for row in rows}
    digests = {student_id: parts.names.digest(student_id) for student_id in ids}
    async with parts.engine.begin() as connection:
        await agreements.hold(connection)
        await ledger.alone(connection)
        agreement = await agreements.in_force(connection)
        grounds = Grounds.of(await agreements.applied(connection), agreement, await gate.today(connection))
        entries = await ledger.of(connection, set(digests.values()))
        withdrawals = {one: of_entries(entries.get(digest, ())) for one, digest in digests.items()}
        said = {row.student_id: adult_from(row.birth_date) for row in rows if row.birth_date}
        said = {one: adult_from(known.births[one]) for one in ids & known.births.keys()} | said
        adults = await students.adults(connection, ids) | said
        verdicts = _judge(rows, grounds, withdrawals, adults)
        new = [
            _entry(digests[row.student_id], withdrawal)
            for row, verdict in zip(rows, verdicts, strict=True)
            for withdrawal in verdict.withdrawn
        ]
        if new:
            await ledger.add(connection, new)
        usable = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.refused is None]
        batch = _Batch(usable, grounds, agreement, withdrawals, adults, known.households)
        found = [await _for_feed(connection, parts, batch, feed, unfit) for feed in await _feeds(connection, batch)]
        if said:
            await students.grow(connection, said)
    if agreement is None and any(row.revoked_on is None for row in rows):
        raise NoAgreementError
    by_row = iter(zip(*found, strict=True) if found else [()] * len(usable))
    return [verdict.refused or _told(row, verdict, next(by_row)) for row, verdict in zip(rows, verdicts, strict=True)]


def _judge(
    rows: Sequence[ConsentRow],
    grounds: Grounds,
    withdrawals: Mapping[str, Sequence[Withdrawal]],
    adults: Mapping[str, date],
) -> list[Verdict]:
    """One after the other: a consent is judged by the withdrawals that came before it."""
    known = {student_id: list(mine) for student_id, mine in withdrawals.items()}
    verdicts = []
    for row in rows:
        verdict = grounds.judge(row, known[row.student_id], adults.get(row.student_id))
        known[row.student_id] += verdict.withdrawn
        verdicts.append(verdict)
    return verdicts


def _entry(digest: bytes, withdrawal: Withdrawal) -> LedgerEntry:
    """By which no consent counts that was signed before; what is erased for it has an entry of its own."""
    return LedgerEntry(
        id=uuid4(),
        student=ledger.entry_digest(digest),
        agreement=withdrawal.agreement_id,
        recipient=withdrawal.recipient,
        kept_for=withdrawal.purpose,
        because="withdrawn",
        ended_on=withdrawal.ended_on,
        records=withdrawal.records,
        at=datetime.now(UTC),
        by="district",
    )


def _told(row: ConsentRow, verdict: Verdict, by_feed: Sequence[Outcome]) -> Outcome:
    """What is said of a row: the most that it came to, and the pseudonym of the first feed that has it in force."""
    revoked = [Outcome("accepted") if verdict.withdrawn else DUPLICATE] if of_row(row) else []
    told = best([*by_feed, *revoked], _NOT_FITTING)
    kept = any(one.status in {"accepted", "duplicate"} for one in by_feed)
    pseudonym = next((one.student for one in by_feed if one.student is not None), None)
    return replace(told, student=pseudonym, warning=verdict.warning if kept else None)


async def _feeds(connection: AsyncConnection, batch: _Batch) -> list[FeedId]:
    """Those of the agreement, and others for which students are kept who revoke: they must not be forgotten there."""
    revoking = {row.student_id for row in batch.rows if row.revoked_on is not None}
    others = await students.feeds_of(connection, revoking) if revoking else set()
    return [*batch.grounds.policies, *sorted(others - batch.grounds.policies.keys())]


async def _for_feed(
    connection: AsyncConnection, parts: IngestContext, batch: _Batch, feed: FeedId, unfit: Unfit
) -> list[Outcome]:
    policy, today = batch.grounds.policies.get(feed), batch.grounds.today
    ids = {row.student_id for row in batch.rows}
    locked = await students.lock(connection, feed, ids)
    kept = await consents.of(connection, [student.id for student in locked.values()])
    said = {
        one: ConsentHistory(feed, kept[locked[one].id] if one in locked else None, batch.withdrawals[one])
        for one in ids
    }
    news = [said[row.student_id].take(row) for row in batch.rows]
    if policy is not None:
        locked |= await begin(
            connection,
            parts,
            feed,
            [
                NewStudent(one, parts.names.slot(one, batch.households.get(one)), batch.adults.get(one))
                for one, mine in said.items()
                if one not in locked and not standing((each.term(policy) for each in mine.kept.values()), today).over
            ],
        )
    changed = [(student.id, said[one].kept[key]) for one, student in locked.items() for key in said[one].changed]
    if changed:
        await consents.keep(connection, changed)
    left = {student.id: said[one].kept for one, student in locked.items()}
    settled = await settle(connection, parts, locked.values(), left, batch.agreement, today)
    outcomes = []
    for row, new in zip(batch.rows, news, strict=True):
        missed = policy and policy.misses(row.agreement_id, row.records, row.purpose, row.recipients)
        if row.student_id not in settled.kept:
            unfit.setdefault(feed, {})[row.student_id] = missed or ("ended" if row.revoked_on is None else "withdrawn")
        if policy is None or missed or stored(row) is None:
            outcomes.append(_NOT_FITTING)
        elif row.student_id not in settled.kept:
            outcomes.append(_OVER)
        else:
            told = Outcome("accepted") if new else DUPLICATE
            outcomes.append(replace(told, student=settled.in_force.get(row.student_id)))
    return outcomes
