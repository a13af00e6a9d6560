from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.casework.console.app import _console
from services.casework.console.edge import WithConsole
from services.casework.console.request import Desk
from services.casework.console.sign_in.provider import OpenIdProvider
from services.casework.console.sign_in.ways import SignInWay


class NoSessions:
    async def find(self, _: str | None) -> None:
        return None


async def agencies() -> Sequence[str]:
    return ["project-hope"]


def browser(way: SignInWay) -> httpx.AsyncClient:
    nothing = cast("Any", None)
    desk = Desk(cast("Any", NoSessions()), nothing, nothing, ZoneInfo("America/New_York"))
    app = WithConsole(nothing, _console(desk, way, nothing))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


def provided(provider: OpenIdProvider | None) -> SignInWay:
    return SignInWay(None, provider, agencies)


async def test_who_comes_from_a_case_is_led_back_to_it_by_a_link_to_the_provider() -> None:
    provider = OpenIdProvider("https://id.example", "c", None, "https://fb.example/login/callback", httpx.AsyncClient())
    async with browser(provided(provider)) as one:
        first = await one.get("/cases/0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40")
        assert first.status_code == 303
        page = await one.get(first.headers["location"])
    assert page.status_code == 200
    assert 'href="/login/provider?next=%2Fcases%2F0b4f3a52-9d1e-5c55-8f0a-6b7c1d2e3f40"' in page.text
    assert '<form method="post" action="/login"' not in page.text


async def test_without_a_provider_the_page_says_what_is_missing_and_takes_no_token() -> None:
    async with browser(provided(None)) as one:
        page = await one.get("/login", params={"token": "planted"})
        assert "FIRSTBELL_OIDC_CLIENT_ID" in page.text
        assert "firstbell_session" not in page.headers.get("set-cookie", "")


@pytest.mark.parametrize("path", ["/", "/history", "/steward", "/operator", "/stream", "/account"])
async def test_nothing_is_shown_to_who_is_not_signed_in(path: str) -> None:
    async with browser(provided(None)) as one:
        answer = await one.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_form_of_another_site_or_without_its_word_does_nothing() -> None:
    async with browser(provided(None)) as one:
        bare = await one.post("/logout")
        foreign = await one.post("/language", data={"language": "es"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (bare.status_code, foreign.status_code) == (403, 403)
