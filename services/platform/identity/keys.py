"""The public keys of an issuer, kept for a while and read again when a token names one that is not among them."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

logger = logging.getLogger(__name__)

KEEP_SECONDS: Final = 600.0
"""After so long keys are read again: what the issuer has taken back is not trusted much longer."""
PAUSE_SECONDS: Final = 10.0
"""Between two readings: tokens that name made-up keys do not make us ask the issuer for each."""
TIMEOUT_SECONDS: Final = 5.0


class KeysAwayError(Exception):
    """The issuer's keys cannot be read, so that nobody can be known; it helps to ask again later."""


class PublishedKeys:
    """A JWKS behind a URL or in a file. While it cannot be read, the keys that were read last go on holding."""

    def __init__(self, source: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def current(self) -> KeySet:
        """The keys; raises `KeysAwayError` when they have never been read."""
        if self._keys is None or self._clock() - self._read_at >= KEEP_SECONDS:
            await self.read_again()
        if self._keys is None:
            raise KeysAwayError
        return self._keys

    async def read_again(self) -> None:
        """Read them, unless that was done a moment ago."""
        async with self._reading:
            if self._clock() - self._read_at < PAUSE_SECONDS:
                return
            self._read_at = self._clock()
            try:
                self._keys = KeySet.import_key_set(json.loads(await self._text()))
            except (OSError, httpx.HTTPError, httpx.InvalidURL, JoseError, ValueError, KeyError, TypeError) as error:
                what = type(error).__name__
                logger.warning("the keys of the issuer cannot be read (%s); see FIRSTBELL_OIDC_JWKS", what)

    async def _text(self) -> bytes:
        if not self._source.startswith("https://"):
            return await asyncio.to_thread(Path(self._source).read_bytes)
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            return (await client.get(self._source)).raise_for_status().content


class HeldKeys:
    """Keys that are at hand."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def current(self) -> KeySet:
        """The keys."""
        return self._keys

    async def read_again(self) -> None:
        """There is nothing more to read."""
