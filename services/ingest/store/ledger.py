"""The ledger of erasures: which consents never count again, what was erased, and who has not confirmed it yet."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import FeedId
from services.platform.erasure.entry import LedgerEntry, Removed

SERVICES: Final = ("ingest", "warning", "casework", "notify")
"""Who confirms the erasure of what flowed; of what is kept in the schema `district` ingest alone holds anything."""

_ALONE: Final = text("SELECT pg_advisory_xact_lock(727005)")

_LAST: Final = "(SELECT coalesce(max(gone), 0) FROM erasure.ledger)"

_COLUMNS: Final = """id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on, records, at, by,
           held"""

_ADD: Final = text(f"""
    INSERT INTO erasure.ledger (id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on,
                                records, at, by, held, removed, gone)
    SELECT id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on,
           string_to_array(records, chr(31)), at, by, held, removed,
           CASE WHEN NOT held THEN {_LAST} + row_number() OVER (PARTITION BY held ORDER BY place) END
    FROM unnest(CAST(:id AS uuid[]), CAST(:student AS bytea[]), CAST(:agreement AS text[]),
                CAST(:recipient AS text[]), CAST(:kept_for AS text[]), CAST(:pseudonym AS text[]),
                CAST(:slot AS integer[]), CAST(:because AS text[]), CAST(:ended_on AS date[]),
                CAST(:records AS text[]), CAST(:at AS timestamptz[]), CAST(:by AS text[]), CAST(:held AS boolean[]),
                CAST(:removed AS jsonb[]))
         WITH ORDINALITY AS g (id, student, agreement, recipient, kept_for, pseudonym, slot, because, ended_on,
                               records, at, by, held, removed, place)
    ON CONFLICT DO NOTHING
""")  # noqa: S608 -- our own text

_HELD: Final = text(f"""
    SELECT {_COLUMNS} FROM erasure.ledger WHERE id = ANY (CAST(:ids AS uuid[])) AND held ORDER BY at, id FOR UPDATE
""")  # noqa: S608 -- our own text

_RELEASE: Final = text(f"""
    UPDATE erasure.ledger
    SET held = false, gone = {_LAST} + 1, removed = CAST(:removed AS jsonb), published = false
    WHERE id = :id
""")  # noqa: S608 -- our own text

_AWAIT: Final = text("""
    INSERT INTO erasure.awaited (service, id)
    SELECT service, id FROM unnest(CAST(:services AS text[]), CAST(:ids AS uuid[])) AS g (service, id)
    ON CONFLICT DO NOTHING
""")

_CONFIRMED_BEFORE: Final = text("DELETE FROM erasure.confirmations WHERE id = ANY (CAST(:ids AS uuid[]))")

_GENERATIONS: Final = text("""
    SELECT student, count(*) AS number FROM erasure.ledger
    WHERE student = ANY (CAST(:digests AS bytea[])) AND (recipient, kept_for) = (:agency, :kept_for)
      AND pseudonym IS NOT NULL
    GROUP BY student
""")

_OF: Final = text(f"SELECT {_COLUMNS} FROM erasure.ledger WHERE student = ANY (CAST(:digests AS bytea[])) ORDER BY at")  # noqa: S608

_UNPUBLISHED: Final = text(f"""
    SELECT {_COLUMNS}, removed FROM erasure.ledger WHERE NOT published ORDER BY at, id LIMIT :limit FOR NO KEY UPDATE
""")  # noqa: S608 -- our own text

_PUBLISHED: Final = text("UPDATE erasure.ledger SET published = true WHERE id = ANY (CAST(:ids AS uuid[]))")

_ORIGIN: Final = text("""
    INSERT INTO erasure.origin AS o (name) VALUES (:name)
    ON CONFLICT (singleton) DO UPDATE SET name = excluded.name WHERE o.name <> excluded.name
""")

_UNPUBLISH: Final = text("""
    UPDATE erasure.ledger SET published = false WHERE published AND id <> ALL (CAST(:ids AS uuid[]))
""")


async def alone(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else writes to the ledger: who reads it before a consent counts misses nothing.

    Before rows of students are locked: who erases waits here with theirs locked, else.
    """
    await connection.execute(_ALONE)


