"""A producer that shuts out those of the same name before it, without transactions.

Kafka gives a transactional id's producers one producer id and each a higher epoch, and a partition's leader refuses
batches of a lower epoch than it has seen of that id (`ProducerFenced`): also those of a producer that never began a
transaction. So from the first record on that this producer has written to a partition, its predecessors cannot write
there. Nothing is transactional about its batches: no markers, no `read_committed`, no more round trips than without.

The leader forgets a producer id that wrote nothing for `producer.id.expiration.ms` (a day), and the coordinator a
name that nobody took for `transactional.id.expiration.ms` (a week): whoever wants to stay takes the name anew in time.

This is the one module that knows aiokafka from inside.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer

from services.platform.kafka import make_producer

START_SECONDS = 30
"""A start that takes longer has failed: the transaction coordinator does not answer, say."""


async def start_fencing_producer(bootstrap: str, name: str) -> AIOKafkaProducer:
    """Start a producer whose first record in a partition shuts out those of this name before it, there.

    Raises `KafkaError`, or `TimeoutError` when the coordinator does not answer.
    """
    producer = make_producer(bootstrap, transactional_id=name)
    try:
        async with asyncio.timeout(START_SECONDS):
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    # It has its id and epoch now. Without the name it goes on as any idempotent producer.
    producer._txn_manager.transactional_id = None
    return producer
