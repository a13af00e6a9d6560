"""How far every consumer group of the cluster is behind, in messages and in seconds.

Seconds are counted from the timestamp of the first record that a group has not committed, really read:
an estimate between two commits is wrong on a quiet topic and after a burst. No commit is unknown, never 0.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.platform.groups import Commit, read_commits
from services.platform.kafka import make_admin, make_consumer

TIMEOUT_S = 30.0
READ_TIMEOUT_S = 8.0
"""Seconds for reading the first uncommitted records; what is not read by then stays unknown."""

NOTHING_LEFT = math.inf
"""The timestamp of a record that is still to come: what lies before the end are markers of transactions."""

Place = tuple[TopicPartition, int]
"""A partition and the offset in it from which to read."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """A group's lag on one partition; None is unknown. `seconds_behind` is 0.0 when nothing is left to read."""

    group: str
    topic: str
    partition: int
    committed: int | None
    end: int | None
    lag: int | None
    seconds_behind: float | None


async def read_lag(bootstrap: str, *, timeout: float = TIMEOUT_S) -> list[PartitionLag]:
    """The lag of every group, by group, topic and partition. It makes no group and commits nothing.

    Raises `KafkaError` when the cluster does not answer, `TimeoutError` after `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        admin = make_admin(bootstrap)
        try:
            await admin.start()
            commits = await read_commits(admin)
            led = _led(await admin.describe_topics())
        finally:
            await admin.close()
        asked = {c.tp for c in commits} & led
        if not asked:
            # A consumer that has nothing to ask is stopped before it has begun, which aiokafka takes for a failure.
            return [partition_lag(commit, {}, {}, now=time.time()) for commit in commits]
        consumer = make_consumer(bootstrap, group=None)
        try:
            await consumer.start()
            consumer.assign(asked)  # else the client hears of their topics one at a time, and waits before each
            consumer.pause(*asked)
            ends = await consumer.end_offsets(sorted(asked))
            stamps = await _read_stamps(consumer, _places(commits, ends), ends)
        finally:
            await consumer.stop()
    return [partition_lag(commit, ends, stamps, now=time.time()) for commit in commits]


def partition_lag(
    commit: Commit, ends: Mapping[TopicPartition, int], stamps: Mapping[Place, float | None], *, now: float
) -> PartitionLag:
    """What a commit says against the partition's end and the timestamp (epoch seconds) of the record at it.

    A commit beyond the end (the topic was made anew) has a negative lag, as in Kafka's own tool, and no seconds.
    """
    tp, committed, end = commit.tp, commit.offset, ends.get(commit.tp)
    lag = None if committed is None or end is None else end - committed
    seconds: float | None = None
    if lag == 0:
        seconds = 0.0
    elif committed is not None:
        stamp = stamps.get((tp, committed))
        seconds = None if stamp is None else max(0.0, now - stamp)
    return PartitionLag(commit.group, tp.topic, tp.partition, committed, end, lag, seconds)


def _led(topics: Iterable[Mapping[str, object]]) -> set[TopicPartition]:
    """The partitions that exist and have a leader: only they can be asked, and asking for no other makes none."""
    return {
        TopicPartition(topic["topic"], partition["partition"])
        for topic in topics
        for partition in topic["partitions"]  # type: ignore[attr-defined]
        if partition["leader"] >= 0
    }


def _places(commits: Iterable[Commit], ends: Mapping[TopicPartition, int]) -> set[Place]:
    return {(c.tp, c.offset) for c in commits if c.offset is not None and c.offset < ends.get(c.tp, 0)}


def rounds(places: Iterable[Place]) -> list[dict[TopicPartition, int]]:
    """The places, so that each round has a partition once: a consumer stands at one offset of each."""
    by_tp: defaultdict[TopicPartition, list[Place]] = defaultdict(list)
    for place in sorted(places):
        by_tp[place[0]].append(place)
    return [dict(p for p in layer if p is not None) for layer in zip_longest(*by_tp.values())]


async def _read_stamps(
    consumer: AIOKafkaConsumer, places: set[Place], ends: Mapping[TopicPartition, int]
) -> dict[Place, float | None]:
    """The timestamp (epoch seconds) of the first record at or after each place, as far as time allows."""
    stamps: dict[Place, float | None] = {}
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            for start in rounds(places):
                await _read_round(consumer, start, ends, stamps)
    except TimeoutError:
        unread = len(places - stamps.keys())
        log.warning("%d of %d first uncommitted records were not read in time: seconds unknown", unread, len(places))
    return stamps


async def _read_round(
    consumer: AIOKafkaConsumer,
    start: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    stamps: dict[Place, float | None],
) -> None:
    consumer.assign(list(start))
    for tp, offset in start.items():
        consumer.seek(tp, offset)  # below the log's start the consumer goes on from there by itself
    waiting = set(start)
    while waiting:
        got = await consumer.getmany(*waiting, timeout_ms=100, max_records=1)
        for tp in list(waiting):
            if records := got.get(tp):
                stamps[tp, start[tp]] = _stamp(records[0], ends[tp])
            elif await consumer.position(tp) >= ends[tp]:
                stamps[tp, start[tp]] = NOTHING_LEFT
            else:
                continue
            waiting.remove(tp)
            consumer.pause(tp)


def _stamp(record: ConsumerRecord, end: int) -> float | None:
    if record.offset >= end:
        return NOTHING_LEFT
    return record.timestamp / 1000 if record.timestamp >= 0 else None
