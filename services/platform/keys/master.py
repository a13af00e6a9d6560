"""The master key, which wraps the feeds' keys: a file of mode 0600, or a setting; never in the database.

While it is rotated there are two, the newer one first: it wraps, both unwrap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.contracts.sealed import KEY_BYTES, NONCE_BYTES, new_nonce
from services.platform.secret_file import load_secret, read_secret
from services.platform.settings import Settings, SettingsError

EARLIER_SECONDS: Final = 60.0
"""What was read before a rotation ended is unwrapped within this time, by the master key that is destroyed."""

_NAME: Final = 12
_ANY_KEY: Final = text("SELECT EXISTS (SELECT FROM erasure.keys)")
_MASTERS: Final = text("SELECT DISTINCT master FROM erasure.keys ORDER BY master")


class MasterKeyLostError(SettingsError):
    """What wraps the feeds' keys is not at hand: nothing can be opened."""


class WrappedKey(NamedTuple):
    """A feed's key as the database has it."""

    master: str
    """The name of the master key that wraps it."""
    wrapped: bytes


class MasterKeys:
    """Wraps and unwraps feeds' keys; read when first used, and anew when one is unknown or the file changed."""

    def __init__(
        self,
        read: Callable[[], bytes],
        where: str,
        stamp: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._where = where
        self._stamp = stamp
        self._clock = clock
        self._by_name: Mapping[str, AESGCM] = {}
        self._seen: object = None
        self._earlier: Mapping[str, AESGCM] = {}
        self._earlier_until = float("-inf")

    @classmethod
    def of(cls, settings: Settings) -> MasterKeys:
        """Those of the settings."""
        if settings.master_key is not None:
            given = settings.master_key.get_secret_value().replace(",", "\n").encode()
            return cls(lambda: given, "FIRSTBELL_MASTER_KEY")
        path = settings.master_file
        return cls(lambda: _read_file(path), str(path), lambda: _stamp_of(path))

    def wrap(self, pseudonym: str, key: bytes) -> WrappedKey:
        """The feed's key as the database may have it, wrapped by the newest there is now; raises `SettingsError`."""
        known = self._by_name if self._by_name and self._stamp() == self._seen else self._load()
        name, master = next(iter(known.items()))
        nonce = new_nonce()
        return WrappedKey(name, nonce + master.encrypt(nonce, key, pseudonym.encode()))

    def unwrap(self, pseudonym: str, given: WrappedKey) -> bytes:
        """The feed's key; raises `MasterKeyLostError`."""
        master = self._by_name.get(given.master) or self._load().get(given.master) or self._lately(given.master)
        if master is None:
            raise self._lost(given.master)
        try:
            return master.decrypt(given.wrapped[:NONCE_BYTES], given.wrapped[NONCE_BYTES:], pseudonym.encode())
        except InvalidTag as error:
            raise MasterKeyLostError(
                f"A feed's key was not wrapped by the master key {given.master} in {self._where}: the database or the "
                "key was changed. Restore both from one time."
            ) from error

    def names(self) -> list[str]:
        """The names of those at hand now, the newest first; raises `SettingsError`."""
        return list(self._load())

    def require(self, names: Collection[str]) -> None:
        """Raise `MasterKeyLostError` when one of these is not at hand."""
        if names:
            known = self._load()
            for name in names:
                if name not in known:
                    raise self._lost(name)

    def _lately(self, name: str) -> AESGCM | None:
        return self._earlier.get(name) if self._clock() < self._earlier_until else None

    def _lost(self, name: str) -> MasterKeyLostError:
        return MasterKeyLostError(
            f"The feeds' keys are wrapped by the master key {name}, which is not in {self._where}. "
            "Restore the right one: without it nothing that was sealed can be opened."
        )

    def _load(self) -> Mapping[str, AESGCM]:
        stamp = self._stamp()  # before it is read: what changes meanwhile is read again
        found = {name_of(key): AESGCM(key) for key in _parse(self._read(), self._where)}
        if found.keys() != self._by_name.keys():
            self._earlier, self._earlier_until = self._by_name, self._clock() + EARLIER_SECONDS
        self._by_name, self._seen = found, stamp
        return found


async def require_master_keys(connection: AsyncConnection, masters: MasterKeys) -> None:
    """Raise `MasterKeyLostError` unless every master key that wraps something is at hand."""
    masters.require((await connection.execute(_MASTERS)).scalars().all())


async def make_master_key(settings: Settings, engine: AsyncEngine) -> None:
    """Make the file when there is none, and nothing is wrapped yet; raises `MasterKeyLostError`."""
    if settings.master_key is not None or settings.master_file.exists():
        return
    async with engine.connect() as connection:
        wrapped = (await connection.execute(_ANY_KEY)).scalar_one()
    if wrapped:
        _read_file(settings.master_file)
    load_secret(settings.master_file, new_master_line, "master key")


def name_of(master: bytes) -> str:
    """A short name of a master key, which gives nothing of it away."""
    return hashlib.sha256(b"firstbell master|" + master).hexdigest()[:_NAME]


def new_master_line() -> bytes:
    """A new master key as a line of the file."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"


def _parse(content: bytes, where: str) -> list[bytes]:
    try:
        keys = [base64.urlsafe_b64decode(line) for line in content.split()]
    except binascii.Error:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise SettingsError(
            f"{where} holds no master key: {KEY_BYTES} bytes in base64url a line, the newest first. Restore it."
        )
    return keys


def _stamp_of(path: Path) -> object:
    """Another one whenever the file was replaced; None when it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read_file(path: Path) -> bytes:
    if not path.exists():
        raise MasterKeyLostError(
            f"The master key {path} is not there. Restore it; for a database in which nothing was sealed yet "
            "`firstbell prepare` makes one."
        )
    return read_secret(path, "master key")
