"""A stack's own alerts, opened by who rehearses."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from services.contracts.sealed import UnsealError, seal_event
from services.contracts.topics import ALERTS, Topic
from services.platform.embedded.endpoints import Stack, stack_database
from services.platform.kafka import create_topics
from services.platform.settings import Settings
from services.rehearsal import new_alerts
from services.rehearsal.new_alerts import alert_events
from tests.alert_events import event
from tests.integration.conftest import Students
from tests.integration.running import producing
from tests.sealing import cipher_of


async def test_all_are_read_but_what_was_erased_and_what_is_no_sealed_event_is_told(
    *,
    stack: Stack,
    students: Students,
    master_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = Topic(f"{ALERTS.name}.{uuid4().hex}")
    monkeypatch.setattr(new_alerts, "ALERTS", topic)
    monkeypatch.setattr(new_alerts, "AT_ONCE", 2)
    await create_topics(stack.kafka, partitions=2, replication_factor=1, topics=[topic])
    settings = Settings(
        kafka=stack.kafka, database=SecretStr(stack_database(stack, "ingest")), master_key_file=master_file
    )
    people = [(await students.consented())[0] for _ in range(5)]
    await students.end_consent(people[0])

    async def read() -> set[str]:
        return {each.student async for each in alert_events(settings)}

    async with producing(stack.kafka) as producer:
        for student in people:
            alert = event(student)
            await producer.send_and_wait(topic.name, seal_event(cipher_of(student), topic, alert))
        assert await read() == set(people[1:])
        await producer.send_and_wait(topic.name, event(people[1]).model_dump_json().encode())
        with pytest.raises(UnsealError, match="not a sealed value"):
            await read()
