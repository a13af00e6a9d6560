"""The ceiling: aiokafka's `getmany`, msgspec and a dict; no rules, no changelog, nothing survives the process.

One record a mark, or with `batched` as second argument the batches that our worker reads. The clock runs from the
first fetch that brings marks to the commit after the last.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer

from benchmarks.engines.job import Job, Stopwatch
from benchmarks.keys import Ciphers
from services.contracts.packed import decode, unseal_marks


class Mark(msgspec.Struct):
    """The fields that a window needs."""

    student: str
    date: str
    status: str


CIPHERS = Ciphers()
Said = tuple[str, str | int, str | int]
"""Student, day and what was said, however they travel."""
_one = msgspec.json.Decoder(Mark).decode


def read_one(value: bytes) -> Iterable[Said]:
    """The mark of a record."""
    mark = _one(value)
    return ((mark.student, mark.date, mark.status),)


def read_many(value: bytes) -> Iterable[Said]:
    """The marks of a batch, unsealed."""
    marks = unseal_marks(decode(value), CIPHERS.cipher)
    students = np.repeat(np.array(marks.students, object), marks.numbers).tolist()
    return zip(students, marks.items["day"].tolist(), marks.items["code"].tolist(), strict=True)


async def consume(job: Job, read: Callable[[bytes], Iterable[Said]]) -> None:
    """Keep every student's days in a dict."""
    windows: defaultdict[str, dict[str | int, str | int]] = defaultdict(dict)
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
                    for student, day, status in read(record.value):
                        windows[student][day] = status
                        seen += 1
        await consumer.commit()
        stopwatch.stop(sum(map(len, windows.values())))


if __name__ == "__main__":
    asyncio.run(consume(Job.from_command_line(), read_many if "batched" in sys.argv[2:] else read_one))
