"""What the worker asks of the feeds' keys (`services.platform.keys.ring` in a process), and what it skips without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from prometheus_client import Counter

SKIPPED: Final = Counter(
    "firstbell_warning_skipped_total",
    "What was passed over because the feed's key is gone: students' marks in a batch, other values, and stored ones",
    ["topic"],
)


class FeedKeys(Protocol):
    """The feeds' keys, as far as they are at hand."""

    def cipher(self, pseudonym: str) -> AESGCM | None:
        """The feed's cipher; None when its key is gone.

        Raises `KeyAwayError` when it is not at hand now, and `NoKeyError` when it was never made.
        """

    def drop(self, pseudonyms: Iterable[str]) -> None:
        """The keys of these are gone."""

    async def find(self, pseudonyms: Iterable[str]) -> None:
        """Return when each of these is at hand, gone, or known never to have been made."""
