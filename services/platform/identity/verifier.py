"""Checking a bearer token: signature, algorithm, type, issuer, audience and times."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Protocol

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from services.platform.identity.caller import Caller, Role

ALGORITHMS: Final = ("ES256", "RS256", "PS256", "Ed25519", "EdDSA")
"""Signatures by a private key; never a secret that the one who checks would have to share."""
TYPES: Final = frozenset({"at+jwt", "application/at+jwt", "jwt"})
SKEW_SECONDS: Final = 10
"""How far an issuer's clock may run ahead of ours. Nothing is added to the end of a token."""

_REGISTRY: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("not printable")
    return text


_Text = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$"), AfterValidator(_printable)
]


class InvalidTokenError(Exception):
    """The token says nothing that can be believed; the message says why and quotes nothing of it."""


class Keys(Protocol):
    """Where an issuer's keys are had from."""

    async def current(self) -> KeySet:
        """The keys; raises `KeysAwayError`."""
        ...

    async def read_again(self) -> None:
        """Look for new ones."""
        ...


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Who may say who somebody is, for which audience, and in which roles."""

    name: str
    audience: str
    keys: Keys
    roles: Collection[Role]


class TokenVerifier:
    """Believes the issuers that it is given."""

    def __init__(self, *issuers: TrustedIssuer) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}

    async def verify(self, token: str) -> Caller:
        """Who has this token; raises `InvalidTokenError`, and `KeysAwayError` while an issuer's keys cannot be had."""
        issuer = self._issuers.get(_claimed_issuer(token))
        if issuer is None:
            raise InvalidTokenError("The issuer is not one that is trusted here.")
        return _caller(await _checked(token, issuer), issuer)


def _claimed_issuer(token: str) -> str:
    """Whom the token names, yet to be checked: it says by whose keys."""
    try:
        claims = json.loads(jws.extract_compact(token.encode("ascii")).payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise InvalidTokenError("This is not a signed JWT.") from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""


async def _checked(token: str, issuer: TrustedIssuer) -> jwt.Claims:
    try:
        decoded = await _decoded(token, issuer.keys)
        if str(decoded.header.get("typ", "")).lower() not in TYPES:
            raise InvalidTokenError("The type is not that of an access token (at+jwt or JWT).")
        _registry(issuer).validate(decoded.claims)
    except JoseError as error:
        raise InvalidTokenError(f"The token does not hold ({error.error}).") from None
    return decoded.claims


async def _decoded(token: str, keys: Keys) -> jwt.Token:
    try:
        return _decode(token, await keys.current())
    except InvalidKeyIdError:
        await keys.read_again()
        return _decode(token, await keys.current())


def _decode(token: str, keys: KeySet) -> jwt.Token:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 gives EdDSA a new name; issuers use the old one
        try:
            return jwt.decode(token, keys, registry=_REGISTRY)
        except (ValueError, TypeError):  # of what a header or a key holds
            raise InvalidTokenError("This is not a signed JWT.") from None


def _registry(issuer: TrustedIssuer) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        leeway=SKEW_SECONDS,
        iss={"essential": True, "value": issuer.name},
        aud={"essential": True, "value": issuer.audience},
        exp={"essential": True},
        sub={"essential": True},
    )


class _Said(BaseModel):
    """The claims that make a caller."""

    sub: _Text
    role: Role
    agency: _Text | None = None
    schools: Annotated[list[_Text], Field(max_length=1_000)] | None = None
    records: Annotated[list[_Text], Field(max_length=100)] | None = None
    exp: float


def _caller(claims: jwt.Claims, issuer: TrustedIssuer) -> Caller:
    try:
        said = _Said.model_validate(claims)
        expires_at = datetime.fromtimestamp(said.exp, UTC)
    except ValidationError as error:
        wrong = sorted({str(each["loc"][0]) for each in error.errors(include_input=False, include_url=False)})
        raise InvalidTokenError(f"Claims are missing or not valid: {', '.join(wrong)}.") from None
    except (OverflowError, ValueError, OSError):
        raise InvalidTokenError("Claims are missing or not valid: exp.") from None
    if expires_at <= datetime.now(UTC):
        raise InvalidTokenError("The token has expired.")
    if said.role not in issuer.roles:
        raise InvalidTokenError("The issuer may not give this role.")
    return Caller(
        subject=said.sub,
        role=said.role,
        agency=said.agency,
        schools=None if said.schools is None else frozenset(said.schools),
        records=None if said.records is None else frozenset(said.records),
        expires_at=expires_at,
    )
