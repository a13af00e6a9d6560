"""How rows are said that are handed in, and why those of some students cannot be taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.agreement.document import FeedId
from services.ingest.context import IngestContext
from services.ingest.rows.outcomes import Unfit, WhyNot
from services.ingest.store import gate


@dataclass(frozen=True, slots=True)
class HandIn:
    """How the rows of a batch were said."""

    live: bool = False
    """By HTTP: a mark without `recorded_at` is recorded now."""
    history: bool = False
    """Part of an imported history: they raise nothing by themselves."""
    run: int | None = None
    """Which import says them: the later one's is higher (nanoseconds since 1970); None by HTTP."""
    as_of: datetime | None = None
    """The moment of an import's rows that give none; None by HTTP, and in replays, where the mark's date stands."""
    whole: bool = False
    """What an earlier import said and these rows do not is to be taken back: repeats are noted too."""
    unfit: Unfit = field(default_factory=dict)
    """Of students of whom nothing is kept: what their consents do not cover."""
    why_not: Unfit = field(default_factory=dict)
    """Of students without a consent in force: why, as found so far."""


async def why_not_consented(
    connection: AsyncConnection, parts: IngestContext, feed: FeedId, unknown: Collection[str], said: HandIn
) -> Mapping[str, WhyNot]:
    """Why these students have no consent in force for the feed; in an import each is asked for once."""
    why_not = said.why_not.setdefault(feed, {})
    asked = set(unknown) - why_not.keys() if said.run is not None else set(unknown)
    if asked:
        unfit = said.unfit.get(feed, {})
        found = await gate.why_not(connection, feed, {one: parts.names.digest(one) for one in asked})
        why_not |= {one: found.get(one) or unfit.get(one) or "unknown_student" for one in asked}
    return why_not
