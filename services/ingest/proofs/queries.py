"""Reading proofs from the ledger of erasures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import FeedId
from services.ingest.proofs.schemas import Proof

LATE_SECONDS: Final = 60.0
"""A service that runs confirms within two seconds or so."""

INGEST: Final = "ingest"

_PROOFS: Final = """
    SELECT l.id, l.pseudonym, l.by, l.at, l.held, l.removed, c.services, c.moments, c.removals,
           EXISTS (SELECT FROM erasure.awaited a WHERE a.id = l.id) AS awaited
    FROM erasure.ledger l CROSS JOIN LATERAL (
        SELECT array_agg(service ORDER BY service) AS services, array_agg(at ORDER BY service) AS moments,
               array_agg(removed ORDER BY service) AS removals
        FROM erasure.confirmations WHERE id = l.id) AS c
    WHERE l.pseudonym IS NOT NULL
"""
_LATEST: Final = text(f"{_PROOFS} ORDER BY l.at DESC, l.id LIMIT :limit")
_ONE: Final = text(f"{_PROOFS} AND l.id = :id")
_OF: Final = text(f"{_PROOFS} AND l.pseudonym = ANY (CAST(:pseudonyms AS text[])) ORDER BY l.at, l.id")
_BY_ID: Final = text(f"{_PROOFS} AND l.id = ANY (CAST(:ids AS uuid[])) ORDER BY l.at, l.id")

_FEEDS: Final = text("SELECT id, recipient, kept_for FROM erasure.ledger WHERE id = ANY (CAST(:ids AS uuid[]))")

_WAITING: Final = text("""
    SELECT service, count(*) AS proofs, min(since) AS oldest, clock_timestamp() AS now,
           count(*) FILTER (WHERE since < clock_timestamp() - make_interval(secs => :seconds)) AS overdue
    FROM erasure.awaited GROUP BY service ORDER BY service
""")
_PENDING: Final = text("""
    SELECT count(DISTINCT id) AS pending, coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0) AS oldest,
           count(DISTINCT id) FILTER (WHERE since < clock_timestamp() - make_interval(secs => :seconds)) AS overdue
    FROM erasure.awaited
""")


class Behind(NamedTuple):
    """A service that has not confirmed some erasures."""

    service: str
    proofs: int
    overdue: int
    """Of these, how many have waited for more than `LATE_SECONDS`."""
    oldest: timedelta


class Pending(NamedTuple):
    """The erasures that not every service has confirmed."""

    pending: int
    overdue: int
    oldest_seconds: float


async def find_proofs(connection: AsyncConnection, limit: int | None = None) -> list[Proof]:
    """The proofs, the latest first."""
    return [_proof(row) for row in await connection.execute(_LATEST, {"limit": limit})]


async def find_proof(connection: AsyncConnection, proof: UUID) -> Proof | None:
    """The proof of this id."""
    row = (await connection.execute(_ONE, {"id": proof})).one_or_none()
    return None if row is None else _proof(row)


async def proofs_of(connection: AsyncConnection, pseudonyms: Collection[str]) -> list[Proof]:
    """The proofs of these feeds, in order."""
    return [_proof(row) for row in await connection.execute(_OF, {"pseudonyms": list(pseudonyms)})]


async def proofs_by_id(connection: AsyncConnection, ids: Collection[UUID]) -> list[Proof]:
    """The proofs of these ids, in order."""
    return [_proof(row) for row in await connection.execute(_BY_ID, {"ids": list(ids)})] if ids else []


async def feeds_of(connection: AsyncConnection, proofs: Collection[Proof]) -> dict[UUID, FeedId]:
    """What was erased of, by the proofs' ids."""
    rows = await connection.execute(_FEEDS, {"ids": [one.id for one in proofs]})
    return {row.id: FeedId(row.recipient, row.kept_for) for row in rows}


async def waiting(connection: AsyncConnection) -> list[Behind]:
    """Services that have not confirmed everything; what is held is awaited of nobody."""
    rows = await connection.execute(_WAITING, {"seconds": LATE_SECONDS})
    return [Behind(row.service, row.proofs, row.overdue, row.now - row.oldest) for row in rows]


async def pending(connection: AsyncConnection) -> Pending:
    """How many erasures wait for a confirmation."""
    row = (await connection.execute(_PENDING, {"seconds": LATE_SECONDS})).one()
    return Pending(row.pending, row.overdue, float(row.oldest))


def _proof(row: Row[*tuple[Any, ...]]) -> Proof:
    removals: dict[str, Mapping[str, int]] = dict(zip(row.services or (), row.removals or (), strict=True))
    # What ingest removed as the consent ended is in the ledger; it may confirm it once more.
    removed = Counter(row.removed) | Counter(removals.pop(INGEST, {}))
    for removal in removals.values():
        removed.update(removal)
    moments: list[datetime] = row.moments or []
    return Proof(
        id=row.id,
        pseudonym=row.pseudonym,
        by=row.by,
        at=row.at.astimezone(UTC),
        removed=dict(sorted(removed.items())),
        confirmed={name: at.astimezone(UTC) for name, at in zip(row.services or (), moments, strict=True)},
        state="held" if row.held else "pending" if row.awaited else "complete",
    )
