"""A database of ingest's own, its settings, and what has reached Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from aiokafka import TopicPartition
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.contracts.sealed import is_sealed, sealed_for, unseal
from services.contracts.topics import TOPICS, Topic
from services.ingest.agreement.document import assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.ingest.settings import IngestSettings
from services.platform.database import make_engine
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.kafka import make_consumer
from services.platform.keys.master import MasterKeys, WrappedKey, new_master_line
from services.platform.schema import migrate
from services.platform.secret_file import load_secret
from services.registry import SERVICES

CONSENT = {
    "agreement_id": "boston-2016",
    "signed_by": "Planted Guardian",
    "relationship": "parent",
    "method": "paper",
    "records": ["attendance", "housing_status"],
    "purpose": "homelessness-prevention",
    "recipients": "dsni; project-hope",
}


class OwnDatabase(NamedTuple):
    """A database of the stack's server, by whom it is asked."""

    stack: Stack
    name: str

    @property
    def owner(self) -> str:
        """The URL of its owner."""
        return _at(self.stack.database, self.name)

    def of(self, service: str) -> str:
        """The URL of a service's role."""
        return _at(stack_database(self.stack, service), self.name)


def _at(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@asynccontextmanager
async def own_database(stack: Stack, *, agreement: bool = True) -> AsyncIterator[OwnDatabase]:
    """A migrated database that no other test writes: the replay clock is everyone's.

    With an `agreement` all is disclosed live.
    """
    name = f"ingest_{uuid4().hex[:12]}"
    admin = create_async_engine(stack.database, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    database = OwnDatabase(stack, name)
    await asyncio.to_thread(migrate, database.owner, SERVICES)
    if agreement:
        await apply_agreement(database.owner, assumed(AGENCY, PURPOSE))
    try:
        yield database
    finally:
        async with admin.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await admin.dispose()


def ingest_settings(kafka: str, database: str, folder: Path, **more: object) -> IngestSettings:
    """Settings with a master key of their own, if the folder has none."""
    settings = IngestSettings.model_validate({"kafka": kafka, "database": database, "data_dir": folder, **more})
    load_secret(settings.master_file, new_master_line, "master key")
    return settings


async def ciphers_of(settings: IngestSettings) -> dict[str, AESGCM]:
    """By which what is about students is sealed now, by pseudonym."""
    masters = MasterKeys.of(settings)
    engine = make_engine(settings.require_database(), service="ingest", pool_size=1)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT pseudonym, master, wrapped FROM erasure.keys"))).all()
    await engine.dispose()
    return {one.pseudonym: AESGCM(masters.unwrap(one.pseudonym, WrappedKey(one.master, one.wrapped))) for one in rows}


def opened(topic: Topic, value: bytes, ciphers: Mapping[str, AESGCM]) -> bytes:
    """The value as it was before it was sealed; as it is, when its key is gone."""
    if not is_sealed(value) or (cipher := ciphers.get(sealed_for(value))) is None:
        return value
    return unseal(cipher, topic.name, value)


class Sent(NamedTuple):
    """One record as it lies in Kafka."""

    partition: int
    key: str | None
    value: bytes | None


async def sent(bootstrap: str, *topics: Topic) -> list[Sent]:
    """Everything in the topics now, in the order of each partition."""
    found: list[Sent] = []
    consumer = make_consumer(bootstrap, group=None)
    await consumer.start()
    try:
        for topic in topics or TOPICS:
            partitions = [TopicPartition(topic.name, p) for p in sorted(await partitions_of(consumer, topic))]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [Sent(r.partition, r.key and r.key.decode(), r.value) for r in records]
    finally:
        await consumer.stop()
    return found


async def partitions_of(consumer: object, topic: Topic) -> set[int]:
    await consumer._client._wait_on_metadata(topic.name)  # type: ignore[attr-defined]
    return consumer.partitions_for_topic(topic.name)  # type: ignore[attr-defined,no-any-return]
