"""The appender of the audit: each committed entry gets a link, whose hash is over the link before and what it says.

One appender at a time, held by a lock of the database: two processes never fork the chain.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.platform.rows import as_json

log = logging.getLogger(__name__)

AT_ONCE: Final = 2_000
"""Entries in one transaction."""
PAUSE_SECONDS: Final = 0.4
"""Between two looks, when nothing more waits."""
LATE_SECONDS: Final = 60.0
"""No entry waits longer for its link while an appender works."""
BEFORE_THE_FIRST: Final = bytes(32)
"""In place of a hash before the first link."""

COLUMNS: Final = (
    "entry",
    "at",
    "subject",
    "role",
    "agency",
    "action",
    "students",
    "consents",
    "purpose",
    "agreement",
    "outcome",
)
"""All that an entry says; a hash is over these."""

_ALONE: Final = text("SELECT pg_advisory_xact_lock(727004)")
_HEAD: Final = text("SELECT seq, hash FROM audit.chain ORDER BY seq DESC LIMIT 1")
_NEXT: Final = text(f"""
    SELECT {", ".join(COLUMNS)} FROM audit.unchained JOIN audit.entries USING (entry)
    WHERE NOT EXISTS (SELECT FROM audit.chain WHERE chain.entry = unchained.entry)
    ORDER BY entry LIMIT :limit
""")  # noqa: S608 - constants
_APPEND: Final = text("""
    WITH linked AS (
        INSERT INTO audit.chain (seq, entry, hash)
        SELECT seq, entry, decode(hash, 'hex')
        FROM json_to_recordset(CAST(:links AS json)) AS given (seq bigint, entry bigint, hash text)
        RETURNING entry)
    DELETE FROM audit.unchained WHERE entry IN (SELECT entry FROM linked)
""")

_LATE: Final = text("""
    SELECT count(*) FROM audit.unchained JOIN audit.entries USING (entry)
    WHERE at < clock_timestamp() - make_interval(secs => :seconds)
""")


class Link(NamedTuple):
    """A place in the chain."""

    seq: int
    hash: bytes


def canonical(entry: Mapping[str, Any]) -> bytes:
    """An entry as the bytes that are hashed: JSON with sorted names, without blanks, its time in UTC."""
    said = {name: _plain(entry[name]) for name in COLUMNS}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def link_hash(before: bytes, entry: Mapping[str, Any]) -> bytes:
    """The hash of an entry's link, behind the link with the hash `before`."""
    return hashlib.sha256(before + canonical(entry)).digest()


def in_utc(moment: datetime) -> str:
    """The moment in microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


async def head(connection: AsyncConnection) -> Link | None:
    """The last link; None while there is none."""
    found = (await connection.execute(_HEAD)).one_or_none()
    return None if found is None else Link(found.seq, bytes(found.hash))


async def late(engine: AsyncEngine) -> int:
    """How many entries have waited too long for their links."""
    async with engine.connect() as connection:
        found: int = (await connection.execute(_LATE, {"seconds": LATE_SECONDS})).scalar_one()
    return found


async def append(engine: AsyncEngine, limit: int = AT_ONCE) -> int:
    """Chain entries that wait, in their order; how many. The engine's service is ingest."""
    async with engine.begin() as connection:
        await connection.execute(_ALONE)
        entries = (await connection.execute(_NEXT, {"limit": limit})).mappings().all()
        if not entries:
            return 0
        seq, digest = await head(connection) or Link(0, BEFORE_THE_FIRST)
        links: list[dict[str, object]] = []
        for entry in entries:
            seq, digest = seq + 1, link_hash(digest, dict(entry))
            links.append({"seq": seq, "entry": entry["entry"], "hash": digest.hex()})
        await connection.execute(_APPEND, {"links": as_json(links)})
    return len(links)


async def append_all(engine: AsyncEngine) -> None:
    """Chain all that waits now."""
    while await append(engine) == AT_ONCE:
        pass


async def append_forever(engine: AsyncEngine) -> None:
    """Chain what comes, soon after it came; while that cannot be done it waits in the database, and it is said once."""
    is_away = False
    while True:
        try:
            await append_all(engine)
            is_away = False
        except (SQLAlchemyError, OSError) as error:
            if not is_away:
                log.warning("entries of the audit wait to be chained (%s)", type(error).__name__)
            is_away = True
        await asyncio.sleep(PAUSE_SECONDS)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list) else value
