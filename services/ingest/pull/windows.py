"""Which changes are read, and in which order pages are.

Pages are read from the last to the first. What changes while they are read leaves the window of change versions, and
what comes behind it moves towards the first page, which is still to be read: nothing is missed, some rows come twice.
Nothing enters a window, as it has an upper end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.ingest.pull.client import OdsClient, OdsError

PAGE: Final = 500
"""Rows a page: as many as an API gives by its defaults."""


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """Change versions after `done`, up to and with `newest`."""

    done: int
    newest: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing can have changed."""
        return self.newest <= self.done

    @property
    def params(self) -> dict[str, str | int]:
        """As an API is asked for it, which counts both ends in."""
        low: dict[str, str | int] = {"minChangeVersion": self.done + 1} if self.done else {}
        return {**low, "maxChangeVersion": self.newest}


class Page(NamedTuple):
    """Some rows of a resource, and the number of the first one in the window, from 1."""

    first: int
    rows: list[dict[str, object]]


class Available(NamedTuple):
    """Change versions that the API has."""

    oldest: int
    newest: int


async def available(client: OdsClient) -> Available:
    """Which change versions there are."""
    body = (await client.changes("availableChangeVersions")).body
    given = {name.lower(): value for name, value in body.items()} if isinstance(body, dict) else {}
    oldest, newest = given.get("oldestchangeversion", 0), given.get("newestchangeversion")
    if not isinstance(oldest, int) or not isinstance(newest, int):
        raise OdsError("The API does not say which change versions it has. Ask who hosts it.")
    return Available(oldest, newest)


async def total(client: OdsClient, path: str, window: ChangeWindow) -> int:
    """How many rows are in the window now, or a few more where the API does not count them."""
    answer = await client.data(path, {**window.params, "offset": 0, "limit": 1, "totalCount": "true"})
    rows = _rows(answer.body, path)
    if answer.total is not None or not rows:
        return answer.total or 0
    return await _find_end(client, path, window)


async def pages(client: OdsClient, path: str, window: ChangeWindow, rows: int) -> AsyncIterator[Page]:
    """The pages of a window that held so many rows, from the last to the first."""
    for offset in range((rows - 1) // PAGE * PAGE, -1, -PAGE):
        params: Mapping[str, str | int] = {**window.params, "offset": offset, "limit": PAGE}
        found = _rows((await client.data(path, params)).body, path)
        if found:
            yield Page(offset + 1, found)


async def _find_end(client: OdsClient, path: str, window: ChangeWindow) -> int:
    """The number of pages' rows, found by halves: each page is there or is not."""

    async def holds(page: int) -> bool:
        answer = await client.data(path, {**window.params, "offset": page * PAGE, "limit": 1})
        return bool(_rows(answer.body, path))

    low, high = 0, 1
    while await holds(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if await holds(middle) else (low, middle)
    return (low + 1) * PAGE


def _rows(body: object, path: str) -> list[dict[str, object]]:
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise OdsError(f"{path}: the API's answer is no list of objects. Is the address that of an Ed-Fi ODS/API?")
    return body
