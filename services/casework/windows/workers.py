"""Asks the warning workers for a student's window: the one that owns the partition answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError

from services.casework.settings import CaseworkSettings
from services.platform.identity.trust import as_service
from services.platform.near import near_client

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 5.0
RETRY_AFTER_SECONDS: Final = 2

_object: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class RecoveringError(Exception):
    """No worker has the window now, but one that is away or recovering may have it soon."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("a worker is away or recovering")
        self.retry_after = retry_after
        """Seconds."""


def make_client(settings: CaseworkSettings) -> httpx.AsyncClient:
    """A client for the workers, which know it as casework; raises `SettingsError`."""
    return near_client(settings, auth=as_service(settings, "casework"), timeout=TIMEOUT_SECONDS)


async def ask(client: httpx.AsyncClient, workers: Sequence[str], student: str) -> Mapping[str, JsonValue] | None:
    """The window as its worker gives it, or None when every worker says that it has none.

    Raises `RecoveringError` when nobody has it and a worker could not say.
    """
    answers = await asyncio.gather(*(_ask_one(client, worker, student) for worker in workers))
    windows = [answer for answer in answers if isinstance(answer, dict)]
    if windows:
        return windows[0]
    waits = [answer for answer in answers if isinstance(answer, int)]
    if waits or not workers:
        raise RecoveringError(max(waits, default=RETRY_AFTER_SECONDS))
    return None


async def _ask_one(client: httpx.AsyncClient, worker: str, student: str) -> dict[str, JsonValue] | int | None:
    """The window, None when it is not there, or the seconds after which to ask again."""
    try:
        answer = await client.get(f"{worker}/v1/students/{student}/window")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code == httpx.codes.OK:
            return _object.validate_json(answer.content)
    except (httpx.HTTPError, ValidationError) as error:
        logger.warning("a warning worker did not answer as it should: %s", type(error).__name__)
        return RETRY_AFTER_SECONDS
    retry_after = answer.headers.get("Retry-After", "")
    return int(retry_after) if retry_after.isdecimal() else RETRY_AFTER_SECONDS
