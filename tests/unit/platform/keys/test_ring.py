"""Keys in memory: with a lease, waited for while the database is away, and let go when it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import ClauseElement

from services.platform.keys import feed_keys, ring
from services.platform.keys.master import MasterKeyLostError, MasterKeys, WrappedKey, new_master_line
from services.platform.keys.ring import LEASE_SECONDS, KeyAwayError, KeyRing, NoKeyError
from tests.sealing import key_of


class Database:
    """As much of the engine as the ring asks: keys, the ledger, and whether it answers."""

    def __init__(self) -> None:
        line = new_master_line()
        self.masters = MasterKeys(lambda: line, "here")
        self.keys: dict[str, WrappedKey] = {}
        self.gone: list[str] = []
        self.away = False
        self.lookups = 0
        self.during_lookup = asyncio.Event()
        self.go_on: asyncio.Event | None = None

    def make(self, *pseudonyms: str) -> None:
        for one in pseudonyms:
            self.keys[one] = self.masters.wrap(one, key_of(one))

    def erase(self, pseudonym: str) -> None:
        del self.keys[pseudonym]
        self.gone.append(pseudonym)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Database]:
        if self.away:
            raise OperationalError("", {}, Exception())
        yield self

    async def execute(self, statement: ClauseElement, given: Mapping[str, str | int] | None = None) -> Answer:
        wanted = str((given or {}).get("pseudonyms", "")).split(chr(31))
        if statement is ring._LAST:
            return Answer([len(self.gone)])
        if statement is ring._GONE_SINCE:
            last = int((given or {})["last"])
            return Answer([SimpleNamespace(pseudonym=one, gone=n) for n, one in enumerate(self.gone, 1) if n > last])
        if statement is feed_keys._KEYS:
            self.lookups += 1
            found = [SimpleNamespace(pseudonym=one, **self.keys[one]._asdict()) for one in wanted if one in self.keys]
            self.during_lookup.set()
            if self.go_on is not None:
                await self.go_on.wait()
            return Answer(found)
        return Answer([one for one in wanted if one in self.gone])


class Answer(list[object]):
    def scalar_one(self) -> object:
        (one,) = self
        return one

    def scalars(self) -> Answer:
        return self

    def all(self) -> list[object]:
        return self


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database() -> Database:
    made = Database()
    made.make("ann", "ben")
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ring_of(database: Database, clock: Clock) -> KeyRing:
    made = KeyRing(database, database.masters, clock)  # type: ignore[arg-type]
    made.open()
    return made


async def test_a_key_is_at_hand_once_it_was_found_and_while_the_lease_holds(database: Database, clock: Clock) -> None:
    keys = ring_of(database, clock)
    with pytest.raises(KeyAwayError):
        keys.cipher("ann")
    assert keys.problem

    await keys.find(["ann"])
    assert keys.cipher("ann") is not None
    with pytest.raises(KeyAwayError):
        keys.cipher("ben")

    clock.now += LEASE_SECONDS + 1
    with pytest.raises(KeyAwayError):
        keys.cipher("ann")
    assert "does not answer" in (keys.problem or "")
    await keys.find(["ann"])
    assert keys.cipher("ann") is not None
    assert (keys.problem, database.lookups) == (None, 1)


async def test_nothing_is_asked_before_it_is_opened(database: Database, clock: Clock) -> None:
    keys = KeyRing(database, database.masters, clock)  # type: ignore[arg-type]
    finding = asyncio.create_task(keys.find(["ann"]))
    await asyncio.sleep(0)
    assert (finding.done(), database.lookups) == (False, 0)
    assert "compared" in (keys.problem or "")
    keys.open()
    await finding
    assert keys.cipher("ann") is not None


async def test_a_key_that_is_deleted_is_gone_when_the_database_is_asked_next(database: Database, clock: Clock) -> None:
    keys = ring_of(database, clock)
    await keys.find(["ann", "ben"])
    database.erase("ann")
    await keys.find([])
    assert keys.cipher("ann") is None
    assert (keys.is_gone("ann"), keys.is_gone("ben")) == (True, False)
    assert keys.cipher("ben") is not None


async def test_one_that_was_deleted_before_it_was_asked_for_is_gone_too(database: Database, clock: Clock) -> None:
    database.erase("ann")
    keys = ring_of(database, clock)
    await keys.find(["ann"])
    assert keys.cipher("ann") is None


async def test_who_is_told_at_once_lets_go_at_once_also_of_what_is_being_looked_up(
    database: Database, clock: Clock
) -> None:
    keys = ring_of(database, clock)
    database.go_on = asyncio.Event()
    finding = asyncio.create_task(keys.find(["ann"]))
    await database.during_lookup.wait()
    keys.drop(["ann"])
    database.go_on.set()
    await finding
    assert keys.cipher("ann") is None


async def test_what_was_never_made_is_known_not_to_be_and_asked_for_again_later(
    database: Database, clock: Clock
) -> None:
    keys = ring_of(database, clock)
    await keys.find(["ann", "nobody"])
    with pytest.raises(NoKeyError):
        keys.cipher("nobody")

    database.make("nobody")
    await keys.find(["nobody"])
    assert keys.cipher("nobody") is not None


async def test_while_the_database_is_away_it_is_waited_for(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "wait_random_exponential", lambda **_: lambda _state: 0)
    keys = ring_of(database, clock)
    database.away = True
    finding = asyncio.create_task(keys.find(["ann"]))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not finding.done()
    database.away = False
    await finding
    assert keys.cipher("ann") is not None


async def test_the_lease_is_renewed_while_the_database_answers_and_not_without(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "REFRESH_SECONDS", 0)
    keys = ring_of(database, clock)
    await keys.find(["ann"])
    refreshing = asyncio.create_task(keys.refresh_forever())
    for away, problem in ((False, False), (True, True), (False, False)):
        database.away = away
        clock.now += LEASE_SECONDS + 1
        for _ in range(10):
            await asyncio.sleep(0)
        assert bool(keys.problem) is problem
    refreshing.cancel()


async def test_a_restored_database_is_read_anew(database: Database, clock: Clock) -> None:
    keys = ring_of(database, clock)
    database.erase("ben")
    await keys.find(["ann"])
    database.gone.clear()
    del database.keys["ann"]
    await keys.find([])
    with pytest.raises(KeyAwayError):
        keys.cipher("ann")
    assert keys.cipher("ben") is None  # what is erased does not come back


async def test_only_so_many_ciphers_are_kept_ready(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "CIPHERS", 10)
    monkeypatch.setattr(ring, "AT_ONCE", 7)
    names = [f"s{number}" for number in range(50)]
    database.make(*names)
    keys = ring_of(database, clock)
    await keys.find(names)
    for _ in range(2):
        assert all(keys.cipher(name) for name in names)
    assert len(keys._ciphers) == 10
    assert database.lookups == 8


async def test_another_master_key_is_an_error_and_nothing_is_read(database: Database, clock: Clock) -> None:
    line = new_master_line()
    keys = KeyRing(database, MasterKeys(lambda: line, "elsewhere"), clock)  # type: ignore[arg-type]
    keys.open()
    with pytest.raises(MasterKeyLostError, match="elsewhere"):
        await keys.find(["ann"])
    with pytest.raises(KeyAwayError):
        keys.cipher("ann")
