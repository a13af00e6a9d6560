"""The feeds' keys: made with the student, and deleted with it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.contracts.sealed import KEY_BYTES
from services.platform.keys.master import MasterKeys

_BEFORE_ROTATION: Final = text("LOCK TABLE erasure.keys IN ROW EXCLUSIVE MODE")
"""While a rotation of the master key comes to its end nobody has it: what is wrapped after it is by the new one."""
_ADD: Final = text("""
    INSERT INTO erasure.keys (pseudonym, recipient, master, wrapped)
    SELECT pseudonym, :recipient, master, wrapped
    FROM unnest(CAST(:pseudonyms AS text[]), CAST(:masters AS text[]), CAST(:wrapped AS bytea[]))
         AS g (pseudonym, master, wrapped)
    ON CONFLICT DO NOTHING
""")


async def add(connection: AsyncConnection, masters: MasterKeys, recipient: str, pseudonyms: Collection[str]) -> None:
    """Make a key for each of these feeds that has none; raises `MasterKeyLostError`."""
    await connection.execute(_BEFORE_ROTATION)
    made = [masters.wrap(pseudonym, secrets.token_bytes(KEY_BYTES)) for pseudonym in pseudonyms]
    await connection.execute(
        _ADD,
        {
            "recipient": recipient,
            "pseudonyms": list(pseudonyms),
            "masters": [each.master for each in made],
            "wrapped": [each.wrapped for each in made],
        },
    )
