"""Issuers of our own: the embedded run's, for people, and the one by which services know each other.

Each is a private key (a JWK of mode 0600) that is made at first use. Who can read it can be anybody whom it may name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from services.platform.identity.caller import Role
from services.platform.secret_file import load_secret
from services.platform.settings import SettingsError

EMBEDDED: Final = "urn:firstbell:embedded"
"""The issuer of an embedded run."""
SERVICES: Final = "urn:firstbell:services"
"""The issuer of the tokens that services and commands show each other."""
AUDIENCE: Final = "firstbell"
"""For whom both issue."""
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token is to say; None for agency, schools or records says nothing of them."""

    role: Role
    subject: str
    agency: str | None = None
    schools: Collection[str] | None = None
    records: Collection[str] | None = None


class OwnIssuer:
    """Signs tokens under its name."""

    def __init__(self, name: str, key: ECKey) -> None:
        self.name = name
        self._key = key

    @classmethod
    def load(cls, name: str, key_file: Path) -> OwnIssuer:
        """With the key in the file, which is made when there is none; raises `SettingsError`."""
        content = load_secret(key_file, _new_key, "key of the issuer")
        try:
            return cls(name, ECKey.import_key(json.loads(content)))
        except (JoseError, ValueError, TypeError, KeyError):
            raise SettingsError(f"{key_file} is not a private JWK (EC, P-256). Restore the right file.") from None

    def public_keys(self) -> KeySet:
        """The public key, to check by."""
        return KeySet([ECKey.import_key(self._key.as_dict(private=False))])

    def sign(self, grant: Grant, *, seconds: int) -> str:
        """A token that holds from now on for so long."""
        now = int(time.time())
        times: dict[str, object] = {"iat": now, "nbf": now, "exp": now + seconds}
        claims = {"iss": self.name, "aud": AUDIENCE, "sub": grant.subject, "role": grant.role, **times}
        claims |= {} if grant.agency is None else {"agency": grant.agency}
        claims |= {} if grant.schools is None else {"schools": list(grant.schools)}
        claims |= {} if grant.records is None else {"records": list(grant.records)}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def _new_key() -> bytes:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return json.dumps(key.as_dict(private=True)).encode()
