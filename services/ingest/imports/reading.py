"""Rows by chunks: read ahead while others are taken, and taken in lanes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol, TypeVar

from services.ingest.formats import Item, Rejection
from services.ingest.rows.outcomes import Outcome
from services.platform.together import together

CHUNK: Final = 4_000
"""Rows taken at once: a few hundred marks a partition."""
LANES: Final = 2
"""Parts of a chunk that are taken beside each other."""
_SLICE: Final = 100
"""Rows read before anything else may go on."""

T = TypeVar("T")


class RowOfStudent(Protocol):
    """A row of one student."""

    @property
    def student_id(self) -> str:
        """The district's id."""
        ...


StudentRowT = TypeVar("StudentRowT", bound=RowOfStudent)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


async def read_ahead(found: Iterator[T], take: Callable[[list[T]], Awaitable[None]]) -> None:
    """Hand everything over by chunks, in order; while one is taken the next is read. Nothing found: no chunk."""
    chunk: list[T] = []
    await _read(found, chunk)
    while chunk:
        ahead: list[T] = []
        await together(_taken(take, chunk), _read(found, ahead))
        chunk = ahead


async def in_lanes(
    rows: Sequence[StudentRowT], lanes: int, take: Callable[[Sequence[StudentRowT]], Awaitable[list[Outcome]]]
) -> list[Outcome]:
    """Each row's outcome, in order; a student's rows are taken in order, some students' beside others'."""
    parts: list[list[int]] = [[] for _ in range(lanes)]
    for place, row in enumerate(rows):
        parts[hash(row.student_id) % lanes].append(place)
    found: dict[int, Outcome] = {}

    async def taken(places: Sequence[int]) -> None:
        found.update(zip(places, await take([rows[place] for place in places]), strict=True))

    await together(*(taken(places) for places in parts if places))
    return [found[place] for place in range(len(rows))]


def refused(items: Iterable[Item[T]], outcomes: Iterable[Outcome]) -> list[Rejection]:
    """Where the rows are that were rejected when they were taken in."""
    return [
        Rejection(item.file, item.line, outcome.field, outcome.reason or "")
        for item, outcome in zip(items, outcomes, strict=True)
        if outcome.status == "rejected"
    ]


async def _taken(take: Callable[[list[T]], Awaitable[None]], chunk: list[T]) -> None:
    await take(chunk)


async def _read(found: Iterator[T], chunk: list[T]) -> None:
    """Fill the chunk; what is taken meanwhile goes on between its rows."""
    while len(chunk) < CHUNK and (some := list(islice(found, _SLICE))):
        chunk += some
        await asyncio.sleep(0)
