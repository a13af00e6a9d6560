"""Lag on a real broker, against Kafka's own tool and against records of a known age."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from services.platform.embedded.endpoints import Stack
from services.platform.kafka import make_admin, make_consumer
from services.platform.lag import PartitionLag, read_lag
from tests.integration.kafka_tools import Row, console_consumer, describe_all_groups
from tests.integration.running import producing

HOUR, MINUTE = 3_600, 60


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


async def make_topic(bootstrap: str, partitions: int) -> str:
    name = unique("lag")
    admin = make_admin(bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, partitions, 1)])
    await admin.close()
    return name


async def produce(bootstrap: str, tp: TopicPartition, ages: Sequence[float]) -> None:
    """One record for each age in seconds."""
    now = time.time()
    async with producing(bootstrap) as producer:
        for age in ages:
            stamp = int((now - age) * 1000)
            await producer.send_and_wait(tp.topic, b"x", partition=tp.partition, timestamp_ms=stamp)


async def commit(bootstrap: str, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit as a member would that has stopped since."""
    consumer = make_consumer(bootstrap, group=group)
    await consumer.start()
    consumer.assign(list(offsets))
    await consumer.commit(offsets)
    await consumer.stop()


@asynccontextmanager
async def member(bootstrap: str, group: str, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A live member that has its partitions."""
    consumer = make_consumer(bootstrap, *topics, group=group)
    await consumer.start()
    try:
        await consumer.getone()
        yield consumer
    finally:
        await consumer.stop()


async def lag_of(bootstrap: str, group: str) -> dict[TopicPartition, PartitionLag]:
    rows = await read_lag(bootstrap)
    return {TopicPartition(row.topic, row.partition): row for row in rows if row.group == group}


def without_seconds(rows: Sequence[PartitionLag]) -> list[Row]:
    return [(r.group, r.topic, r.partition, r.committed, r.end, r.lag) for r in rows]


@pytest.mark.timeout(120)
async def test_offsets_and_lag_of_every_group_equal_those_of_kafkas_own_tool(kafka_bootstrap: str) -> None:
    first, second = await make_topic(kafka_bootstrap, 3), await make_topic(kafka_bootstrap, 2)
    firsts = [TopicPartition(first, number) for number in range(3)]
    for tp in firsts:
        await produce(kafka_bootstrap, tp, [1.0] * 10)
    await produce(kafka_bootstrap, TopicPartition(second, 0), [1.0] * 5)
    stopped, caught_up, live, newer = (unique(name) for name in ("stopped", "caught-up", "live", "newer"))
    await commit(kafka_bootstrap, stopped, {firsts[0]: 4, firsts[1]: 0})
    await commit(kafka_bootstrap, caught_up, dict.fromkeys(firsts, 10))
    async with (
        member(kafka_bootstrap, live, first, second) as consumer,
        console_consumer(kafka_bootstrap, first, newer),
    ):
        await consumer.commit({TopicPartition(second, 0): 3})
        ours, theirs = await read_lag(kafka_bootstrap), await describe_all_groups(kafka_bootstrap)
    assert without_seconds(ours) == theirs
    lags = {(r.group, r.topic, r.partition): (r.committed, r.end, r.lag) for r in ours}
    assert lags[stopped, first, 0] == (4, 10, 6)
    assert lags[caught_up, first, 2] == (10, 10, 0)
    assert lags[live, second, 0] == (3, 5, 2)
    assert lags[live, second, 1] == (None, 0, None)
    assert [lags[newer, first, number] for number in range(3)] == [(None, 10, None)] * 3


async def test_seconds_are_the_age_of_each_groups_first_uncommitted_record(kafka_bootstrap: str) -> None:
    tp = TopicPartition(await make_topic(kafka_bootstrap, 1), 0)
    await produce(kafka_bootstrap, tp, [2 * HOUR, HOUR, 30 * MINUTE, 10])
    groups = [unique(f"at-{offset}") for offset in range(5)]
    for offset, group in enumerate(groups):
        await commit(kafka_bootstrap, group, {tp: offset})
    rows = {row.group: row for row in await read_lag(kafka_bootstrap)}
    seconds = [rows[group].seconds_behind for group in groups]
    assert seconds[:4] == pytest.approx([2 * HOUR, HOUR, 30 * MINUTE, 10], abs=20)
    assert seconds[4] == 0.0


async def test_a_commit_below_the_start_of_the_log_counts_from_the_first_record_left(kafka_bootstrap: str) -> None:
    tp = TopicPartition(await make_topic(kafka_bootstrap, 1), 0)
    await produce(kafka_bootstrap, tp, [2 * HOUR, HOUR, 30 * MINUTE])
    group = unique("late")
    await commit(kafka_bootstrap, group, {tp: 0})
    admin = make_admin(kafka_bootstrap)
    await admin.start()
    await admin.delete_records({tp: RecordsToDelete(2)})
    await admin.close()
    row = (await lag_of(kafka_bootstrap, group))[tp]
    assert (row.committed, row.end, row.lag) == (0, 3, 3)
    assert row.seconds_behind == pytest.approx(30 * MINUTE, abs=20)


async def test_what_is_left_of_a_transaction_is_no_record_and_zero_seconds(kafka_bootstrap: str) -> None:
    tp = TopicPartition(await make_topic(kafka_bootstrap, 1), 0)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=unique("writer"))
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(tp.topic, b"x", partition=0)
    await producer.stop()
    group = unique("read-all")
    await commit(kafka_bootstrap, group, {tp: 1})
    row = (await lag_of(kafka_bootstrap, group))[tp]
    assert (row.committed, row.end, row.lag, row.seconds_behind) == (1, 2, 1, 0.0)


async def test_a_commit_beyond_the_end_is_seen(kafka_bootstrap: str) -> None:
    tp = TopicPartition(await make_topic(kafka_bootstrap, 1), 0)
    await produce(kafka_bootstrap, tp, [1])
    group = unique("beyond")
    await commit(kafka_bootstrap, group, {tp: 7})
    row = (await lag_of(kafka_bootstrap, group))[tp]
    assert (row.lag, row.seconds_behind) == (-6, None)


async def test_looking_makes_no_group_and_commits_nothing(kafka_bootstrap: str) -> None:
    tp = TopicPartition(await make_topic(kafka_bootstrap, 1), 0)
    await produce(kafka_bootstrap, tp, [HOUR, HOUR])
    await commit(kafka_bootstrap, unique("watched"), {tp: 1})
    before = without_seconds(await read_lag(kafka_bootstrap))
    assert without_seconds(await read_lag(kafka_bootstrap)) == before
    admin = make_admin(kafka_bootstrap)
    await admin.start()
    groups = {name for name, _ in await admin.list_consumer_groups()}
    await admin.close()
    assert groups >= {row[0] for row in before}
    assert not [name for name in groups if name.startswith("aiokafka")]


async def firstbell(*arguments: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "services.cli.main", *arguments]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def test_the_command_prints_the_document_of_the_stack_in_the_folder(stack: Stack) -> None:
    tp = TopicPartition(await make_topic(stack.kafka, 1), 0)
    await produce(stack.kafka, tp, [HOUR, HOUR])
    group = unique("by-command")
    await commit(stack.kafka, group, {tp: 1})
    process = await firstbell("lag", "--json", "--data-dir", str(stack.data_dir))
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    [row] = [row for row in json.loads(output)["partitions"] if row["group"] == group]
    assert row.pop("seconds_behind") == pytest.approx(HOUR, abs=30)
    assert row == {"group": group, "topic": tp.topic, "partition": 0, "committed": 1, "end": 2, "lag": 1}


async def test_watching_prints_a_document_a_line_until_ctrl_c_and_ends_well(stack: Stack) -> None:
    process = await firstbell("lag", "--json", "--watch", "--data-dir", str(stack.data_dir))
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert all("partitions" in json.loads(line) for line in lines)
