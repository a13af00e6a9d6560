"""Asks every service's database, as that service, and the workers, for what they hold of one student."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.casework.inspection import HeldAlert, held_alerts
from services.casework.windows.workers import RecoveringError, ask
from services.ingest.inspection.queries import held_by_ingest
from services.ingest.inspection.schemas import HeldByIngest
from services.inspection.document import HeldWindow
from services.notify.inspection import HeldByNotify, held_mails


class Engines(NamedTuple):
    """The database, by who asks: each service's tables are its own."""

    ingest: AsyncEngine
    casework: AsyncEngine
    notify: AsyncEngine


class Gathered(NamedTuple):
    """What the services hold."""

    ingest: HeldByIngest
    alerts: list[HeldAlert]
    notify: HeldByNotify
    windows: dict[str, HeldWindow]


async def gather(
    engines: Engines, client: httpx.AsyncClient, workers: Sequence[str], student_id: str, digest: bytes
) -> Gathered | None:
    """All that is held of the student of this district's id, and digest of it in the ledger.

    None when nothing is, or was.
    """
    async with engines.ingest.connect() as connection:
        found = await held_by_ingest(connection, student_id, digest)
    if found is None:
        return None
    pseudonyms = found.pseudonyms
    flowing = [feed.pseudonym for feed in found.feeds if not feed.kept_for]
    return Gathered(
        found,
        await held_alerts(engines.casework, pseudonyms),
        await held_mails(engines.notify, pseudonyms),
        dict(await _windows(client, workers, flowing)),
    )


async def _windows(
    client: httpx.AsyncClient, workers: Sequence[str], pseudonyms: Iterable[str]
) -> Mapping[str, HeldWindow]:
    found: dict[str, HeldWindow] = {}
    for pseudonym in pseudonyms:
        try:
            window = await ask(client, workers, pseudonym)
        except RecoveringError:
            found[pseudonym] = HeldWindow(state="away")
        else:
            state = HeldWindow(state="none") if window is None else HeldWindow(state="held", document=dict(window))
            found[pseudonym] = state
    return found
