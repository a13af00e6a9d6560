"""Sends what a partition has to say: alerts, what is said of the week, and answers to closes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

from aiokafka import AIOKafkaProducer
from prometheus_client import Counter, Gauge

from services.contracts.alerts import AlertEvent
from services.contracts.marks import DaysEvaluated
from services.contracts.packed import CipherOf
from services.contracts.rejected import Rejected
from services.contracts.risk import ThresholdSet, WeekCounted
from services.contracts.sealed import seal_event
from services.contracts.topics import ALERTS, PROGRESS, REJECTED, RISK_WEEKS, THRESHOLDS
from services.platform.trace import headers_of
from services.warning.capacity import OWNER
from services.warning.keys import SKIPPED
from services.warning.student import Student
from services.warning.waiting import PatientKeys

ALERTS_SENT = Counter("firstbell_warning_alert_events_total", "Alert events acknowledged by Kafka", ["type"])
THRESHOLD = Gauge(
    "firstbell_warning_threshold_log_odds",
    "The score from which an agency's student enters elevated; NaN: none",
    ["agency"],
)
ENTERED = Gauge(
    "firstbell_warning_entered",
    "An agency's new alerts, elevated or urgent, of this school year at its last close",
    ["agency"],
)


class Emitter:
    """Every method returns when Kafka has acknowledged all, and raises `KafkaError` when it did not."""

    def __init__(self, producer: AIOKafkaProducer, partitions: int, keys: PatientKeys) -> None:
        self._producer = producer
        self._keys = keys
        self._partitions = partitions

    async def alerts(
        self, number: int, emitting: Iterable[tuple[Student, Sequence[AlertEvent]]], trace: str | None
    ) -> None:
        """Send the students' events, sealed and in order, with the trace of what caused them.

        Those of a student whose key is gone are dropped. Raises `PartitionLostError` when a wait for keys is ended.
        """
        headers = headers_of(trace)
        receipts = []
        sent = []
        for student, alerts in emitting:
            for alert in alerts:
                value = await self._sealed(alert)
                if value is None:
                    SKIPPED.labels(ALERTS.name).inc()
                    continue
                key = student.pseudonym.encode()
                receipts.append(
                    await self._producer.send(ALERTS.name, value, key=key, partition=number, headers=headers)
                )
                sent.append(alert)
        await asyncio.gather(*receipts)
        for alert in sent:
            ALERTS_SENT.labels(alert.type).inc()

    async def _sealed(self, alert: AlertEvent) -> bytes | None:
        def seal(cipher_of: CipherOf) -> bytes | None:
            cipher = cipher_of(alert.student)
            return None if cipher is None else seal_event(cipher, ALERTS, alert)

        return await self._keys.with_keys(seal, lambda: [alert.student])

    async def say(self, event: WeekCounted | ThresholdSet) -> None:
        """Send what is said of the week: a partition's counts to the owner, the owner's thresholds to all."""
        value = event.model_dump_json().encode()
        if isinstance(event, WeekCounted):
            await self._producer.send_and_wait(RISK_WEEKS.name, value, partition=OWNER)
            return
        show(event)
        for number in range(self._partitions):
            await self._producer.send_and_wait(THRESHOLDS.name, value, partition=number)

    async def reject(self, letters: Iterable[Rejected]) -> None:
        """Put what could not be read among the dead letters."""
        for letter in letters:
            value = letter.model_dump_json().encode()
            await self._producer.send_and_wait(REJECTED.name, value, key=letter.source.encode())

    async def answer(self, number: int, tokens: Iterable[UUID]) -> None:
        """Answer closes."""
        for token in tokens:
            answer = DaysEvaluated(token=token, partition=number)
            await self._producer.send_and_wait(PROGRESS.name, answer.model_dump_json().encode(), partition=number)


def show(found: ThresholdSet) -> None:
    """Make a threshold seen in the metrics."""
    agency = found.agency or ""
    THRESHOLD.labels(agency).set(float("nan") if found.threshold is None else found.threshold)
    ENTERED.labels(agency).set(found.entered)
