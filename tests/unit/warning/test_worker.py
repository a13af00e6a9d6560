"""The worker and its students' keys: nothing is done without them, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from uuid import uuid4

import pytest
import pytest_asyncio

from services.contracts import topics
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.contracts.sealed import unseal
from services.platform.erasure.confirming import Erasure
from services.platform.testing.kafka import LogPlace, MemoryKafka
from services.platform.testing.table import MemoryTable
from services.warning.capacity import CapacityControl
from services.warning.changelog import Changelog
from services.warning.loading import load_partition
from services.warning.table import WindowTable
from services.warning.worker import Worker
from tests.unit.warning.driving import POLICY, TAKEN_AT, Record, batch, close, consent, enrollment, mark
from tests.unit.warning.keys import CIPHERS, FakeKeys
from tests.unit.warning.worlds import FIRST, school_days

CHANGELOG = topics.WINDOWS_CHANGELOG.name
DAYS = school_days(12)
ANN, BEN = Erasure(uuid4(), "ann", 0), Erasure(uuid4(), "ben", 0)


class Running:
    """A worker of one partition over a Kafka in memory."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self.kafka = kafka
        self.keys = FakeKeys()
        self.acked: list[Record] = []
        self.table = MemoryTable(kafka, CHANGELOG)
        self.changelog = Changelog(kafka.open)
        self.worker = Worker(
            WindowTable(self.table, self.changelog),
            1,
            lambda items, cipher_of: load_partition(items, POLICY, CapacityControl(None, None), TAKEN_AT, cipher_of),
            self.keys,
        )
        self.worker.connect(kafka.producer())

    async def begin(self) -> None:
        await self.changelog.take_over(CHANGELOG, [0])
        self.table.recover([0])
        self.worker.begin([0])
        await self.worker.load()

    async def take(self, *given: Record) -> None:
        for record in given:
            message = SimpleNamespace(
                topic=record.topic, partition=0, offset=0, key=record.key, value=record.value, timestamp=1.0, headers=[]
            )
            ack = lambda record=record: self.acked.append(record)  # noqa: E731
            await self.worker.take(SimpleNamespace(message=message, ack=ack))  # type: ignore[arg-type]

    async def save(self) -> None:
        await asyncio.gather(*self.worker.checkpoints())

    @property
    def alerts(self) -> list[AlertEvent]:
        """Those told."""
        told = self.kafka.logs[LogPlace(topics.ALERTS.name, 0)]
        names = [(record.key or b"").decode() for record in told]
        opened = [unseal(CIPHERS[n], topics.ALERTS.name, r.value or b"") for n, r in zip(names, told, strict=True)]
        return [AlertEvent.model_validate_json(value) for value in opened]

    @property
    def stored(self) -> str:
        """All that compaction would keep, but for the term's fence."""
        kept = self.kafka.latest(CHANGELOG, 0)
        return str({key: value for key, value in kept.items() if key != b"0|f|"})


def told(name: str, days: int = 3) -> list[Record]:
    return [
        consent(name, FIRST),
        enrollment(name, ("A", FIRST, None)),
        *(batch(mark(name, day, "absent")) for day in DAYS[:days]),
    ]


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def running() -> AsyncIterator[Running]:
    made = Running(MemoryKafka())
    await made.begin()
    yield made


async def test_alerts_are_sealed_with_the_students_key(running: Running) -> None:
    await running.take(*told("ann"))
    await running.save()
    assert [event.student for event in running.alerts] == ["ann"]


async def test_while_a_key_is_away_its_records_wait_unacknowledged_and_none_is_lost(running: Running) -> None:
    await running.take(*told("ben"))
    await running.save()
    acked = len(running.acked)
    running.keys.away = {"ann"}
    both = batch(mark("ann", DAYS[3], "absent"), mark("ben", DAYS[3]))
    taking = asyncio.create_task(running.take(*told("ann"), both))
    await settled()
    assert not taking.done()
    await running.save()
    assert len(running.acked) == acked

    running.keys.back.set()
    await taking
    await running.save()
    assert len(running.acked) == acked + 6
    partition = running.worker.partition(0)
    assert partition is not None
    year = partition.years[2016]
    assert [len(list(year.marks.of_row(year.rows[name]))) for name in ("ann", "ben")] == [4, 4]


