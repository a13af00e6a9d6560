"""Bodies: JSON whole, NDJSON as it arrives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.api.answers import Answer, answer
from services.ingest.api.bodies import LINES_AT_ONCE, UNREADABLE, Entries, entries
from services.ingest.rows.outcomes import ACCEPTED, DUPLICATE, Outcome
from services.platform.http import ProblemError

LIMIT = 2_000


def request(media_type: str | None, *parts: bytes) -> Request:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    queue = iter(messages)

    async def receive() -> dict[str, object]:
        return next(queue)

    headers = [] if media_type is None else [(b"content-type", media_type.encode())]
    return Request({"type": "http", "headers": headers}, receive)


async def read(media_type: str | None, *parts: bytes) -> list[Entries]:
    found: AsyncIterator[Entries] = entries(request(media_type, *parts), LIMIT, 100)
    return [some async for some in found]


async def test_one_object_and_an_array_are_read_alike() -> None:
    assert await read("application/json", b'{"a"', b": 1}") == [[{"a": 1}]]
    assert await read("application/json; charset=utf-8", b'[{"a": 1}, 2]') == [[{"a": 1}, 2]]
    assert await read(None, b"[]") == []


@given(st.lists(st.integers(0, 10**6), max_size=30), st.integers(1, 9))
async def test_ndjson_is_the_same_however_it_is_cut(numbers: list[int], size: int) -> None:
    body = b"\n".join(json.dumps({"n": number}).encode() for number in numbers)
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    found = await read("application/x-ndjson", *parts)
    assert [entry for some in found for entry in some] == [{"n": number} for number in numbers]


async def test_a_byte_order_mark_is_not_part_of_what_is_sent() -> None:
    assert await read("application/x-ndjson", b"\xef\xbb\xbf1\n2") == [[1], [2]]
    assert await read("application/json", b'\xef\xbb\xbf{"a": 1}') == [[{"a": 1}]]


async def test_ndjson_is_handed_on_as_it_arrives() -> None:
    assert await read("application/x-ndjson", b"1\n2\n", b"3", b"\n\n4") == [[1, 2], [3], [4]]
    (first, second) = await read("application/x-ndjson", b"1\n" * (LINES_AT_ONCE + 1))
    assert (len(first), len(second)) == (LINES_AT_ONCE, 1)


async def test_a_line_that_cannot_be_read_is_only_that_line() -> None:
    long = b'"' + b"x" * 300 + b'"'
    bad = [b"{", b"\xff", long, b"[" * 100]
    found = await read("application/x-ndjson", b"\n".join([b"1", *bad, b"2"]))
    assert [entry for some in found for entry in some] == [1, *[UNREADABLE] * 4, 2]


@pytest.mark.parametrize("size", [1, 7, 99, 1000])
async def test_a_line_without_end_is_not_kept(size: int) -> None:
    body = b"1\n" + b"x" * 500 + b"\n2\n" + b"y" * 500
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    found = await read("application/x-ndjson", *parts)
    assert [entry for some in found for entry in some] == [1, UNREADABLE, 2, UNREADABLE]


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("application/json", b'{"name": "Secret"', 400),
        ("application/json", b"Secret", 400),
        ("application/json", b'"Secret"', 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"[" * 1_500, 400),
        ("application/json", b" " * LIMIT + b"[]", 413),
        ("text/csv", b"Secret", 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem_that_repeats_nothing(
    media_type: str, body: bytes, status: int
) -> None:
    with pytest.raises(ProblemError) as caught:
        await read(media_type, body)
    assert caught.value.status == status
    assert "Secret" not in caught.value.detail


@pytest.mark.parametrize("number", [0, 1, 2_500])
def test_an_answer_in_pieces_is_the_whole_answer(number: int) -> None:
    outcomes = [Outcome("accepted", student="p"), DUPLICATE, ACCEPTED] * number
    whole = Answer.model_validate_json(b"".join(answer(outcomes)))
    assert (whole.accepted, whole.duplicate, whole.rejected) == (2 * number, number, 0)
    assert [one.index for one in whole.results] == list(range(3 * number))
    assert [one.status for one in whole.results] == [one.status for one in outcomes]
