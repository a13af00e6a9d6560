"""How far each Ed-Fi ODS/API has been read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BEGIN = text("""
    INSERT INTO ingest.pulls (source, resource, run)
    SELECT :source, g.resource, coalesce((SELECT max(run) FROM ingest.pulls WHERE source = :source), :run)
    FROM unnest(CAST(:resources AS text[])) AS g (resource)
    ON CONFLICT (source, resource) DO NOTHING
""")

_STATE = text("SELECT resource, change_version, anew, run FROM ingest.pulls WHERE source = :source")

_ANEW = text("""
    UPDATE ingest.pulls SET change_version = 0, anew = CASE WHEN anew = 'restored' THEN anew ELSE :why END
    WHERE source = :source AND resource = ANY (CAST(:resources AS text[]))
      AND (change_version > 0 OR anew IS NOT NULL)
""")

_BEGUN = text("""
    UPDATE ingest.pulls SET anew = 'asked'
    WHERE source = :source AND resource = :resource AND change_version = 0 AND anew IS NULL
""")

_DONE = text("""
    UPDATE ingest.pulls p SET change_version = g.version, anew = NULL
    FROM unnest(CAST(:resources AS text[]), CAST(:versions AS bigint[])) AS g (resource, version)
    WHERE p.source = :source AND p.resource = g.resource
""")

WhyAnew = Literal["asked", "restored"]
"""Restored: what was taken back since may stand again, said before it was taken back."""


@dataclass(frozen=True, slots=True)
class PullState:
    """How far a source has been read."""

    run: int
    """As which import all that it says is taken."""
    done: Mapping[str, int]
    """By resource: the change version up to which everything was taken; 0: nothing yet."""
    anew: Mapping[str, WhyAnew]
    """Resources that are read anew: what was said of them before and is not said now is taken back."""


async def begin(connection: AsyncConnection, source: str, resources: Collection[str], run: int) -> PullState:
    """The state of the source; a new one's rows are said in this run."""
    given = {"source": source, "resources": list(resources), "run": run}
    await connection.execute(_BEGIN, given)
    rows = (await connection.execute(_STATE, {"source": source})).all()
    return PullState(
        max(row.run for row in rows),
        {row.resource: row.change_version for row in rows},
        {row.resource: row.anew for row in rows if row.anew is not None},
    )


async def read_anew(connection: AsyncConnection, source: str, resources: Collection[str], why: WhyAnew) -> None:
    """Nothing of these resources counts as read."""
    await connection.execute(_ANEW, {"source": source, "resources": list(resources), "why": why})


async def begun(connection: AsyncConnection, source: str, resource: str) -> None:
    """Rows of this resource come for the first time: after a kill it is read anew, as some may be gone by then."""
    await connection.execute(_BEGUN, {"source": source, "resource": resource})


async def done(connection: AsyncConnection, source: str, versions: Mapping[str, int]) -> None:
    """Everything of these resources was taken, up to these change versions."""
    given = {"source": source, "resources": list(versions), "versions": list(versions.values())}
    await connection.execute(_DONE, given)
