"""The one place that makes Kafka clients and creates topics."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from services.contracts.topics import DAY_MS, TOPICS, WINDOWS_CHANGELOG, Topic

MAX_RECORD_BYTES = 900_000
"""Records are kept below the broker's default limit of 1 MB."""


def make_producer(bootstrap: str, *, linger_ms: int = 0, transactional_id: str | None = None) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas; not yet started.

    A send that gets no acknowledgement within 40 s raises `KafkaError`.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        transactional_id=transactional_id,
        linger_ms=linger_ms,
        max_request_size=1_000_000,
        max_batch_size=262_144,
    )


def make_consumer(bootstrap: str, *topics: str, group: str | None) -> AIOKafkaConsumer:
    """A consumer that starts at the earliest record and commits only when asked to; not yet started."""
    return AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )


def make_admin(bootstrap: str) -> AIOKafkaAdminClient:
    """A client that lists, describes and creates; not yet started."""
    return AIOKafkaAdminClient(bootstrap_servers=bootstrap)


async def create_topics(
    bootstrap: str, *, partitions: int, replication_factor: int, topics: Iterable[Topic] = (*TOPICS, WINDOWS_CHANGELOG)
) -> None:
    """Create the topics that are not there yet; raises `KafkaError` when the broker refuses one."""
    admin = make_admin(bootstrap)
    await admin.start()
    try:
        response = await admin.create_topics(
            [NewTopic(t.name, partitions, replication_factor, topic_configs=t.config) for t in topics]
        )
        for name, code, *message in response.topic_errors:
            if code not in (0, TopicAlreadyExistsError.errno):
                raise for_code(code)(f"topic {name}: {message}")
    finally:
        await admin.close()


async def set_retention(bootstrap: str, topics: Iterable[Topic], days: int) -> None:
    """Keep records of these topics for so many days; raises `KafkaError` when the broker refuses."""
    kept = {"retention.ms": str(days * DAY_MS)}
    admin = make_admin(bootstrap)
    await admin.start()
    try:
        # All of a topic's settings are given: what is left out would go back to the broker's own.
        resources = [ConfigResource(ConfigResourceType.TOPIC, t.name, t.config | kept) for t in topics]
        for response in await admin.alter_configs(resources):
            for code, message, _, name in response.resources:
                if code:
                    raise for_code(code)(f"topic {name}: {message}")
    finally:
        await admin.close()
