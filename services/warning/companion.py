"""What runs beside the stream: the producer, the tellings, the write-behind, the HTTP edge."""

from __future__ import annotations

import asyncio

import faust
from mode import Service

from services.warning.http import EdgeServer, owned_partitions, recovering
from services.warning.worker import FLUSH_SECONDS, Worker


def companion(app: faust.App, worker: Worker, server: EdgeServer, bootstrap: str) -> type[Service]:
    """The service class that Faust starts and stops with the app."""

    class Companion(Service):
        """Starts before the stream, so that the edge can say that windows are being recovered."""

        def __post_init__(self) -> None:
            # Held while something is being sent: a stop waits for it.
            self._telling, self._flushing = asyncio.Lock(), asyncio.Lock()

        async def on_start(self) -> None:
            await worker.start(bootstrap)
            self.add_future(server.serve())

        async def on_stop(self) -> None:
            server.should_exit = True
            async with self._telling, self._flushing:
                await worker.stop()

        @Service.task
        async def tell(self) -> None:
            """Send alerts, and answers to closes, as they come."""
            while not self.should_stop:
                await worker.something_to_tell()
                async with self._telling:
                    if not self.should_stop:
                        await worker.tell()

        @Service.task
        async def flush(self) -> None:
            """Write behind; and load what is owned, for it may have alerts that were not sent yet."""
            while not self.should_stop:
                await self.sleep(FLUSH_SECONDS)
                async with self._flushing:
                    if not (self.should_stop or recovering(app)):
                        worker.load(owned_partitions(app))
                        await worker.flush_due()

    return Companion
