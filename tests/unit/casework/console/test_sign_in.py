from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.casework.console.edge import policy
from services.casework.console.forms import local_path
from services.casework.console.sessions import ConsoleSession, SignedIn, _seal, _unseal, csrf_of, new_cookie
from services.casework.console.sign_in.provider import Attempt, OpenIdProvider, SignInFailedError

ISSUER = "https://id.example"
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


class Provider:
    """A small OpenID provider that gives a code for what it was asked, and checks what comes back."""

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, str]] = {}
        self.nonce: str | None = None
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.discovery)
        self.app.get("/keys")(self.keys)
        self.app.post("/token")(self.token)

    async def discovery(self) -> dict[str, str]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }

    async def keys(self) -> Any:
        return KeySet([KEY]).as_dict(private=False)

    def authorize(self, address: str) -> str:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        self.codes["c1"] = asked
        return "c1"

    async def token(self, request: Request) -> JSONResponse:
        form = await request.form()
        asked = self.codes.pop(str(form["code"]), None)
        challenge = Attempt("", "", str(form["code_verifier"]), "").challenge
        if asked is None or challenge != asked["code_challenge"] or form["client_secret"] != "hidden":
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"iss": ISSUER, "aud": "console", "exp": int(time.time()) + 60, "nonce": self.nonce or asked["nonce"]}
        id_token = jwt.encode({"alg": "ES256", "kid": KEY.kid}, claims, KEY, algorithms=["ES256"])
        return JSONResponse({"access_token": "at", "id_token": id_token, "expires_in": 300, "refresh_token": "rt"})


@pytest.fixture
async def provider() -> AsyncIterator[tuple[Provider, OpenIdProvider]]:
    there = Provider()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(there.app)) as client:
        yield there, OpenIdProvider(ISSUER, "console", "hidden", "https://fb.example/login/callback", client)


async def test_a_code_is_redeemed_with_its_verifier(provider: tuple[Provider, OpenIdProvider]) -> None:
    there, ours = provider
    attempt = Attempt.new("/cases/1")
    address = await ours.address(attempt)
    assert attempt.verifier not in address
    signed = await ours.redeem(there.authorize(address), attempt)
    assert (signed.token, signed.refresh_token) == ("at", "rt")


async def test_another_verifier_or_nonce_signs_nobody_in(provider: tuple[Provider, OpenIdProvider]) -> None:
    there, ours = provider
    attempt = Attempt.new("/")
    code = there.authorize(await ours.address(attempt))
    with pytest.raises(SignInFailedError) as failed:
        await ours.redeem(code, Attempt.new("/"))
    assert "hidden" not in str(failed.value)
    there.nonce = "of another attempt"
    with pytest.raises(SignInFailedError):
        await ours.redeem(there.authorize(await ours.address(attempt)), attempt)


def test_an_attempt_is_kept_as_it_is() -> None:
    attempt = Attempt.new("/history")
    kept = json.loads(base64.urlsafe_b64decode(attempt.kept() + "=="))
    assert Attempt(**kept) == attempt


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/cases/1?x=1", "/cases/1?x=1"),
        (None, "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
    ],
)
def test_nobody_is_sent_elsewhere(given: str | None, path: str) -> None:
    assert local_path(given) == path


def test_a_token_is_sealed_by_what_the_browser_has() -> None:
    cookie = new_cookie()
    sealed = _seal(cookie, SignedIn("planted-token", datetime.now(UTC), "planted-refresh"))
    assert b"planted" not in sealed
    assert _unseal(cookie, sealed) == ("planted-token", "planted-refresh")
    assert _unseal(new_cookie(), sealed) == ("", None)


def test_a_form_belongs_to_one_session() -> None:
    now = datetime.now(UTC)
    session = ConsoleSession("a", "token", None, now, now)
    assert session.csrf == csrf_of("a") != csrf_of("b")


def test_a_page_runs_no_script_but_its_own() -> None:
    said = policy("n1")
    assert "script-src 'nonce-n1';" in said
    assert "unsafe" not in said
