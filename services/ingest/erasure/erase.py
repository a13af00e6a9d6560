"""Erasing a student from a feed: in one transaction the key and all that is kept go, and an entry is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.identity.pseudonyms import Pseudonymizer
from services.ingest.inspection import opened
from services.ingest.store import erasing, ledger, students
from services.ingest.store.students import StudentRecord
from services.platform.erasure.entry import Because, LedgerEntry, Removed

RESTORED: Final = "the ledger"
"""Who opens an inspection anew that a restored database lacks."""


async def erase(
    connection: AsyncConnection,
    names: Pseudonymizer,
    given: Sequence[StudentRecord],
    *,
    because: Because,
    ended_on: date,
    by: str,
    agreement: str,
) -> list[UUID]:
    """Erase locked students, each from its feed; returns the ids of the proofs. The other services are awaited then.

    What was withdrawn never counts again by another entry, which `take_consents` wrote; what was destroyed by these.

    Those whose record is being inspected are only hidden, until `release`. Take `ledger.alone` before students are
    locked.
    """
    if not given:
        return []
    await ledger.alone(connection)
    now = datetime.now(UTC)
    digests = [names.digest(student.student_id) for student in given]
    inspected = await opened.inspected(connection, digests)
    entries = [
        LedgerEntry(
            id=uuid4(),
            student=ledger.entry_digest(digest),
            agreement=agreement,
            recipient=student.feed.agency,
            kept_for=student.feed.kept_for,
            pseudonym=student.pseudonym,
            slot=student.slot,
            because=because,
            ended_on=ended_on,
            at=now,
            by=by,
            held=digest in inspected,
        )
        for student, digest in zip(given, digests, strict=True)
    ]
    held = [one for one in entries if one.held]
    going = [one for one in entries if not one.held]
    await erasing.hide(connection, [str(one.pseudonym) for one in held])
    await ledger.add(connection, held)
    removed = await erasing.remove(connection, [str(one.pseudonym) for one in going])
    await ledger.add(connection, going, {one.id: gone for one, gone in zip(going, removed.values(), strict=True)})
    await ledger.await_services(connection, going)
    return [one.id for one in entries]


async def release(connection: AsyncConnection, student: bytes) -> list[UUID]:
    """Do the deletions that were held of the student of this digest: the ids of their proofs."""
    await ledger.alone(connection)
    entries = (await ledger.of(connection, [student])).get(student, [])
    held = await ledger.held(connection, [one.id for one in entries if one.held])
    for entry in held:
        await _release(connection, entry)
    return [entry.id for entry in held]


async def apply_entry(connection: AsyncConnection, entry: LedgerEntry) -> None:
    """Bring a database that was restored up to an entry of the ledger's copies: it erases what it still has.

    Also consents that were carried on then: those are in the newest export, and count when it is handed in again. What
    a withdrawal ends of other consents the next look at them brings about, as it is in the ledger. What waits for an
    inspection that the database lacks waits for a new one. The copies get it once more, and ingest confirms as ever.
    """
    await ledger.alone(connection)
    pseudonyms = [entry.pseudonym] if entry.pseudonym is not None else []
    held = await ledger.held(connection, [entry.id])
    if entry.held:
        await erasing.hide(connection, pseudonyms)
        await ledger.add(connection, [entry])
        await opened.open_for(connection, entry.student, pseudonyms, RESTORED)
    elif held:
        await _release(connection, held[0])
    else:
        removed = await erasing.remove(connection, pseudonyms)
        await ledger.add(connection, [entry], {entry.id: _first(removed)})
        if pseudonyms:
            await ledger.await_services(connection, [entry])
        else:
            await students.all_due(connection)


async def _release(connection: AsyncConnection, entry: LedgerEntry) -> None:
    removed = await erasing.remove(connection, [entry.pseudonym] if entry.pseudonym is not None else [])
    await ledger.release(connection, entry.id, _first(removed))
    await ledger.await_services(connection, [entry])


def _first(removed: Mapping[str, Removed]) -> Removed:
    return next(iter(removed.values()), {})