async def test_a_checkpoint_waits_for_the_keys_that_it_needs(running: Running) -> None:
    await running.take(*told("ann"))
    running.keys.away = {"ann"}
    saving = asyncio.create_task(running.save())
    await settled()
    assert (saving.done(), running.acked, running.stored) == (False, [], "{}")
    running.keys.back.set()
    await saving
    assert len(running.acked) == 5


async def test_a_start_waits_for_the_keys_of_what_is_stored(running: Running) -> None:
    await running.take(*told("ann"))
    await running.save()
    again = Running(running.kafka)
    again.keys.away = {"ann"}
    beginning = asyncio.create_task(again.begin())
    await settled()
    assert not beginning.done()
    assert again.worker.partition(0) is None
    again.keys.back.set()
    await beginning
    partition = again.worker.partition(0)
    assert partition is not None
    assert partition.students.keys() == {"ann"}


@pytest.mark.parametrize("end", [Worker.wait_no_more, Worker.forget])
@pytest.mark.parametrize("what", ["take", "save", "load"])
async def test_no_wait_for_keys_holds_up_a_stop_or_a_rebalance(
    running: Running, what: str, end: Callable[[Worker], None]
) -> None:
    await running.take(*told("ann"))
    if what == "load":
        await running.save()
        running.worker.forget()
        running.worker.begin([0])
    acked = len(running.acked)
    running.keys.away = {"ann"}
    waits: dict[str, Callable[[], Awaitable[object]]] = {
        "take": lambda: running.take(batch(mark("ann", DAYS[5]))),
        "save": running.save,
        "load": running.worker.load,
    }
    waiting = asyncio.ensure_future(waits[what]())
    await settled()
    assert not waiting.done()
    end(running.worker)
    await waiting
    assert len(running.acked) == acked


async def test_a_key_that_was_never_made_makes_a_dead_letter(running: Running) -> None:
    running.keys.never = {"ann"}
    await running.take(*told("ann", 1), batch(mark("ben", DAYS[0])))
    await running.save()
    logs = running.kafka.logs.items()
    letters = [record.value or b"" for place, log in logs for record in log if place.topic == topics.REJECTED.name]
    assert len(letters) == 3
    assert all(b"(NoKeyError)" in letter and b'"ann"' not in letter for letter in letters)
    assert len(running.acked) == 4


async def test_an_erasure_is_confirmed_with_what_was_removed_when_that_is_written(running: Running) -> None:
    await running.take(*told("ann"), *told("ben"))
    await running.save()
    assert await running.worker.erase(None, ANN) is None
    assert await running.worker.erase(None, ANN) is None
    await running.save()
    assert await running.worker.erase(None, ANN) == {"warning.windows": 1, "warning.days": 3, "warning.alerts": 1}
    assert "ann" not in running.stored
    assert "ben" in running.stored
    assert running.keys.gone == {"ann"}


async def test_one_of_whom_nothing_is_kept_is_confirmed_at_once(running: Running) -> None:
    assert await running.worker.erase(None, ANN) == {}


async def test_who_owns_the_partition_confirms_and_nobody_else(running: Running) -> None:
    running.worker.forget()
    assert await running.worker.erase(None, ANN) is None
    assert running.keys.gone == {"ann"}


async def test_a_pending_alert_of_who_is_erased_is_not_told(running: Running) -> None:
    await running.take(*told("ann", 2), *told("ben"))
    await running.save()
    await running.take(batch(mark("ann", DAYS[2], "absent")))
    running.keys.drop(["ann"])  # the worker's state has not heard of it yet
    await running.save()
    assert [event.student for event in running.alerts] == ["ben"]
    assert "ann" not in running.stored
    await running.worker.erase(None, ANN)
    await running.save()
    assert await running.worker.erase(None, ANN) is not None
    assert [event.student for event in running.alerts] == ["ben"]


async def test_a_kill_before_the_confirmation_is_followed_by_one(running: Running) -> None:
    await running.take(*told("ann"), *told("ben"), close("A", DAYS[0]))
    await running.save()
    assert await running.worker.erase(None, ANN) is None
    await running.save()
    for number, erasure in enumerate((ANN, BEN)):
        again = Running(running.kafka)
        again.keys.drop(["ann", "ben"][: number + 1])
        await again.begin()
        await again.save()
        assert await again.worker.erase(None, erasure) == ({"warning.windows": 1} if erasure is BEN else {})
    assert "ann" not in running.stored
    assert "ben" not in running.stored
    assert Pseudonym("ben") not in (again.worker.partition(0) or SimpleNamespace(students={})).students
