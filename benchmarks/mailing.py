"""Alerts fed to the notify process of a running stack, plain aiosmtplib beside it, and the CPU that each takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil
from aiokafka import AIOKafkaProducer
from aiosmtplib import SMTP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.alerts import AlertEvent, Reason
from services.contracts.ids import Pseudonym, alert_id, event_id
from services.contracts.sealed import seal_event
from services.contracts.topics import ALERTS
from services.ingest.store import keys
from services.platform.embedded.endpoints import Stack
from services.platform.kafka import make_producer
from services.platform.keys.feed_keys import find_keys
from services.platform.keys.master import MasterKeys
from services.platform.processes import ProcessError, poll
from services.platform.settings import Settings

DAY: Final = date(2026, 11, 23)
PATIENCE: Final = 600
"""Seconds for some mails to be sent."""
_STUDENT: Final = text(
    "INSERT INTO ingest.students (pseudonym, student_id, agency, slot, consent_from) "
    "VALUES (:student, :student, 'project-hope', 1, :day)"
)
_SENT: Final = text("SELECT count(*) FROM notify.outbox WHERE status = 'sent'")


async def mail_alerts(stack: Stack, engine: AsyncEngine, mails: int, at_once: int) -> float:
    """Milliseconds of notify's CPU a mail: of `at_once` new alerts each time, the next when those are mailed."""
    ciphers = await _make_students(engine, MasterKeys.of(Settings(data_dir=stack.data_dir)), mails)
    events = [_raised(student) for student in ciphers]
    process = psutil.Process(stack.pid("notify"))
    producer = make_producer(stack.kafka)
    await producer.start()
    try:
        before = _cpu_seconds(process)
        for first in range(0, mails, at_once):
            await _send_and_settle(producer, engine, events[first : first + at_once], ciphers)
        return 1000 * (_cpu_seconds(process) - before) / mails
    finally:
        await producer.stop()


def kept_mails(folder: Path, most: int) -> list[EmailMessage]:
    """So many of the mails that the sink keeps, as they were composed."""
    found = sorted(folder.glob("*.eml"))[:most]
    messages = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]
    for message in messages:
        del message["Delivered-To"]
    return messages


async def send_plainly(address: str, messages: Sequence[EmailMessage]) -> float:
    """Milliseconds of this process's CPU a mail, when aiosmtplib sends them one after the other over one connection."""
    host, _, port = address.rpartition(":")
    async with SMTP(hostname=host, port=int(port)) as client:
        before = time.process_time()
        for message in messages:
            await client.send_message(message)
        return 1000 * (time.process_time() - before) / len(messages)


async def _make_students(engine: AsyncEngine, masters: MasterKeys, count: int) -> Mapping[str, AESGCM]:
    """New students with a consent in force, and the ciphers of their feeds."""
    students = [Pseudonym(uuid4().hex[:22]) for _ in range(count)]
    async with engine.begin() as connection:
        await connection.execute(_STUDENT, [{"student": student, "day": DAY} for student in students])
        await keys.add(connection, masters, "project-hope", students)
        return (await find_keys(connection, masters, students)).ciphers()


def _raised(student: str) -> AlertEvent:
    alert = alert_id(Pseudonym(student), DAY)
    reasons = [
        Reason(
            rule="streak",
            kind="absences in a row",
            level="watch",
            text="Absent 3 days in a row.",
            dates=[DAY],
            usual="0 absences",
            clears="Two days present",
        ),
        Reason(
            rule="year_rate",
            kind="absences this year",
            level="elevated",
            text="Absent on 12 of 52 days.",
            dates=[DAY],
            usual=None,
            clears="A rate below 20%",
        ),
    ]
    return AlertEvent(
        type="AlertRaised",
        event_id=event_id(alert, 1, "AlertRaised", DAY),
        alert_id=alert,
        seq=1,
        student=student,
        school_id="dearborn",
        level="elevated",
        raised_on=DAY,
        changed_on=DAY,
        reasons=reasons,
        caused_at=datetime.now(UTC),
    )


async def _send_and_settle(
    producer: AIOKafkaProducer, engine: AsyncEngine, events: Sequence[AlertEvent], ciphers: Mapping[str, AESGCM]
) -> None:
    before = await _sent(engine)
    for event in events:
        sealed = seal_event(ciphers[event.student], ALERTS, event)
        await producer.send(ALERTS.name, sealed, key=event.student.encode())
    await producer.flush()

    async def sent() -> bool:
        return await _sent(engine) >= before + len(events)

    if not await poll(sent, deadline=PATIENCE, interval=0.02):
        raise ProcessError(f"{await _sent(engine) - before} of {len(events)} mails were sent in {PATIENCE} s")


async def _sent(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(_SENT)).scalar_one())


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
