"""What runs beside the stream starts before it, and a stop ends it in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from services.warning import companion as module
from services.warning.companion import companion


class Beside:
    """The worker, the changelog, the edge and the producer at once: each notes its steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.due = asyncio.Event()
        self.begun, self.written, self.leaving = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @property
    def should_exit(self) -> bool:
        """Whether the edge was told to end."""
        return self.leaving.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        assert value
        self.leaving.set()

    async def start(self) -> None:
        self.steps.append("producer started")

    async def stop(self) -> None:
        self.steps.append("producer stopped")

    def connect(self, producer: object) -> None:
        assert producer is self
        self.steps.append("worker connected")

    async def serve(self) -> None:
        return

    async def keep(self, *_: object) -> None:
        return

    async def keep_loaded(self) -> None:
        return

    async def erase(self) -> None:
        return

    def wait_no_more(self) -> None:
        self.steps.append("keys not waited for")

    async def close(self) -> None:
        self.steps.append("closed")

    async def turn(self) -> None:
        await self.due.wait()
        self.due.clear()

    def checkpoints(self) -> list[Coroutine[None, None, None]]:
        return [self._checkpoint()]

    async def _checkpoint(self) -> None:
        self.steps.append("checkpoint begun")
        self.begun.set()
        await self.written.wait()
        self.steps.append("checkpoint done")


async def test_a_stop_waits_for_a_checkpoint_and_then_closes_what_it_writes_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside = Beside()
    monkeypatch.setattr(module, "make_producer", lambda _: beside)
    service = companion(beside, beside, beside, beside, "nowhere:1")()  # type: ignore[arg-type]
    await service.start()
    assert beside.steps == ["producer started", "worker connected"]

    beside.due.set()
    await beside.begun.wait()
    stopping = asyncio.create_task(service.stop())
    await beside.leaving.wait()
    assert "closed" not in beside.steps
    beside.written.set()
    await stopping

    assert beside.steps[2:] == [
        "checkpoint begun",
        "keys not waited for",
        "checkpoint done",
        "closed",
        "producer stopped",
        "closed",
    ]
