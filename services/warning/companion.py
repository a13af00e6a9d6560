"""What runs beside the stream: the producer, the checkpoints, the feeds' keys, erasures, the HTTP edge."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from mode import Service

from services.platform.kafka import make_producer
from services.warning.changelog import Changelog
from services.warning.erasing import Erasing
from services.warning.http import EdgeServer
from services.warning.worker import Worker


def companion(
    worker: Worker, changelog: Changelog, erasing: Erasing, server: EdgeServer, bootstrap: str
) -> type[Service]:
    """The service class that Faust starts and stops with the app."""

    class Companion(Service):
        """Starts when the table is recovered, and before its windows are read."""

        _producer: AIOKafkaProducer

        def __post_init__(self) -> None:
            self._running: set[asyncio.Future[None]] = set()
            """Checkpoints: a stop waits for them."""

        async def on_start(self) -> None:
            self._producer = make_producer(bootstrap)
            await self._producer.start()
            worker.connect(self._producer)
            self.add_future(server.serve())
            self.add_future(changelog.keep())
            self.add_future(erasing.keep(worker.erase))
            self.add_future(worker.keep_loaded())

        async def on_stop(self) -> None:
            server.should_exit = True
            worker.wait_no_more()
            if self._running:
                await asyncio.wait(self._running)
            await changelog.close()
            await self._producer.stop()
            await erasing.close()

        @Service.task
        async def keep(self) -> None:
            """Evaluate, write, emit and acknowledge, whenever it is time."""
            while not self.should_stop:
                await worker.turn()
                for checkpoint in () if self.should_stop else worker.checkpoints():
                    running = self.add_future(checkpoint)
                    self._running.add(running)
                    running.add_done_callback(self._running.discard)

    return Companion
