"""Running a service in the test's own process, and waiting for what must come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from services.contracts.alerts import AlertEvent
from services.contracts.sealed import seal_event
from services.contracts.topics import ALERTS
from services.platform.kafka import make_producer
from services.platform.processes import poll
from tests.sealing import cipher_of


@asynccontextmanager
async def running(app: FastAPI, auth: httpx.Auth | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Start the application, wait until it is ready, and give a client of it, whose requests say this of who asks."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://app", auth=auth) as client,
    ):
        await until(lambda: answers(client, "/readyz"))
        yield client


def say_death() -> None:
    """In place of the process's end: `/readyz` says it, and the log why."""


async def answers(client: httpx.AsyncClient, path: str) -> bool:
    return (await client.get(path)).status_code == httpx.codes.OK


async def until(look: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    """Wait until `look` is true; fails after `seconds`."""
    assert await poll(look, deadline=seconds), f"it did not come within {seconds} s"


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_producer(bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def sealed(event: AlertEvent) -> bytes:
    """The event as the worker sends it."""
    return seal_event(cipher_of(event.student), ALERTS, event)


async def send(producer: AIOKafkaProducer, *events: AlertEvent | bytes) -> None:
    """Send events to `alerts.v1`, sealed, all to one partition so that their order is kept; bytes as they are."""
    for event in events:
        value = event if isinstance(event, bytes) else sealed(event)
        await producer.send_and_wait(ALERTS.name, value, partition=0)
