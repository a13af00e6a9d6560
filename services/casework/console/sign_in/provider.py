"""Signing in by an OpenID provider: the authorization code flow with PKCE (RFC 7636, OpenID Connect Core 3.1)."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.casework.console.sessions import SignedIn, as_base64

SCOPE: Final = "openid profile offline_access"
TIMEOUT_SECONDS: Final = 10.0
SKEW_SECONDS: Final = 60
_SECRET_BYTES: Final = 32
ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")


class SignInFailedError(Exception):
    """The provider refused, or what it sent does not hold; the message names neither token nor secret."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the browser keeps from the way to the provider to the way back."""

    state: str
    nonce: str
    verifier: str
    onward: str

    @classmethod
    def new(cls, onward: str) -> Attempt:
        """With secrets of its own."""
        state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
        return cls(state, nonce, verifier, onward)

    def kept(self) -> str:
        """As a cookie's value."""
        return as_base64(json.dumps(asdict(self)).encode())

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        return as_base64(sha256(self.verifier.encode()).digest())


class OpenIdProvider:
    """The provider, as its discovery document describes it."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, redirect_uri: str, client: httpx.AsyncClient
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._secret = client_secret
        self._redirect_uri = redirect_uri
        self._client = client
        self._found: Mapping[str, Any] | None = None

    async def address(self, attempt: Attempt) -> str:
        """Where to send the browser; raises `SignInFailedError` when the provider does not answer."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{(await self._discovered())['authorization_endpoint']}?{urlencode(query)}"

    async def redeem(self, code: str, attempt: Attempt) -> SignedIn:
        """The tokens for a code; raises `SignInFailedError`."""
        found = await self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect_uri,
                "code_verifier": attempt.verifier,
            }
        )
        await self._check_identity(str(found.get("id_token", "")), attempt.nonce)
        return _signed_in(found)

    async def renewed(self, refresh_token: str) -> SignedIn | None:
        """Tokens for a refresh token; None when the provider gives none."""
        try:
            return _signed_in(await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token}))
        except SignInFailedError:
            return None

    async def _ask(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        given = {**form, "client_id": self._client_id} | (
            {} if self._secret is None else {"client_secret": self._secret}
        )
        try:
            answer = await self._client.post((await self._discovered())["token_endpoint"], data=given)
            found = answer.json()
        except (httpx.HTTPError, ValueError):
            raise SignInFailedError("The identity provider does not answer.") from None
        if not answer.is_success or not isinstance(found, dict):
            raise SignInFailedError("The identity provider refused the sign-in.")
        return found

    async def _discovered(self) -> Mapping[str, Any]:
        if self._found is None:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            try:
                found = (await self._client.get(url)).raise_for_status().json()
            except (httpx.HTTPError, ValueError):
                raise SignInFailedError("The identity provider does not answer.") from None
            if found.get("issuer") != self._issuer:
                raise SignInFailedError("The identity provider names itself otherwise than FIRSTBELL_OIDC_ISSUER.")
            self._found = found
        return self._found

    async def _check_identity(self, id_token: str, nonce: str) -> None:
        """Raises `SignInFailedError` unless the ID token is the provider's, for us, and of this attempt."""
        try:
            answer = await self._client.get((await self._discovered())["jwks_uri"])
            claims = jwt.decode(id_token, KeySet.import_key_set(answer.json()), algorithms=list(ALGORITHMS)).claims
            jwt.JWTClaimsRegistry(
                leeway=SKEW_SECONDS,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError):
            raise SignInFailedError("What the identity provider sent does not hold.") from None


def _signed_in(found: Mapping[str, Any]) -> SignedIn:
    if not found.get("access_token"):
        raise SignInFailedError("The identity provider gave no access token.")
    until = datetime.fromtimestamp(time.time() + float(found.get("expires_in", 0)), UTC)
    return SignedIn(str(found["access_token"]), until, found.get("refresh_token"))
