"""The ceiling: aiokafka's `getmany`, msgspec and a dict; no rules, no changelog, nothing survives the process.

One record a mark, or with `batched` as second argument the batches that our worker reads. The clock runs from the
first fetch that brings marks to the commit after the last.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer

from benchmarks.engines.job import Job, Stopwatch


class Mark(msgspec.Struct):
    """The fields that a window needs."""

    student: str
    date: str
    status: str


class Batch(msgspec.Struct):
    """A record of several marks."""

    marks: list[Mark]


_one = msgspec.json.Decoder(Mark).decode
_many = msgspec.json.Decoder(Batch).decode


def read_one(value: bytes) -> Sequence[Mark]:
    """The mark of a record."""
    return (_one(value),)


def read_many(value: bytes) -> Sequence[Mark]:
    """The marks of a batch."""
    return _many(value).marks


async def consume(job: Job, read: Callable[[bytes], Sequence[Mark]]) -> None:
    """Keep every student's days in a dict."""
    windows: defaultdict[str, dict[str, str]] = defaultdict(dict)
    stopwatch, seen = Stopwatch(job), 0
    consumer = AIOKafkaConsumer(
        job.topic,
        bootstrap_servers=job.kafka,
        group_id=job.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with consumer:
        while seen < job.marks:
            fetched = await consumer.getmany(timeout_ms=1000)
            if fetched:
                stopwatch.start()
            for records in fetched.values():
                for record in records:
                    for mark in read(record.value):
                        windows[mark.student][mark.date] = mark.status
                        seen += 1
        await consumer.commit()
        stopwatch.stop(sum(map(len, windows.values())))


if __name__ == "__main__":
    asyncio.run(consume(Job.from_command_line(), read_many if "batched" in sys.argv[2:] else read_one))