async def add(
    connection: AsyncConnection,
    entries: Sequence[LedgerEntry],
    removed: Mapping[UUID, Removed] | None = None,
) -> None:
    """Write entries, with what was removed for them; one that is there already stays as it is."""
    gone = removed or {}
    await connection.execute(
        _ADD,
        {
            "id": [one.id for one in entries],
            "student": [one.student for one in entries],
            "agreement": [one.agreement for one in entries],
            "recipient": [one.recipient for one in entries],
            "kept_for": [one.kept_for for one in entries],
            "pseudonym": [one.pseudonym for one in entries],
            "slot": [one.slot for one in entries],
            "because": [one.because for one in entries],
            "ended_on": [one.ended_on for one in entries],
            "records": [chr(31).join(one.records) for one in entries],
            "at": [one.at for one in entries],
            "by": [one.by for one in entries],
            "held": [one.held for one in entries],
            "removed": [json.dumps(gone.get(one.id, {})) for one in entries],
        },
    )


async def held(connection: AsyncConnection, ids: Collection[UUID]) -> list[LedgerEntry]:
    """Those of the entries whose deletion waits, locked."""
    return [_entry(row) for row in await connection.execute(_HELD, {"ids": list(ids)})]


async def release(connection: AsyncConnection, id_: UUID, removed: Removed) -> None:
    """The deletion for this entry waits no longer: it was done."""
    await connection.execute(_RELEASE, {"id": id_, "removed": json.dumps(dict(removed))})


async def await_services(connection: AsyncConnection, entries: Iterable[LedgerEntry]) -> None:
    """Let the services remove what they hold for these, and confirm it anew."""
    pairs = [(service, one.id) for one in entries for service in (SERVICES if not one.kept_for else SERVICES[:1])]
    await connection.execute(_CONFIRMED_BEFORE, {"ids": [id_ for _, id_ in pairs]})
    given = {"services": [service for service, _ in pairs], "ids": [id_ for _, id_ in pairs]}
    await connection.execute(_AWAIT, given)


async def generations(connection: AsyncConnection, feed: FeedId, digests: Collection[bytes]) -> dict[bytes, int]:
    """How often students were erased from this feed, of those who were."""
    rows = await connection.execute(_GENERATIONS, {"digests": list(digests), **feed._asdict()})
    return {bytes(row.student): row.number for row in rows}


async def of(connection: AsyncConnection, digests: Collection[bytes]) -> dict[bytes, list[LedgerEntry]]:
    """All entries of these students, in order; students without any are left out."""
    found: dict[bytes, list[LedgerEntry]] = {}
    if digests:
        for row in await connection.execute(_OF, {"digests": list(digests)}):
            found.setdefault(bytes(row.student), []).append(_entry(row))
    return found


async def unpublished(connection: AsyncConnection, limit: int) -> list[tuple[LedgerEntry, Removed]]:
    """Entries that the copies lack, locked, with what ingest removed for them."""
    return [(_entry(row), row.removed) for row in await connection.execute(_UNPUBLISHED, {"limit": limit})]


async def published(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """The copies have these."""
    await connection.execute(_PUBLISHED, {"ids": list(ids)})


async def unpublish_others(connection: AsyncConnection, ids: Collection[UUID]) -> None:
    """The copies have no others than these: the rest is to be published again."""
    await connection.execute(_UNPUBLISH, {"ids": list(ids)})


async def put_origin(connection: AsyncConnection, name: str) -> None:
    """Say of which pseudonym key the digests are."""
    await connection.execute(_ORIGIN, {"name": name})


def entry_digest(digest: bytes) -> bytes:
    """The digest as `LedgerEntry` takes it."""
    return b64encode(digest)


def _entry(row: Row[*tuple[Any, ...]]) -> LedgerEntry:
    return LedgerEntry(
        id=row.id,
        student=entry_digest(bytes(row.student)),
        agreement=row.agreement,
        recipient=row.recipient,
        kept_for=row.kept_for,
        pseudonym=row.pseudonym,
        slot=row.slot,
        because=row.because,
        ended_on=row.ended_on,
        records=tuple(row.records),
        at=row.at,
        by=row.by,
        held=row.held,
    )
