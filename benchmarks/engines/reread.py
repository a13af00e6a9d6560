"""The peer of a recovery: raw aiokafka reads a changelog from its start to its end into a dict, in a fresh process."""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition


async def reread(kafka: str, topic: str, partitions: int) -> dict[bytes, bytes]:
    """The last value of every key."""
    state: dict[bytes, bytes] = {}
    places = [TopicPartition(topic, number) for number in range(partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        while [place for place, end in ends.items() if await consumer.position(place) < end]:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    state[record.key] = record.value
    return state


if __name__ == "__main__":
    asyncio.run(reread(sys.argv[1], sys.argv[2], int(sys.argv[3])))
