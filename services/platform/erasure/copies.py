"""The ledger's copies outside the database: a topic and a file. A restored dump is behind them, and is held to them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from uuid import UUID

from aiokafka import TopicPartition
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.topics import ERASURES
from services.platform.erasure.entry import LedgerEntry
from services.platform.errors import OperatorError
from services.platform.kafka import make_consumer
from services.platform.settings import SettingsError

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0

_ORIGIN: Final = text("SELECT name FROM erasure.origin")
_KNOWN: Final = text("SELECT id, pseudonym FROM erasure.ledger WHERE NOT held")
_KNOWN_HELD: Final = text("SELECT id FROM erasure.ledger WHERE held")

Copies = dict[UUID, LedgerEntry]


def topic_key(origin: str, id_: UUID) -> str:
    """The key of an entry's record."""
    return f"{origin}|{id_}"


async def read_topic(bootstrap: str, origin: str) -> Copies:
    """The ledger as Kafka has it, the last word on each entry of this origin; raises `KafkaError`."""
    consumer = make_consumer(bootstrap, group=None)
    place = TopicPartition(ERASURES.name, 0)
    found: Copies = {}
    mine = f"{origin}|".encode()
    try:
        await consumer.start()
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        await consumer.seek_to_beginning(place)
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    if record.key.startswith(mine):
                        entry = LedgerEntry.model_validate_json(record.value or b"")
                        found[entry.id] = entry
    finally:
        await consumer.stop()
    return found


def read_file(path: Path) -> Copies:
    """The ledger as the file has it; raises `SettingsError` naming the line that cannot be read.

    A last line that was cut short by a crash is passed over: it was not acknowledged, and is written again.
    """
    found: Copies = {}
    if not path.exists():
        return found
    content = path.read_bytes()
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break
        try:
            entry = LedgerEntry.model_validate_json(line)
        except ValidationError as error:
            raise SettingsError(f"{path}, line {number} is no entry of the ledger of erasures. Restore it.") from error
        found[entry.id] = entry
    return found


def append_file(path: Path, entries: Iterable[LedgerEntry]) -> None:
    """Append what is not there yet, whole and on disk when it returns; mode 0600. One process at a time.

    Raises `OSError`.
    """
    lines = [entry.model_dump_json().encode() + b"\n" for entry in entries]
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        content = file.read()
        file.seek(content.rfind(b"\n") + 1)  # behind it is what a crash cut short
        file.truncate()
        there = set(content.splitlines(keepends=True))
        file.writelines(line for line in lines if line not in there)
        file.flush()
        os.fsync(file.fileno())


async def missing(connection: AsyncConnection, copies: Copies) -> list[LedgerEntry]:
    """Entries of the copies that the database does not know, or still holds back though they were released.

    Who was erased is known, by whichever entry: of a database that was restored a command may have erased somebody once
    more before it had caught up.
    """
    known = {each for row in await connection.execute(_KNOWN) for each in row if each is not None}
    held = set((await connection.execute(_KNOWN_HELD)).scalars())
    behind: list[LedgerEntry] = []
    for one in copies.values():
        if not {one.id, one.pseudonym} & known and not (one.held and one.id in held):
            behind.append(one)
            known |= {one.pseudonym} - {None} if not one.held else set()
    return behind


async def require_whole(connection: AsyncConnection, path: Path) -> None:
    """Raise `OperatorError` when the file has what the database lacks: for commands, which may run beside no ingest."""
    behind = len(await missing(connection, await asyncio.to_thread(read_file, path)))
    if behind:
        raise OperatorError(
            f"The database lacks {behind} erasures that {path} has: it was restored, and holds what was erased since. "
            "Start the system (`firstbell up`, or ingest), which does them again; then come back."
        )


async def until_ledger_is_whole(engine: AsyncEngine, bootstrap: str) -> None:
    """Return when the database knows every erasure of the topic: before, a restored dump would show what was erased.

    Ingest brings the database up to date. Raises `KafkaError` and what the database raises when it is away.
    """
    while True:
        async with engine.connect() as connection:
            origin = await connection.scalar(_ORIGIN)
        copies = {} if origin is None else await read_topic(bootstrap, origin)
        async with engine.connect() as connection:
            behind = len(await missing(connection, copies))
        if not behind:
            return
        log.warning("the database lacks %d erasures that the ledger in Kafka has: waiting for ingest", behind)
        await asyncio.sleep(RETRY_SECONDS)
