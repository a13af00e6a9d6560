"""Deleting all that ingest keeps of a student in a feed, name and key and all, counted by place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.store.arrays import joined
from services.platform.erasure.confirming import while_nothing_is_written

_LOCK: Final = text("""
    SELECT id, pseudonym FROM ingest.students
    WHERE pseudonym = ANY (string_to_array(:pseudonyms, chr(31))) ORDER BY id FOR UPDATE
""")

_DELETE: Final = {
    table: text(f"""
        WITH gone AS (
            DELETE FROM {table} WHERE {of} = ANY (CAST(string_to_array(:students, chr(31)) AS integer[])) RETURNING {of}
        )
        SELECT {of} AS student, count(*) AS number FROM gone GROUP BY {of}
    """)  # noqa: S608 -- our own names
    for table, of in (
        ("district.attendance", "student"),
        *((f"district.{name}", "student") for name in RECORD_TABLES),
        ("ingest.taken", "student"),
        ("ingest.taken_events", "student"),
        ("ingest.enrollments", "student"),
        ("ingest.consents", "student"),
        ("ingest.corrections", "student"),
        ("ingest.students", "id"),
    )
}

_DELETE_KEYS: Final = text("""
    DELETE FROM erasure.keys WHERE pseudonym = ANY (string_to_array(:pseudonyms, chr(31))) RETURNING pseudonym
""")

_KEPT: Final = {
    table: text(f"""
        SELECT count(*) FROM {table} r JOIN ingest.students s ON s.id = r.student WHERE s.pseudonym = :pseudonym
    """)  # noqa: S608 -- our own names
    for table in ("district.attendance", *(f"district.{name}" for name in RECORD_TABLES))
}

_HIDE: Final = text("""
    UPDATE ingest.students SET held = true, consent_from = NULL, consent_through = NULL, next_change = NULL
    WHERE pseudonym = ANY (string_to_array(:pseudonyms, chr(31)))
""")


async def remove(connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, dict[str, int]]:
    """Delete everything of these, and their keys; how many of what, by pseudonym, in the given order."""
    removed: dict[str, dict[str, int]] = {pseudonym: {} for pseudonym in pseudonyms}
    if not removed:
        return removed
    given = {"pseudonyms": joined(pseudonyms)}
    whose = {row.id: row.pseudonym for row in await connection.execute(_LOCK, given)}
    await while_nothing_is_written(connection, "ingest")
    if whose:
        for table, statement in _DELETE.items():
            for row in await connection.execute(statement, {"students": joined(whose)}):
                removed[whose[row.student]][table] = row.number
    for row in await connection.execute(_DELETE_KEYS, given):
        removed[row.pseudonym]["erasure.keys"] = 1
    return removed


async def kept(connection: AsyncConnection, pseudonym: str) -> dict[str, int]:
    """How many rows of each table of the schema `district` are of this pseudonym."""
    return {
        table: (await connection.execute(query, {"pseudonym": pseudonym})).scalar_one()
        for table, query in _KEPT.items()
    }


async def hide(connection: AsyncConnection, pseudonyms: Collection[str]) -> None:
    """Nobody passes or is shown any more, and nothing is deleted yet."""
    await connection.execute(_HIDE, {"pseudonyms": joined(pseudonyms)})
