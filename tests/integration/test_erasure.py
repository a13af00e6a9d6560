"""Erasing a student from a feed, at once or once an inspection is closed, and after a dump was restored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import FeedId
from services.ingest.erasure.erase import apply_entry, erase, release
from services.ingest.identity.pseudonyms import Pseudonymizer, load_key
from services.ingest.inspection import opened
from services.ingest.store import ledger, students
from services.platform.database import make_engine
from services.platform.erasure.copies import missing
from tests.integration.taking import Taken
from tests.integration.test_agreement import HOPE, agreement

DAY = date(2016, 12, 6)


@asynccontextmanager
async def begun(taken: Taken) -> AsyncIterator[AsyncConnection]:
    engine = make_engine(taken.settings.require_database(), service="ingest", pool_size=1)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


def names(taken: Taken) -> Pseudonymizer:
    return Pseudonymizer(load_key(taken.settings.key_file))


async def left(connection: AsyncConnection, pseudonym: str) -> list[int]:
    """Rows of the student, of keys, of what was taken, and awaited services."""
    query = """
        SELECT (SELECT count(*) FROM ingest.students WHERE pseudonym = :p),
               (SELECT count(*) FROM erasure.keys WHERE pseudonym = :p),
               (SELECT count(*) FROM ingest.taken),
               (SELECT count(*) FROM erasure.awaited JOIN erasure.ledger USING (id) WHERE pseudonym = :p)
    """
    return list((await connection.execute(text(query), {"p": pseudonym})).one())


async def test_what_is_erased_leaves_an_entry_alone(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert pseudonym
    await taken.marks(student, ("hopes", DAY))
    async with begun(taken) as connection:
        locked = await students.lock(connection, FeedId(HOPE), [student])
        (proof,) = await erase(
            connection,
            names(taken),
            list(locked.values()),
            because="destroyed",
            ended_on=DAY,
            by="district",
            agreement="DSA",
        )
    async with begun(taken) as connection:
        assert await left(connection, pseudonym) == [0, 0, 0, 4]
        ((entry, removed),) = await ledger.unpublished(connection, 10)
        digest = names(taken).digest(student)
        assert (entry.id, entry.pseudonym, entry.student) == (proof, pseudonym, digest)
        assert removed == {"ingest.students": 1, "ingest.consents": 1, "ingest.taken": 1, "erasure.keys": 1}
        assert await ledger.of(connection, [digest]) == {digest: [entry]}
        assert await ledger.generations(connection, FeedId(HOPE), [digest]) == {digest: 1}
        assert await ledger.generations(connection, FeedId("dsni"), [digest]) == {}


async def test_what_is_held_is_hidden_until_it_is_released(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert pseudonym
    await taken.marks(student, ("hopes", DAY))
    async with begun(taken) as connection:
        locked = await students.lock(connection, FeedId(HOPE), [student])
        await opened.open_for(connection, names(taken).digest(student), [pseudonym], "her")
        ids = await erase(
            connection,
            names(taken),
            list(locked.values()),
            because="withdrawn",
            ended_on=DAY,
            by="district",
            agreement="DSA",
        )
    assert await taken.pseudonyms(student) == {}
    async with begun(taken) as connection:
        assert await students.lock(connection, FeedId(HOPE), [student]) == {}
        assert await left(connection, pseudonym) == [1, 1, 1, 0]
        assert await release(connection, names(taken).digest(student)) == ids
        assert await release(connection, names(taken).digest(student)) == []
    async with begun(taken) as connection:
        assert await left(connection, pseudonym) == [0, 0, 0, 4]
        ((entry, removed),) = await ledger.unpublished(connection, 10)
        assert not entry.held
        assert removed == {"ingest.students": 1, "ingest.consents": 1, "ingest.taken": 1, "erasure.keys": 1}


async def test_a_restored_database_is_brought_up_to_the_ledger(taken: Taken) -> None:
    await taken.apply(agreement())
    student, pseudonym = await taken.consent(HOPE)
    assert pseudonym
    async with begun(taken) as connection:
        savepoint = await connection.begin_nested()
        locked = await students.lock(connection, FeedId(HOPE), [student])
        given = {"because": "withdrawn", "ended_on": DAY, "by": "district", "agreement": "DSA"}
        ids = await erase(connection, names(taken), list(locked.values()), **given)  # type: ignore[arg-type]
        ((entry, _),) = await ledger.unpublished(connection, 10)
        await savepoint.rollback()
        assert await left(connection, pseudonym) == [1, 1, 0, 0]
        for held in (True, True, False, False):
            await apply_entry(connection, entry.model_copy(update={"held": held}))
            assert await left(connection, pseudonym) == [int(held), int(held), 0, 0 if held else 4]
        assert [one.id for one, _ in await ledger.unpublished(connection, 10)] == ids
        assert [one.id for one in (await ledger.of(connection, [entry.student]))[entry.student]] == ids


async def test_who_was_erased_once_more_before_the_ledger_was_compared_holds_nothing_up(taken: Taken) -> None:
    await taken.apply(agreement())
    student, _ = await taken.consent(HOPE)
    async with begun(taken) as connection:
        locked = await students.lock(connection, FeedId(HOPE), [student])
        given = {"because": "destroyed", "ended_on": DAY, "by": "destroy", "agreement": "DSA"}
        await erase(connection, names(taken), list(locked.values()), **given)  # type: ignore[arg-type]
        ((entry, _),) = await ledger.unpublished(connection, 10)
        before = entry.model_copy(update={"id": uuid4()})
        nobody = before.model_copy(update={"pseudonym": None})
        other = before.model_copy(update={"id": uuid4(), "pseudonym": "another"})
        again = other.model_copy(update={"id": uuid4()})
        copies = {one.id: one for one in (entry, before, other, again)}
        assert await missing(connection, copies) == [other]
        assert await missing(connection, {nobody.id: nobody}) == [nobody]
