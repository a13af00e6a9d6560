"""What our own clients send with each request: a short token, signed anew before it ends."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Final

import httpx

from services.platform.identity.own_issuer import Grant, OwnIssuer

SECONDS: Final = 120
_RENEW_SECONDS: Final = 60


class SignedRequests(httpx.Auth):
    """Adds the header; pass it as `auth` to an httpx client."""

    def __init__(self, issuer: OwnIssuer, grant: Grant) -> None:
        self._issuer = issuer
        self._grant = grant
        self._token = ""
        self._signed_at = float("-inf")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One try: what is refused stays refused."""
        if time.monotonic() - self._signed_at >= _RENEW_SECONDS:
            self._token = self._issuer.sign(self._grant, seconds=SECONDS)
            self._signed_at = time.monotonic()
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
