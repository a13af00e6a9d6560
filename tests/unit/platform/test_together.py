from __future__ import annotations

import asyncio

import pytest

from services.platform.together import together


async def test_all_run_at_once_and_begin_in_their_order() -> None:
    said: list[str] = []
    other = asyncio.Event()

    async def first() -> None:
        said.append("first")
        await other.wait()

    async def second() -> None:
        said.append("second")
        other.set()

    await together(first(), second())
    assert said == ["first", "second"]


async def test_the_first_error_ends_the_others_and_is_raised_as_it_is() -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await together(forever(), fail())
    assert ended.is_set()
