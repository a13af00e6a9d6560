"""Where an issuer's keys are had from, and when they are read again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.platform.identity import keys as keys_module
from services.platform.identity.caller import PEOPLE
from services.platform.identity.keys import KEEP_SECONDS, PAUSE_SECONDS, KeysAwayError, PublishedKeys
from services.platform.identity.verifier import InvalidTokenError, TokenVerifier, TrustedIssuer

URL = "https://id.district.example/keys"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Published:
    """An issuer's keys behind a URL, and how often they were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys = [new_key()]
        self.asked = 0
        self.away = False
        self.clock = Clock()
        self.read = PublishedKeys(URL, clock=self.clock)
        transport, client = httpx.MockTransport(self._answer), httpx.AsyncClient
        monkeypatch.setattr(keys_module.httpx, "AsyncClient", lambda **more: client(transport=transport, **more))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url == URL
        self.asked += 1
        await asyncio.sleep(0)  # others come meanwhile
        return httpx.Response(503) if self.away else httpx.Response(200, json=document(*self.keys))

    async def kids(self) -> set[str | None]:
        return {key.kid for key in await self.read.current()}


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def document(*keys: ECKey) -> dict[str, object]:
    return dict(KeySet(list(keys)).as_dict(private=False))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    return Published(monkeypatch)


async def test_keys_are_read_once_and_kept(published: Published) -> None:
    for _ in range(3):
        assert await published.kids() == {published.keys[0].kid}
    assert published.asked == 1


async def test_many_at_once_ask_the_issuer_once(published: Published) -> None:
    await asyncio.gather(*(published.kids() for _ in range(20)))
    assert published.asked == 1


async def test_after_a_while_they_are_read_anew_so_that_a_key_that_was_taken_back_goes(published: Published) -> None:
    await published.kids()
    published.keys = [new_key()]
    published.clock.now += KEEP_SECONDS
    assert await published.kids() == {published.keys[0].kid}


async def test_while_they_cannot_be_read_the_last_ones_hold(published: Published) -> None:
    before = await published.kids()
    published.away = True
    published.clock.now += KEEP_SECONDS
    assert await published.kids() == before


async def test_before_they_were_ever_read_nobody_is_known(published: Published) -> None:
    published.away = True
    with pytest.raises(KeysAwayError):
        await published.kids()
    published.away = False
    published.clock.now += KEEP_SECONDS
    assert await published.kids()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}', '{"keys": 7}'])
async def test_what_is_no_key_set_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(text)
    with pytest.raises(KeysAwayError):
        await PublishedKeys(str(file)).current()


async def test_a_file_is_read_as_well(tmp_path: Path) -> None:
    key, file = new_key(), tmp_path / "jwks.json"
    with pytest.raises(KeysAwayError):
        await PublishedKeys(str(file)).current()
    file.write_text(json.dumps(document(key)))
    assert {one.kid for one in await PublishedKeys(str(file)).current()} == {key.kid}


async def test_a_new_key_is_looked_for_but_a_made_up_one_not_again_and_again(published: Published) -> None:
    verifier = TokenVerifier(TrustedIssuer("i", "a", published.read, PEOPLE))
    await published.kids()
    new = new_key()
    published.keys.append(new)
    published.clock.now += PAUSE_SECONDS
    assert (await verifier.verify(signed(new))).subject == "s"
    assert published.asked == 2
    for _ in range(50):
        with pytest.raises(InvalidTokenError):
            await verifier.verify(signed(new_key()))
    assert published.asked == 2
    published.clock.now += PAUSE_SECONDS
    with pytest.raises(InvalidTokenError):
        await verifier.verify(signed(new_key()))
    assert published.asked == 3


def signed(key: ECKey) -> str:
    claims = {"iss": "i", "aud": "a", "sub": "s", "role": "lead", "exp": 4_000_000_000}
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, claims, key)
