"""Rows by chunks: nothing is lost or reordered, and a student's rows stay in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from services.ingest.imports.reading import CHUNK, in_lanes, read_ahead
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, Outcome
from services.ingest.rows.records import GradeRow


@pytest.mark.parametrize("number", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
async def test_everything_is_handed_over_in_order(number: int) -> None:
    chunks: list[list[int]] = []

    async def take(chunk: list[int]) -> None:
        chunks.append(chunk)

    await read_ahead(iter(range(number)), take)
    assert [one for chunk in chunks for one in chunk] == list(range(number))
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks)


async def test_the_next_chunk_is_read_while_one_is_taken_and_no_more() -> None:
    read, is_read = 0, asyncio.Event()

    def rows() -> Iterator[int]:
        nonlocal read
        for one in range(5 * CHUNK):
            read += 1
            if read % CHUNK == 0:
                is_read.set()
            yield one

    ahead: list[int] = []

    async def take(chunk: list[int]) -> None:
        is_read.clear()
        if chunk[-1] + 1 < 5 * CHUNK:
            await is_read.wait()
        ahead.append(read - chunk[-1] - 1)

    await read_ahead(rows(), take)
    assert ahead == [CHUNK] * 4 + [0]


async def test_an_error_while_reading_or_taking_is_raised_as_it_is() -> None:
    async def take(_: list[int]) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await read_ahead(iter(range(3)), take)


async def test_lanes_keep_each_students_order_and_the_outcomes_places() -> None:
    rows = [GradeRow(f"S{number % 7}", "M7", "T1", str(number)) for number in range(100)]
    seen: dict[str, list[int]] = {}

    async def take(some: Sequence[GradeRow]) -> list[Outcome]:
        outcomes = []
        for row in some:
            await asyncio.sleep(0)
            seen.setdefault(row.student_id, []).append(int(row.grade))
            outcomes.append(ACCEPTED if int(row.grade) % 2 else DUPLICATE)
        return outcomes

    outcomes = await in_lanes(rows, 2, take)
    assert [one.status for one in outcomes] == ["duplicate", "accepted"] * 50
    assert seen == {f"S{one}": list(range(one, 100, 7)) for one in range(7)}
