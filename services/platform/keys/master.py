"""The master key, which wraps the feeds' keys: a file of mode 0600, or a setting; never in the database.

While it is rotated there are two, the newer one first: it wraps, both unwrap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.contracts.sealed import KEY_BYTES, NONCE_BYTES, new_nonce
from services.platform.secret_file import load_secret, read_secret
from services.platform.settings import Settings, SettingsError

_NAME: Final = 12
_ANY_KEY: Final = text("SELECT EXISTS (SELECT FROM erasure.keys)")


class MasterKeyLostError(SettingsError):
    """What wraps the feeds' keys is not at hand: nothing can be opened."""


class WrappedKey(NamedTuple):
    """A feed's key as the database has it."""

    master: str
    """The name of the master key that wraps it."""
    wrapped: bytes


class MasterKeys:
    """Wraps and unwraps feeds' keys; read when first used, and anew when an unknown one is named."""

    def __init__(self, read: Callable[[], bytes], where: str) -> None:
        self._read = read
        self._where = where
        self._by_name: Mapping[str, AESGCM] = {}

    @classmethod
    def of(cls, settings: Settings) -> MasterKeys:
        """Those of the settings."""
        if settings.master_key is not None:
            given = settings.master_key.get_secret_value().replace(",", "\n").encode()
            return cls(lambda: given, "FIRSTBELL_MASTER_KEY")
        return cls(lambda: _read_file(settings.master_file), str(settings.master_file))

    def wrap(self, pseudonym: str, key: bytes) -> WrappedKey:
        """The feed's key as the database may have it; raises `SettingsError`."""
        name = self.newest
        nonce = new_nonce()
        return WrappedKey(name, nonce + self._by_name[name].encrypt(nonce, key, pseudonym.encode()))

    def unwrap(self, pseudonym: str, given: WrappedKey) -> bytes:
        """The feed's key; raises `MasterKeyLostError`."""
        master = self._by_name.get(given.master) or self._load().get(given.master)
        if master is None:
            raise MasterKeyLostError(
                f"The feeds' keys are wrapped by the master key {given.master}, which is not in {self._where}. "
                "Restore the right one: without it nothing that was sealed can be opened."
            )
        try:
            return master.decrypt(given.wrapped[:NONCE_BYTES], given.wrapped[NONCE_BYTES:], pseudonym.encode())
        except InvalidTag as error:
            raise MasterKeyLostError(
                f"A feed's key was not wrapped by the master key {given.master} in {self._where}: the database or the "
                "key was changed. Restore both from one time."
            ) from error

    @property
    def newest(self) -> str:
        """The name of the one that wraps; raises `SettingsError`."""
        return next(iter(self._by_name or self._load()))

    def names(self) -> list[str]:
        """The names of those at hand now, the newest first; raises `SettingsError`."""
        return list(self._load())

    def _load(self) -> Mapping[str, AESGCM]:
        self._by_name = {name_of(key): AESGCM(key) for key in _parse(self._read(), self._where)}
        return self._by_name


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


def _read_file(path: Path) -> bytes:
    if not path.exists():
        raise MasterKeyLostError(
            f"The master key {path} is not there. Restore it; for a database in which nothing was sealed yet "
            "`firstbell prepare` makes one."
        )
    return read_secret(path, "master key")
