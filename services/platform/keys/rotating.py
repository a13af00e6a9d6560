"""Replacing the master key while the system runs: every feed's key is wrapped anew, then the old master is destroyed.

The file says how far it is. One key: nothing is under way. Two: everything is to be wrapped by the first, and the
second is to go. So whoever begins again after a crash ends what was begun, whatever the step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.platform.errors import OperatorError
from services.platform.keys.master import MasterKeys, WrappedKey, new_master_line, require_master_keys
from services.platform.processes import write_atomically
from services.platform.secret_file import read_secret
from services.platform.settings import Settings

PAGE: Final = 1_000

_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(727006)")
_NO_NEW_KEYS: Final = text("LOCK TABLE erasure.keys IN SHARE ROW EXCLUSIVE MODE")
_LEFT: Final = text("SELECT count(*) FROM erasure.keys WHERE master <> :newest")
_PAGE: Final = text("""
    SELECT pseudonym, master, wrapped FROM erasure.keys
    WHERE master <> :newest AND pseudonym > :after
    ORDER BY pseudonym LIMIT :limit FOR UPDATE
""")
_PUT: Final = text("""
    UPDATE erasure.keys AS k SET master = g.master, wrapped = g.wrapped
    FROM unnest(CAST(:pseudonyms AS text[]), CAST(:masters AS text[]), CAST(:wrapped AS bytea[]))
         AS g (pseudonym, master, wrapped)
    WHERE k.pseudonym = g.pseudonym
""")


class RotationError(OperatorError):
    """The master key cannot be rotated now; the message says why and what to do."""


class Rotated(NamedTuple):
    """What a rotation came to."""

    master: str
    """The name of the master key that wraps everything now."""
    rewrapped: int
    destroyed: list[str]
    """Names of master keys that are not in the file any more."""
    removable: list[str]
    """Names of master keys that may be taken out of the setting."""


Told = Callable[[int, int], None]
"""Told how many of how many keys are wrapped anew."""


async def rotate(settings: Settings, engine: AsyncEngine, told: Told = lambda _done, _of: None) -> Rotated:
    """Wrap everything by a new master key, and destroy the old one; with keys in the setting, by the first of these.

    The engine's service is ingest, with two connections. Raises `RotationError`, and `MasterKeyLostError` before
    anything is changed.
    """
    masters = MasterKeys.of(settings)
    async with engine.begin() as alone:
        if not (await alone.execute(_ALONE)).scalar_one():
            raise RotationError("The master key is being rotated already. Wait until that has ended.")
        await require_master_keys(alone, masters)
        if settings.master_key is None:
            _begin(settings.master_file)
        newest, *others = masters.names()
        if not others:
            raise RotationError(
                "FIRSTBELL_MASTER_KEY has one key alone. Put a new one before it, with a comma between them, start "
                "every service with both, and then rotate."
            )
        rewrapped = await _rewrap(engine, masters, newest, told)
        if settings.master_key is not None:
            return Rotated(newest, rewrapped, [], others)
        _end(settings.master_file)
    return Rotated(newest, rewrapped, others, [])


async def _rewrap(engine: AsyncEngine, masters: MasterKeys, newest: str, told: Told) -> int:
    """Returns when no key is wrapped by another, and none can come: whoever makes one reads the file first."""
    async with engine.connect() as connection:
        total: int = (await connection.execute(_LEFT, {"newest": newest})).scalar_one()
    done, after = 0, ""
    while True:
        async with engine.begin() as connection:
            page = await _rewrap_page(connection, masters, newest, after)
        if not page:
            break
        done, after = done + len(page), page[-1]
        told(done, max(total, done))
    async with engine.begin() as connection:
        await connection.execute(_NO_NEW_KEYS)
        after = ""
        while page := await _rewrap_page(connection, masters, newest, after):
            done, after = done + len(page), page[-1]
    return done


async def _rewrap_page(connection: AsyncConnection, masters: MasterKeys, newest: str, after: str) -> Sequence[str]:
    """Whose keys were wrapped anew."""
    rows = (await connection.execute(_PAGE, {"newest": newest, "after": after, "limit": PAGE})).all()
    if rows:
        keys = {row.pseudonym: masters.unwrap(row.pseudonym, WrappedKey(row.master, row.wrapped)) for row in rows}
        made = [masters.wrap(pseudonym, key) for pseudonym, key in keys.items()]
        given = {
            "pseudonyms": list(keys),
            "masters": [one.master for one in made],
            "wrapped": [one.wrapped for one in made],
        }
        await connection.execute(_PUT, given)
    return [row.pseudonym for row in rows]


def _begin(path: Path) -> None:
    """A new key before the old one; when there are two already, what was begun goes on."""
    lines = read_secret(path, "master key").split()
    if len(lines) == 1:
        _replace(path, [new_master_line().strip(), *lines])


def _end(path: Path) -> None:
    """Only the newest stays."""
    _replace(path, read_secret(path, "master key").split()[:1])


def _replace(path: Path, lines: Sequence[bytes]) -> None:
    """On disk, whole, when it returns: keys are wrapped by it from then on, or cannot be opened without it any more."""
    write_atomically(path, b"".join(line + b"\n" for line in lines).decode())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
