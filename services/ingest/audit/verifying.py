"""Looks the whole chain over: a page at a time, whatever its length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.audit.chain import BEFORE_THE_FIRST, COLUMNS, Link, head, link_hash
from services.ingest.audit.checkpoints import SignedHead

PAGE: Final = 2_000

_PAGE: Final = text(f"""
    SELECT seq, hash, e.entry IS NOT NULL AS is_there, {", ".join(f"e.{name}" for name in COLUMNS)}
    FROM (SELECT * FROM audit.chain WHERE seq > :after ORDER BY seq LIMIT :limit) AS c
    LEFT JOIN audit.entries AS e ON e.entry = c.entry
    ORDER BY seq
""")  # noqa: S608 - constants
_BELOW_ALL: Final = -(2**63)
_COUNT: Final = text("""
    SELECT count(*) AS entries,
           count(*) FILTER (WHERE c.entry IS NULL) AS unchained,
           count(*) FILTER (WHERE c.entry IS NULL AND u.entry IS NULL) AS stray
    FROM audit.entries AS e
    LEFT JOIN audit.chain AS c ON c.entry = e.entry
    LEFT JOIN audit.unchained AS u ON u.entry = e.entry
""")


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found."""

    entries: int
    unchained: int
    """Entries that have no link: those that wait, and `stray`."""
    stray: int
    """Entries that have no link and do not wait for one: written past the audit, or cut off from the chain."""
    first_bad: int | None
    """The place of the first link that is missing, or does not follow from the one before and its entry."""
    checkpoints: int
    """How many the chain agrees with."""


class ChainWalk:
    """Follows the chain from its beginning, link by link, to its end or to the first that is bad."""

    def __init__(self, checkpoints: Sequence[SignedHead] = ()) -> None:
        self._at = Link(0, BEFORE_THE_FIRST)
        self._checkpoints: dict[int, list[str]] = {}
        for one in checkpoints:
            self._checkpoints.setdefault(one.seq, []).append(one.hash)
        self.first_bad: int | None = None
        self.agreed = 0

    def follow(self, row: Mapping[str, Any]) -> bool:
        """Whether this is the next link, and good."""
        seq = self._at.seq + 1
        is_next = row["seq"] == seq and row["is_there"] and link_hash(self._at.hash, row) == row["hash"]
        said = self._checkpoints.pop(seq, [])
        if not is_next or any(one != row["hash"].hex() for one in said):
            self.first_bad = seq
            return False
        self._at = Link(seq, row["hash"])
        self.agreed += len(said)
        return True

    def end(self) -> None:
        """The chain has no more links: a checkpoint of a later one was of what is now missing."""
        if self.first_bad is None and self._checkpoints:
            self.first_bad = self._at.seq + 1


async def verify(
    engine: AsyncEngine, checkpoints: Sequence[SignedHead] = (), told: Callable[[int], None] = lambda _: None
) -> Verified:
    """Compute every hash anew, and compare; `told` hears how many links of each page.

    The engine's service is ingest.
    """
    walk = ChainWalk(checkpoints)
    async with engine.connect() as connection:
        after: int | None = _BELOW_ALL
        while after is not None:
            after = await _follow_page(connection, walk, after, told)
        walk.end()
        counts = (await connection.execute(_COUNT)).one()
    return Verified(counts.entries, counts.unchained, counts.stray, walk.first_bad, walk.agreed)


async def length(engine: AsyncEngine) -> int:
    """How many links there are to look at, about."""
    async with engine.connect() as connection:
        link = await head(connection)
    return 0 if link is None else link.seq


async def _follow_page(
    connection: AsyncConnection, walk: ChainWalk, after: int, told: Callable[[int], None]
) -> int | None:
    """After which link to go on; None when there is nothing more to look at."""
    rows = (await connection.execute(_PAGE, {"after": after, "limit": PAGE})).mappings().all()
    told(len(rows))
    if not all(walk.follow(dict(row)) for row in rows) or len(rows) < PAGE:
        return None
    last: int = rows[-1]["seq"]
    return last
