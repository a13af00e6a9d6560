"""How long a caller goes on trying while Kafka or the database is away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from aiokafka.errors import KafkaError
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import DBAPIError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from services.platform.consent import DATABASE_AWAY
from services.platform.errors import OperatorError

T = TypeVar("T")
log = logging.getLogger(__name__)

_DEADLOCKS: Final = 5


class UnavailableError(OperatorError):
    """Kafka did not acknowledge, or the database did not answer, in time; sending again is harmless."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} does not answer. Look at `firstbell doctor`; what was sent may be sent again.")
        self.part = part


def unavailable(error: BaseException) -> UnavailableError | None:
    """The error as `UnavailableError` when a dependency is away, else None."""
    if isinstance(error, UnavailableError):
        return error
    if isinstance(error, KafkaError):
        return UnavailableError("Kafka")
    lost = isinstance(error, DATABASE_AWAY) or (isinstance(error, DBAPIError) and error.connection_invalidated)
    return UnavailableError("The database") if lost else None


def _unless_deadlocked(state: RetryCallState) -> bool:
    """Whether to stop: not after a deadlock, of which one side is rolled back and goes on when it tries again."""
    error = state.outcome.exception() if state.outcome else None
    deadlocked = isinstance(error, DBAPIError) and isinstance(error.orig, DeadlockDetected)
    return not deadlocked or state.attempt_number >= _DEADLOCKS


@dataclass(frozen=True, slots=True)
class Patience:
    """Try again, ever more slowly, for so many seconds; 0 means once."""

    seconds: float = 0
    notice: Callable[[str], None] | None = None
    """Called with plain words before each new try."""

    def _stop(self, state: RetryCallState) -> bool:
        return _unless_deadlocked(state) and stop_after_delay(self.seconds)(state)

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of the work, which must be safe to repeat; raises `UnavailableError` in the end."""
        retrying = AsyncRetrying(
            stop=self._stop,
            wait=wait_random_exponential(multiplier=0.5, max=15),
            retry=retry_if_exception(lambda error: unavailable(error) is not None),
            before_sleep=self._tell,
            reraise=True,
        )

        async def attempt() -> T:
            return await work()

        try:
            return await retrying(attempt)
        except Exception as error:
            away = unavailable(error)
            if away is None:
                raise
            raise away from error

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        away = unavailable(error) if error else None
        text = f"{away.part if away else 'A dependency'} does not answer; try {state.attempt_number + 1} follows"
        log.warning(text)
        if self.notice:
            self.notice(text)
