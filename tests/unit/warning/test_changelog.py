"""Terms of a changelog: begun by a fence, renewed, ended by a successor's."""

from __future__ import annotations

import asyncio

import pytest

from services.platform.testing.kafka import LogPlace, MemoryKafka
from services.warning.changelog import FENCE, RENEW_SECONDS, TRUST_SECONDS, Changelog, FencedError
from services.warning.owned import PartitionLostError

TOPIC = "windows"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def begun(kafka: MemoryKafka, clock: Clock, *numbers: int) -> Changelog:
    changelog = Changelog(kafka.open, clock)
    await changelog.take_over(TOPIC, numbers or (0,))
    return changelog


def keys(kafka: MemoryKafka, number: int = 0) -> list[str]:
    return [(record.key or b"").decode() for record in kafka.logs[LogPlace(TOPIC, number)]]


async def test_a_term_begins_with_a_fence_in_each_partition(kafka: MemoryKafka, clock: Clock) -> None:
    changelog = Changelog(kafka.open, clock)
    fences = await changelog.take_over(TOPIC, [0, 3])
    assert {number: fence.offset for number, fence in fences.items()} == {0: 0, 3: 0}
    assert (keys(kafka, 0), keys(kafka, 3)) == (["0|f|"], ["3|f|"])


async def test_what_is_written_has_the_partition_in_its_key_and_comes_back_with_offsets(
    kafka: MemoryKafka, clock: Clock
) -> None:
    changelog = await begun(kafka, clock)
    changes = [(f"s|{n}", b"value") for n in range(250)]
    written = await changelog.write(0, [*changes, ("s|7", None)])
    assert [(each.offset, len(each.items)) for each in written] == [(1, 100), (101, 100), (201, 51)]
    assert kafka.latest(TOPIC, 0).keys() == {b"0|f|", *(f"0|s|{n}".encode() for n in range(250) if n != 7)}


async def test_who_has_nothing_to_write_must_still_be_able_to(kafka: MemoryKafka, clock: Clock) -> None:
    old = await begun(kafka, clock)
    await old.write(0, [])
    assert keys(kafka) == [f"0|{FENCE}"] * 2
    await begun(kafka, clock)
    with pytest.raises(FencedError):
        await old.write(0, [])


async def test_a_successor_ends_a_term_and_only_in_its_own_partitions(kafka: MemoryKafka, clock: Clock) -> None:
    old = await begun(kafka, clock, 0, 1)
    new = await begun(kafka, clock, 1)
    await old.write(0, [("s|a", b"old")])
    with pytest.raises(FencedError):
        await old.write(1, [("s|a", b"old")])
    await new.write(1, [("s|a", b"new")])
    assert kafka.latest(TOPIC, 1)[b"1|s|a"] == b"new"


async def test_a_term_that_ended_while_it_wrote_has_lost_the_partition(kafka: MemoryKafka, clock: Clock) -> None:
    changelog = await begun(kafka, clock)
    kafka.holds = True
    writing = asyncio.create_task(changelog.write(0, [("s|a", b"1")]))
    await asyncio.sleep(0)
    again = asyncio.create_task(changelog.take_over(TOPIC, [0]))
    await asyncio.sleep(0)
    while kafka.requests:
        kafka.requests[0].acknowledge()
        await asyncio.sleep(0)
    with pytest.raises(PartitionLostError):
        await writing
    assert (await again)[0].offset == 2
    with pytest.raises(PartitionLostError):
        await changelog.write(7, [("s|a", b"1")])


async def test_a_term_can_be_renewed_for_ever(kafka: MemoryKafka, clock: Clock) -> None:
    changelog = await begun(kafka, clock)
    for _ in range(5):
        clock.now += RENEW_SECONDS
        await changelog.renew()
        await changelog.write(0, [("s|a", b"1")])
    assert keys(kafka) == ["0|f|", *["0|f|", "0|s|a"] * 5]


async def test_a_term_that_was_not_renewed_in_time_is_not_trusted(kafka: MemoryKafka, clock: Clock) -> None:
    changelog = await begun(kafka, clock)
    clock.now += TRUST_SECONDS + 1
    with pytest.raises(FencedError):
        await changelog.write(0, [("s|a", b"1")])
    assert keys(kafka) == ["0|f|"]


async def test_who_finds_when_renewing_that_another_has_written_ends(kafka: MemoryKafka, clock: Clock) -> None:
    old = await begun(kafka, clock)
    await begun(kafka, clock)
    with pytest.raises(FencedError):
        await old.renew()
