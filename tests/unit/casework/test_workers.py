from __future__ import annotations

import httpx
import pytest

from services.casework.settings import CaseworkSettings
from services.casework.windows.workers import RecoveringError, ask

A, B = "http://a", "http://b"


def client(answers: dict[str, httpx.Response | Exception]) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        found = answers[request.url.host]
        if isinstance(found, Exception):
            raise found
        return found

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def test_the_worker_that_has_the_window_answers_even_when_another_is_away() -> None:
    window = await ask(
        client({"a": httpx.ConnectError("away"), "b": httpx.Response(200, json={"as_of": "2016-12-05"})}), (A, B), "s"
    )
    assert window == {"as_of": "2016-12-05"}


async def test_nobody_has_it_when_all_say_so() -> None:
    assert await ask(client({"a": httpx.Response(404), "b": httpx.Response(404)}), (A, B), "s") is None


@pytest.mark.parametrize(
    "other", [httpx.ConnectError("away"), httpx.Response(500), httpx.Response(200, text="no json"), httpx.Response(503)]
)
async def test_it_is_not_known_while_one_worker_cannot_say(other: httpx.Response | Exception) -> None:
    with pytest.raises(RecoveringError):
        await ask(client({"a": httpx.Response(404), "b": other}), (A, B), "s")


async def test_the_workers_own_wait_is_passed_on() -> None:
    with pytest.raises(RecoveringError) as caught:
        await ask(client({"a": httpx.Response(503, headers={"Retry-After": "9"})}), (A,), "s")
    assert caught.value.retry_after == 9


async def test_without_a_worker_it_is_not_known() -> None:
    with pytest.raises(RecoveringError):
        await ask(client({}), (), "s")


def test_the_workers_are_those_named_else_the_one_on_this_machine() -> None:
    assert CaseworkSettings(warning_urls="http://a/, http://b", warning_port=1).workers == ("http://a", "http://b")
    assert CaseworkSettings(warning_urls="", warning_port=7).workers == ("http://127.0.0.1:7",)
    assert CaseworkSettings(warning_urls="", warning_port=0).workers == ()
