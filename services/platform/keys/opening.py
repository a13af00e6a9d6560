"""Sealed events opened with their feeds' keys, as the database has them at this moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.contracts.sealed import EventOfStudent, UnsealError, sealed_for, unseal
from services.contracts.topics import Topic
from services.platform.keys.feed_keys import FoundKeys, find_keys
from services.platform.keys.master import MasterKeys

EventT = TypeVar("EventT", bound=EventOfStudent)


class NoEvent(NamedTuple):
    """Why a value is no event; nothing of what is in it."""

    reason: str
    field: str | None = None


async def open_events(
    connection: AsyncConnection | AsyncSession,
    masters: MasterKeys,
    topic: Topic,
    read: Callable[[bytes], EventT],
    values: Sequence[bytes],
) -> list[EventT | NoEvent | None]:
    """What is in each of the values; None where the key is gone. Raises `MasterKeyLostError`.

    `read` makes an event of JSON, and raises `ValidationError`.
    """
    whose = [_whose(value) for value in values]
    found = await find_keys(connection, masters, {one for one in whose if isinstance(one, str)})
    return [
        one if isinstance(one, NoEvent) else _open(found, topic, read, one, value)
        for one, value in zip(whose, values, strict=True)
    ]


def _whose(value: bytes) -> str | NoEvent:
    try:
        return sealed_for(value)
    except UnsealError as error:
        return NoEvent(str(error))


def _open(
    found: FoundKeys, topic: Topic, read: Callable[[bytes], EventT], pseudonym: str, value: bytes
) -> EventT | NoEvent | None:
    key = found.keys.get(pseudonym)
    if key is None:
        return None if pseudonym in found.gone else NoEvent("its feed never had a key")
    try:
        event = read(unseal(AESGCM(key), topic.name, value))
    except UnsealError as error:
        return NoEvent(str(error))
    except ValidationError as error:
        return _misfit(error)
    return event if event.student == pseudonym else NoEvent("it is of another student than it was sealed for")


def _misfit(error: ValidationError) -> NoEvent:
    """The first wrong field and the kind of the error; never the message, which may quote the input."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return NoEvent(f"not a valid event ({first['type']})", ".".join(str(part) for part in first["loc"]))
