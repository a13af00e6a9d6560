"""The feeds' keys in the database: read for a batch, used, and not kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.platform.keys.master import MasterKeys, WrappedKey

_KEYS: Final = text("""
    SELECT pseudonym, master, wrapped FROM erasure.keys
    WHERE pseudonym = ANY (string_to_array(:pseudonyms, chr(31)))
""")

_GONE: Final = text("""
    SELECT pseudonym FROM erasure.ledger
    WHERE pseudonym = ANY (string_to_array(:pseudonyms, chr(31))) AND gone IS NOT NULL
""")


class FoundKeys(NamedTuple):
    """What the database knows of some feeds' keys; a pseudonym in neither is not known to it."""

    keys: Mapping[str, bytes]
    gone: Collection[str]
    """Those whose keys were deleted: what they sealed is skipped and counted."""

    def ciphers(self) -> dict[str, AESGCM]:
        """The keys, ready to be used: 2.5 KB each, so not to be kept."""
        return {pseudonym: AESGCM(key) for pseudonym, key in self.keys.items()}


async def find_keys(
    connection: AsyncConnection | AsyncSession, masters: MasterKeys, pseudonyms: Iterable[str]
) -> FoundKeys:
    """The keys of these feeds, now, and of those that have none which are gone. Raises `MasterKeyLostError`."""
    asked = set(pseudonyms)
    rows = (await connection.execute(_KEYS, {"pseudonyms": chr(31).join(asked)})).all()
    keys = {row.pseudonym: masters.unwrap(row.pseudonym, WrappedKey(row.master, row.wrapped)) for row in rows}
    if len(keys) == len(asked):
        return FoundKeys(keys, frozenset())
    gone = await connection.execute(_GONE, {"pseudonyms": chr(31).join(asked - keys.keys())})
    return FoundKeys(keys, frozenset(gone.scalars()))
