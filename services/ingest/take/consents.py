"""Consents: kept for those who have one in force or to come, and put into force."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import Agreement, Feed, FeedId
from services.ingest.consent.in_force import ConsentPolicy, is_over
from services.ingest.consent.settle import settle
from services.ingest.consent.stored import ConsentKey, StoredConsent, merged, stored
from services.ingest.context import IngestContext
from services.ingest.rows.outcomes import DUPLICATE, Outcome, Unfit, WhyNot, best
from services.ingest.rows.parse import ConsentRow
from services.ingest.store import agreements, consents, gate, students
from services.ingest.store.agreements import NoAgreementError
from services.ingest.store.students import StudentRecord

_NEW = 1 << 62
"""Arrivals of rows that are not kept yet: after all that are."""

_NOT_FITTING = Outcome("not_consented", "The consent does not cover these records, this purpose and this recipient")
_OVER = Outcome("not_consented", "No consent of this student is in force or to come; nothing is kept")


async def take_consents(
    parts: IngestContext, rows: Sequence[ConsentRow], households: Mapping[str, str], unfit: Unfit
) -> list[Outcome]:
    """Each row's outcome, in order. The database hides and shows at once; Kafka learns by `publish_pending`.

    A revocation counts for every feed for which the student is kept, also one that the agreement does not have now, and
    when no agreement is in force.

    `households` are those known now, by student: a student's slot is made at the first consent and stays. `unfit`
    gets what the consents of students who are not kept do not cover. Raises `NoAgreementError`.
    """
    revoking = [row for row in rows if row.revoked_on is not None]
    async with parts.engine.begin() as connection:
        await agreements.hold(connection)
        agreement = await agreements.in_force(connection)
        feeds = () if agreement is None else agreement.all_feeds()
        revoked: dict[int, list[Outcome]] = {}
        for other in await students.feeds_of(connection, {row.student_id for row in revoking}):
            if other not in {feed.id for feed in feeds}:
                for row, outcome in zip(revoking, await _revoke(connection, other, revoking, agreement), strict=True):
                    revoked.setdefault(id(row), []).append(outcome)
        found = [
            await _for_feed(connection, parts, rows, households, agreement, feed, unfit)
            for feed in feeds
            if agreement is not None
        ]
    if agreement is None and len(revoking) < len(rows):
        raise NoAgreementError
    by_row = zip(*found, strict=True) if found else [()] * len(rows)
    return [_told([*of, *revoked.get(id(row), [])]) for row, of in zip(rows, by_row, strict=True)]


def _told(outcomes: Sequence[Outcome]) -> Outcome:
    """What is said of a row: the most that it came to, and the pseudonym of the first feed that has it in force."""
    known = next((one.student for one in outcomes if one.student is not None), None)
    return replace(best(outcomes, _NOT_FITTING), student=known)


async def _revoke(
    connection: AsyncConnection, feed: FeedId, rows: Sequence[ConsentRow], agreement: Agreement | None
) -> list[Outcome]:
    """Keep revocations of those who are kept for a feed that there is not now: it never gets them back."""
    given = [stored(row, _NEW + place) for place, row in enumerate(rows)]
    locked = await students.lock(connection, feed, {row.student_id for row in rows})
    kept = await consents.of(connection, [student.id for student in locked.values()])
    news, changed = _merge(rows, given, locked, kept)
    if changed:
        await consents.keep(connection, changed)
    await settle(connection, locked.values(), kept, agreement, await gate.today(connection))
    return [
        _OVER if row.student_id not in locked else Outcome("accepted") if new else DUPLICATE
        for row, new in zip(rows, news, strict=True)
    ]


async def _for_feed(
    connection: AsyncConnection,
    parts: IngestContext,
    rows: Sequence[ConsentRow],
    households: Mapping[str, str],
    agreement: Agreement,
    feed: Feed,
    unfit: Unfit,
) -> list[Outcome]:
    given = [stored(row, _NEW + place) for place, row in enumerate(rows)]
    policy = ConsentPolicy.of(agreement, feed)
    today = await gate.today(connection)
    locked, inherited = await _students(connection, parts, rows, given, households, feed.id, policy, today)
    kept = await consents.of(connection, [student.id for student in locked.values()])
    for number, earlier in inherited:
        kept[number][earlier.key] = earlier
    news, changed = _merge(rows, given, locked, kept, {(number, earlier.key) for number, earlier in inherited})
    changed = [*inherited, *changed]
    if changed:
        await consents.keep(connection, list({(number, one.key): (number, one) for number, one in changed}.values()))
    settled = await settle(connection, locked.values(), kept, agreement, today)
    for row, one in zip(rows, given, strict=True):
        missed = policy.misses(one.key.agreement_id, row.records, row.purpose, row.recipients)
        if row.student_id not in locked:
            over: WhyNot = "ended" if row.revoked_on is None else "withdrawn"
            unfit.setdefault(feed.id, {})[row.student_id] = missed or over
    return [
        _outcome(policy, row, one, new, settled.in_force.get(row.student_id), kept=row.student_id in locked)
        for row, one, new in zip(rows, given, news, strict=True)
    ]


async def _students(
    connection: AsyncConnection,
    parts: IngestContext,
    rows: Sequence[ConsentRow],
    given: Sequence[StoredConsent],
    households: Mapping[str, str],
    feed: FeedId,
    policy: ConsentPolicy,
    today: date,
) -> tuple[dict[str, StudentRecord], list[tuple[int, StoredConsent]]]:
    """The rows' students, locked; one who is not kept is added only when a consent is in force or to come.

    With one who is added comes what is kept of the student's consents for other feeds: a revocation holds for all.
    """
    locked = await students.lock(connection, feed, {row.student_id for row in rows})
    elsewhere = await consents.of_others(connection, feed, {row.student_id for row in rows} - locked.keys())
    unknown = {student_id: dict(mine) for student_id, mine in elsewhere.items()}
    for row, one in zip(rows, given, strict=True):
        if row.student_id not in locked:
            mine = unknown.setdefault(row.student_id, {})
            mine[one.key] = merged(mine[one.key], one) if one.key in mine else one
    added = [
        (
            student_id,
            parts.names.student(str(feed), student_id),
            parts.names.slot(student_id, households.get(student_id)),
        )
        for student_id, mine in unknown.items()
        if not is_over([one.term(policy) for one in mine.values()], today)
    ]
    if added:
        await students.add(connection, parts.masters, feed, added)
        new = await students.lock(connection, feed, [student_id for student_id, _, _ in added])
        locked |= new
        return locked, [
            (student.id, one) for student_id, student in new.items() for one in elsewhere.get(student_id, {}).values()
        ]
    return locked, []


def _merge(
    rows: Sequence[ConsentRow],
    given: Sequence[StoredConsent],
    locked: Mapping[str, StudentRecord],
    kept: dict[int, dict[ConsentKey, StoredConsent]],
    inherited: Collection[tuple[int, ConsentKey]] = (),
) -> tuple[list[bool], list[tuple[int, StoredConsent]]]:
    """Bring `kept` up to date; returns whether each row was news, and what changed.

    What this feed has from another, perhaps since a moment ago by the same rows, it has not been told before.
    """
    untold = set(inherited)
    news: list[bool] = []
    changed: dict[tuple[int, ConsentKey], StoredConsent] = {}
    for row, one in zip(rows, given, strict=True):
        student = locked.get(row.student_id)
        if student is None:
            news.append(False)
            continue
        mine = kept[student.id]
        before = mine.get(one.key)
        after = one if before is None else merged(before, one)
        news.append(after != before or (student.id, one.key) in untold)
        untold.discard((student.id, one.key))
        if after != before:
            mine[one.key] = changed[student.id, one.key] = after
    return news, [(student, one) for (student, _), one in changed.items()]


def _outcome(
    policy: ConsentPolicy, row: ConsentRow, given: StoredConsent, new: bool, pseudonym: str | None, *, kept: bool
) -> Outcome:
    if not given.fits(policy) and row.revoked_on is None:
        return _NOT_FITTING
    if not kept:
        return _OVER
    return Outcome("accepted" if new else "duplicate", None if new else DUPLICATE.reason, pseudonym)
