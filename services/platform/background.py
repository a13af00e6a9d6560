"""Tasks that live as long as their process."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine

from services.platform.errors import OperatorError

logger = logging.getLogger(__name__)

CANCEL_AGAIN_SECONDS = 15
"""Longer than a task takes to clean up."""


def interrupt() -> None:
    """Ask uvicorn to shut down as Ctrl-C would; `main` then exits with the status that says why."""
    signal.raise_signal(signal.SIGINT)


class Background:
    """Runs coroutines that must never end; when one does, the process is asked to stop.

    `died` is then the name of the task, and `main` exits with 1, so that the supervisor starts anew: half a
    service that answers `/healthz` and does nothing is worse than none.
    """

    def __init__(self, on_death: Callable[[], None] = interrupt) -> None:
        self.died: str | None = None
        self._on_death = on_death
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Run `work` until `stop`."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Cancel what runs and wait until it has cleaned up."""
        tasks = set(self._tasks)
        while tasks:
            for task in tasks:
                task.cancel()
            # Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes just as it would return.
            _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_SECONDS)

    async def check(self) -> str | None:
        """A readiness check: nothing has died."""
        return None if self.died is None else f"{self.died} has ended; the process stops and is to be started again"

    def exit_status(self) -> int:
        """0, or 1 when a task died."""
        return 0 if self.died is None else 1

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, OperatorError):  # its message says all
            logger.critical("%s has ended; the process stops: %s", task.get_name(), error)
        else:
            logger.critical("%s has ended; the process stops", task.get_name(), exc_info=error)
        self.died = task.get_name()
        self._on_death()
