"""Sessions: the browser has a random cookie; the database a hash of it, and the token sealed by it."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

COOKIE: Final = "firstbell_session"
LONGEST: Final = timedelta(hours=12)
"""After signing in, however often the session is extended."""
_COOKIE_BYTES: Final = 32
_NONCE_BYTES: Final = 12

_OPEN: Final = text("""
    WITH old AS (DELETE FROM casework.sessions WHERE expires_at < clock_timestamp())
    INSERT INTO casework.sessions (id, sealed, expires_at) VALUES (:id, :sealed, :expires_at)
""")
_FIND: Final = text("""
    SELECT sealed, signed_in_at, expires_at FROM casework.sessions WHERE id = :id AND expires_at > clock_timestamp()
""")
_EXTEND: Final = text("UPDATE casework.sessions SET sealed = :sealed, expires_at = :expires_at WHERE id = :id")
_CLOSE: Final = text("DELETE FROM casework.sessions WHERE id = :id")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a session holds: the token that the API is asked with, and by what it can be renewed."""

    token: str
    expires_at: datetime
    refresh_token: str | None = None


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """Somebody who is signed in."""

    cookie: str
    token: str
    refresh_token: str | None
    signed_in_at: datetime
    expires_at: datetime

    @property
    def csrf(self) -> str:
        """What a form of this session carries."""
        return csrf_of(self.cookie)

    @property
    def seconds_left(self) -> int:
        """Until it ends."""
        return max(0, int((self.expires_at - datetime.now(UTC)).total_seconds()))

    @property
    def ends_for_good_at(self) -> datetime:
        """When no extension helps."""
        return self.signed_in_at + LONGEST


def csrf_of(cookie: str) -> str:
    """What forms carry for the bearer of this cookie."""
    return _derived(cookie, b"form").hex()


def new_cookie() -> str:
    """A cookie that nobody can guess."""
    return secrets.token_urlsafe(_COOKIE_BYTES)


class ConsoleSessions:
    """Opens, finds, extends and closes sessions."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def open(self, signed_in: SignedIn) -> str:
        """A new session; its cookie."""
        cookie = new_cookie()
        given = {"id": _id(cookie), "sealed": _seal(cookie, signed_in), "expires_at": signed_in.expires_at}
        async with self._sessions.begin() as session:
            await session.execute(_OPEN, given)
        return cookie

    async def find(self, cookie: str | None) -> ConsoleSession | None:
        """The session of a cookie; None when there is none, or it has ended."""
        if not cookie:
            return None
        async with self._sessions() as session:
            row = (await session.execute(_FIND, {"id": _id(cookie)})).one_or_none()
        if row is None:
            return None
        token, refresh = _unseal(cookie, row.sealed)
        return ConsoleSession(cookie, token, refresh, row.signed_in_at, row.expires_at)

    async def extend(self, cookie: str, signed_in: SignedIn) -> None:
        """Go on with another token."""
        given = {"id": _id(cookie), "sealed": _seal(cookie, signed_in), "expires_at": signed_in.expires_at}
        async with self._sessions.begin() as session:
            await session.execute(_EXTEND, given)

    async def close(self, cookie: str) -> None:
        """Sign out."""
        async with self._sessions.begin() as session:
            await session.execute(_CLOSE, {"id": _id(cookie)})


def _id(cookie: str) -> bytes:
    return sha256(cookie.encode()).digest()


def _derived(cookie: str, purpose: bytes) -> bytes:
    return hmac.new(cookie.encode(), b"firstbell console " + purpose, sha256).digest()


def _seal(cookie: str, signed_in: SignedIn) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    value = json.dumps([signed_in.token, signed_in.refresh_token]).encode()
    return nonce + AESGCM(_derived(cookie, b"token")).encrypt(nonce, value, None)


def _unseal(cookie: str, sealed: bytes) -> tuple[str, str | None]:
    try:
        value = AESGCM(_derived(cookie, b"token")).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except InvalidTag:  # the row is of another cookie: whoever wrote it there
        return "", None
    token, refresh = json.loads(value)
    return token, refresh


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def as_base64(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
