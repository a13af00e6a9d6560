"""Faust as its documentation writes it: a JSON record and one table write a mark, RocksDB, no rules.

The clock runs from the first mark in the agent until the producer has flushed the last window's changelog. Every
setting is Faust's default, but for the web server, which is off.
"""

from __future__ import annotations

import os
import signal

import faust
from faust.types import StreamT

from benchmarks.engines.job import Job, Stopwatch
from benchmarks.marks import PARTITIONS


class Mark(faust.Record, serializer="json"):  # type: ignore[misc, call-arg]  # Faust is untyped
    """A mark as it crosses Kafka."""

    student: str
    school_id: str
    date: str
    status: str
    excused: bool = False
    recorded_at: str = ""
    history: bool = False


def create_app(job: Job) -> faust.App:
    """The application; it ends itself when the job's marks are kept."""
    app = faust.App(
        job.group,
        broker=f"kafka://{job.kafka}",
        store="rocksdb://",
        datadir=str(job.folder),
        topic_partitions=PARTITIONS,
        web_enabled=False,
    )
    windows = app.Table("windows", default=dict, partitions=PARTITIONS)
    stopwatch, seen = Stopwatch(job), 0

    @app.agent(app.topic(job.topic, key_type=str, value_type=Mark))  # type: ignore[untyped-decorator]
    async def keep_windows(marks: StreamT[Mark]) -> None:
        nonlocal seen
        async for mark in marks:
            stopwatch.start()
            days = windows[mark.student]
            days[mark.date] = mark.status
            windows[mark.student] = days
            seen += 1
            if seen == job.marks:
                await app.producer.flush()
                stopwatch.stop(seen)
                os.kill(os.getpid(), signal.SIGTERM)

    return app


if __name__ == "__main__":
    faust.Worker(
        create_app(Job.from_command_line()), loglevel="warn", redirect_stdouts=False
    ).execute_from_commandline()
