"""The trace in the headers of requests and records."""

from __future__ import annotations

import asyncio

import pytest

from services.platform import trace

GIVEN = f"00-{'a1' * 16}-{'b2' * 8}-01"


def test_a_task_works_for_the_trace_that_it_was_given_and_for_no_other_tasks() -> None:
    async def work(given: str | None) -> trace.Headers:
        trace.begin(given)
        await asyncio.sleep(0)
        return trace.headers()

    async def both() -> list[trace.Headers]:
        return list(await asyncio.gather(work(GIVEN), work(None)))

    given, new = asyncio.run(both())
    assert given == [("traceparent", GIVEN.encode())]
    assert new != given
    assert trace.trace_in(new) is not None
    assert trace.headers() == []


@pytest.mark.parametrize("wrong", ["", "x", GIVEN.upper(), GIVEN + "0", f"00-{'0' * 32}-{'b2' * 8}-01", "Ana Lopez"])
def test_what_is_no_trace_is_not_handed_on(wrong: str) -> None:
    async def work() -> trace.Headers:
        trace.begin(wrong)
        return trace.headers()

    ((_, value),) = asyncio.run(work())
    assert value != wrong.encode()
    assert trace.trace_in([("traceparent", wrong.encode())]) is None


def test_a_record_without_a_trace_has_none() -> None:
    assert trace.trace_in([("other", b"x")]) is None
    assert trace.headers_of(None) == []
