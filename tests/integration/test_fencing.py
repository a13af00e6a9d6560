"""Who takes a name shuts out who had it before, on a real Kafka, and without transactions."""

from __future__ import annotations

from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import ProducerFenced

from services.platform.fencing import start_fencing_producer
from services.platform.kafka import make_admin, make_consumer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def make_topic(bootstrap: str) -> str:
    name = f"fenced-{uuid4().hex[:8]}"
    admin = make_admin(bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"cleanup.policy": "compact"})])
    await admin.close()
    return name


async def write(producer: AIOKafkaProducer, topic: str, partition: int = 0) -> int:
    """The offset of a batch of two records."""
    batch = producer.create_batch()
    for value in (b"1", b"2"):
        batch.append(key=b"key", value=value, timestamp=None)
    receipt = await (await producer.send_batch(batch, topic, partition=partition))
    return int(receipt.offset)


async def test_the_first_record_of_a_successor_shuts_out_its_predecessor(kafka_bootstrap: str) -> None:
    topic = await make_topic(kafka_bootstrap)
    old = await start_fencing_producer(kafka_bootstrap, f"{topic}-0")
    assert await write(old, topic) == 0
    new = await start_fencing_producer(kafka_bootstrap, f"{topic}-0")
    assert await write(old, topic) == 2  # until then it is as any other, and what it writes is read
    assert await write(new, topic) == 4
    for _ in range(2):
        with pytest.raises(ProducerFenced):
            await write(old, topic)
    assert [await write(new, topic) for _ in range(3)] == [6, 8, 10]
    await old.stop()
    await new.stop()


async def test_there_are_no_markers_and_other_names_go_on(kafka_bootstrap: str) -> None:
    topic = await make_topic(kafka_bootstrap)
    other = await start_fencing_producer(kafka_bootstrap, f"{topic}-1")
    assert await write(other, topic, 1) == 0
    for turn in range(3):
        producer = await start_fencing_producer(kafka_bootstrap, f"{topic}-0")
        assert await write(producer, topic) == 2 * turn
        await producer.stop()
    assert await write(other, topic, 1) == 2
    await other.stop()

    consumer = make_consumer(kafka_bootstrap, group=None)
    await consumer.start()
    ends = await consumer.end_offsets([TopicPartition(topic, number) for number in (0, 1)])
    await consumer.stop()
    assert {tp.partition: end for tp, end in ends.items()} == {0: 6, 1: 4}
