"""What every consumer group of the cluster has committed, and which partitions it holds without a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupIdNotFound,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from tenacity import retry, retry_if_exception_type, wait_fixed

from services.platform.group_describe import ConsumerGroupDescribeRequest

SHARE = "share"
"""A share group's progress is kept record by record; it has no committed offset to be behind."""
CONSUMER = "consumer"
DEAD = "Dead"

_MOVING = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
"""What a broker says of groups for a moment after it, or another broker, has started or stopped."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A group's place in one partition; `offset` is None when it holds the partition and never committed."""

    group: str
    tp: TopicPartition
    offset: int | None


@retry(retry=retry_if_exception_type(_MOVING), wait=wait_fixed(0.2))
async def read_commits(admin: AIOKafkaAdminClient) -> list[Commit]:
    """Every group's commits, by group, topic and partition; asks only, so it makes no group.

    It waits while groups move between brokers, so call it under a timeout. Raises `KafkaError`.
    """
    listed = sorted((name, kind) for name, kind in await admin.list_consumer_groups() if kind != SHARE)
    found = await asyncio.gather(*(_group_commits(admin, name, kind) for name, kind in listed))
    return [commit for commits in found for commit in commits]


async def _group_commits(admin: AIOKafkaAdminClient, group: str, kind: str) -> list[Commit]:
    coordinator = await admin.find_coordinator(group)
    offsets = await _offsets(admin, group, coordinator)
    if kind == CONSUMER:
        for tp in await _assigned(admin, group, coordinator):
            offsets.setdefault(tp, None)
    return [Commit(group, tp, offsets[tp]) for tp in sorted(offsets)]


async def _offsets(admin: AIOKafkaAdminClient, group: str, coordinator: int) -> dict[TopicPartition, int | None]:
    # Asked for by hand: the admin client's own method takes an error of the whole answer for "no commits".
    answer = await admin._client.send(coordinator, OffsetFetchRequest(group, None))
    if answer.error_code:
        raise for_code(answer.error_code)(f"the commits of group {group} cannot be read")
    return {
        TopicPartition(topic, partition): offset
        for topic, partitions in answer.topics
        for partition, offset, _metadata, code in partitions
        if offset >= 0 and not code
    }


async def _assigned(admin: AIOKafkaAdminClient, group: str, coordinator: int) -> list[TopicPartition]:
    # One group a request: aiokafka 0.14 reads a second group of one answer at the wrong place.
    [answer] = await admin.describe_consumer_groups([group], group_coordinator_id=coordinator)
    [(code, _, state, _, _, members, *_)] = answer.groups
    if code:
        raise for_code(code)(f"group {group} cannot be described")
    if state == DEAD:
        return await _assigned_by_broker(admin, group, coordinator)
    return _decode(assignment for *_, assignment in members)


def _decode(assignments: Iterable[bytes]) -> list[TopicPartition]:
    """The partitions in the members' assignments; a member that is still joining has an empty one."""
    return [tp for raw in assignments if raw for tp in ConsumerProtocolMemberAssignment.decode(raw).partitions()]


async def _assigned_by_broker(admin: AIOKafkaAdminClient, group: str, coordinator: int) -> list[TopicPartition]:
    """The same for a group whose partitions the broker assigns (KIP-848), which the older request shows as dead."""
    answer = await admin._client.send(coordinator, ConsumerGroupDescribeRequest(group))
    [described] = answer.groups
    code, members = described[0], described[7]
    if code == GroupIdNotFound.errno:
        return []
    if code:
        raise for_code(code)(f"group {group} cannot be described")
    return [
        TopicPartition(topic, partition)
        for member in members
        for _, topic, partitions, _ in member[8][0]
        for partition in partitions
    ]
