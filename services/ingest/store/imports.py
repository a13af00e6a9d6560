"""Imports that have not come to their end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BEGIN = text("""
    INSERT INTO ingest.imports AS i (fingerprint, as_of) VALUES (:fingerprint, :as_of)
    ON CONFLICT (fingerprint) DO UPDATE SET as_of = CASE WHEN :anew THEN excluded.as_of ELSE i.as_of END
    RETURNING as_of
""")

_END = text("DELETE FROM ingest.imports WHERE fingerprint = :fingerprint")


async def begin(connection: AsyncConnection, fingerprint: str, as_of: datetime, *, anew: bool) -> datetime:
    """The moment as of which an import speaks: one that was interrupted keeps its own, unless `anew`."""
    given = {"fingerprint": fingerprint, "as_of": as_of, "anew": anew}
    moment: datetime = (await connection.execute(_BEGIN, given)).scalar_one()
    return moment


async def end(connection: AsyncConnection, fingerprint: str) -> None:
    """An import came to its end."""
    await connection.execute(_END, {"fingerprint": fingerprint})
