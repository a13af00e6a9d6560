"""Erasing a student from a feed: in one transaction the key and all that is kept go, and an entry is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.identity.pseudonyms import Pseudonymizer
from services.ingest.store import erasing, ledger, students
from services.ingest.store.students import StudentRecord
from services.platform.erasure.confirming import Removed
from services.platform.erasure.entry import Because, LedgerEntry


async def erase(
    connection: AsyncConnection,
    names: Pseudonymizer,
    given: Sequence[StudentRecord],
    *,
    because: Because,
    ended_on: date,
    by: str,
    agreement: str,
    held: bool = False,
) -> list[UUID]:
    """Erase locked students, each from its feed; returns the ids of the proofs. The other services are awaited then.

    What was withdrawn never counts again by another entry, which `take_consents` wrote; what was destroyed by these.

    Those `held` are only hidden, until `release`. Take `ledger.alone` before students are locked.
    """
    if not given:
        return []
    await ledger.alone(connection)
    now = datetime.now(UTC)
    entries = [
        LedgerEntry(
            id=uuid4(),
            student=ledger.entry_digest(names.digest(student.student_id)),
            agreement=agreement,
            recipient=student.feed.agency,
            kept_for=student.feed.kept_for,
            pseudonym=student.pseudonym,
            slot=student.slot,
            because=because,
            ended_on=ended_on,
            at=now,
            by=by,
            held=held,
        )
        for student in given
    ]
    pseudonyms = [student.pseudonym for student in given]
    if held:
        await erasing.hide(connection, pseudonyms)
        await ledger.add(connection, entries)
    else:
        removed = await erasing.remove(connection, pseudonyms)
        await ledger.add(
            connection, entries, {one.id: gone for one, gone in zip(entries, removed.values(), strict=True)}
        )
        await ledger.await_services(connection, entries)
    return [one.id for one in entries]


async def release(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """Do the deletion of those of these entries that were held."""
    await ledger.alone(connection)
    for entry in await ledger.held(connection, ids):
        await _release(connection, entry)


async def apply_entry(connection: AsyncConnection, entry: LedgerEntry) -> None:
    """Bring a database that was restored up to an entry of the ledger's copies: it erases what it still has.

    Also consents that were carried on then: those are in the newest export, and count when it is handed in again. What
    a withdrawal ends of other consents the next look at them brings about, as it is in the ledger.
    """
    await ledger.alone(connection)
    pseudonyms = [entry.pseudonym] if entry.pseudonym is not None else []
    held = await ledger.held(connection, [entry.id])
    if entry.held:
        await erasing.hide(connection, pseudonyms)
        await ledger.add(connection, [entry], published=True)
    elif held:
        await _release(connection, held[0])
        await ledger.published(connection, [entry.id])
    else:
        removed = await erasing.remove(connection, pseudonyms)
        await ledger.add(connection, [entry], {entry.id: _first(removed)}, published=True)
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
