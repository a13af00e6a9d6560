"""What is believed of a token, and all that is not."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from services.platform.identity.caller import PEOPLE, Caller
from services.platform.identity.keys import HeldKeys
from services.platform.identity.verifier import ALGORITHMS, InvalidTokenError, TokenVerifier, TrustedIssuer

ISSUER, AUDIENCE = "https://id.district.example", "firstbell"
KEY = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
OTHER = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048, auto_kid=True)
ED = OKPKey.generate_key("Ed25519", auto_kid=True)
PUBLIC = KeySet.import_key_set(KeySet([KEY, RSA, ED]).as_dict(private=False))
VERIFIER = TokenVerifier(TrustedIssuer(ISSUER, AUDIENCE, HeldKeys(PUBLIC), PEOPLE))
NOW = int(time.time())
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "p-1", "role": "caseworker", "exp": NOW + 86_400}
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}


def signed(key: Any = KEY, header: dict[str, Any] | None = None, **claims: object) -> str:
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    head = HEADER | (header or {})
    return jwt.encode(head, said, key, algorithms=[head["alg"]], default_type=None)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def with_header(**header: object) -> str:
    """The good token's claims under another header, with its signature."""
    _, claims, signature = signed().split(".")
    return ".".join([b64(json.dumps(header).encode()), claims, signature])


def unsigned() -> str:
    return with_header(alg="none", typ="at+jwt").rpartition(".")[0] + "."


def keyed_by_the_public_key() -> str:
    """HS256 with what everybody can read as the secret."""
    head = b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": KEY.kid}).encode())
    text = f"{head}.{b64(json.dumps(CLAIMS).encode())}"
    return f"{text}.{b64(hmac.digest(KEY.as_pem(private=False), text.encode(), 'sha256'))}"


def altered() -> str:
    head, _, signature = signed().split(".")
    return f"{head}.{b64(json.dumps({**CLAIMS, 'role': 'steward'}).encode())}.{signature}"


FORGED: dict[str, Callable[[], str]] = {
    "by another key under a known name": lambda: signed(OTHER),
    "by an unknown key": lambda: signed(OTHER, {"kid": OTHER.kid}),
    "claims of another": altered,
    "no signature": unsigned,
    "the public key as a secret": keyed_by_the_public_key,
    "another algorithm than the key's": lambda: with_header(alg="RS256", typ="at+jwt", kid=KEY.kid),
    "a critical header that nobody knows": lambda: with_header(**HEADER, crit=["x"], x=1),
    "critical, but no list": lambda: with_header(**HEADER, crit=7),
    "an algorithm that is a list": lambda: with_header(alg=["ES256"], typ="JWT"),
    "a key's name that is an object": lambda: with_header(alg="ES256", typ="JWT", kid={"a": 1}),
    "a header that is a list": lambda: ".".join([b64(b"[]"), *signed().split(".")[1:]]),
    "a header that is a number": lambda: ".".join([b64(b"7"), *signed().split(".")[1:]]),
    "expires at what is no number": lambda: signed(exp=float("nan")),
    "never ever expires": lambda: signed(exp=float("inf")),
    "its own key": lambda: signed(OTHER, {"kid": OTHER.kid, "jwk": OTHER.as_dict(private=False)}),
    "expired": lambda: signed(exp=NOW - 1),
    "expired this second": lambda: signed(exp=int(time.time())),
    "never expires": lambda: signed(exp=None),
    "expires at no time": lambda: signed(exp="soon"),
    "expires after the last year": lambda: signed(exp=10**18),
    "not yet valid": lambda: signed(nbf=NOW + 36_000),
    "issued tomorrow": lambda: signed(iat=NOW + 86_400),
    "for another audience": lambda: signed(aud="payroll"),
    "for other audiences": lambda: signed(aud=["payroll", "lunch"]),
    "for nobody": lambda: signed(aud=None),
    "by another issuer": lambda: signed(iss="https://id.elsewhere.example"),
    "by nobody": lambda: signed(iss=None),
    "issuer that is no text": lambda: signed(iss=[ISSUER]),
    "of no type": lambda: jwt.encode(
        {"alg": "ES256", "kid": KEY.kid}, CLAIMS, KEY, algorithms=["ES256"], default_type=None
    ),
    "of another type": lambda: signed(header={"typ": "logout+jwt"}),
    "of nobody": lambda: signed(sub=None),
    "of an empty name": lambda: signed(sub=""),
    "without a role": lambda: signed(role=None),
    "of no such role": lambda: signed(role="principal"),
    "a service by the people's issuer": lambda: signed(role="service"),
    "schools that are no list": lambda: signed(schools="dearborn"),
    "schools that are no text": lambda: signed(schools=[1]),
    "nothing": lambda: "",
    "no token": lambda: "let-me-in",
    "three dots": lambda: "...",
    "beyond ASCII": lambda: signed() + "é",
    "claims that are a list": lambda: f"{signed().split('.')[0]}.{b64(b'[]')}.{signed().split('.')[2]}",
    "deep claims": lambda: f"{signed().split('.')[0]}.{b64(b'[' * 90_000)}.AAAA",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_it_is_not_believed_and_nothing_of_it_is_said(forged: Callable[[], str]) -> None:
    token = forged()
    with pytest.raises(InvalidTokenError) as caught:
        await VERIFIER.verify(token)
    said = str(caught.value)
    assert said.isascii()
    assert '"' not in said
    for part in ("payroll", "elsewhere", "principal", "p-1", OTHER.kid or ""):
        assert part not in said


async def test_a_good_token_makes_its_caller() -> None:
    caller = await VERIFIER.verify(signed(agency="project-hope", schools=["dearborn"], records=["attendance"]))
    assert caller == Caller(
        subject="p-1",
        role="caseworker",
        agency="project-hope",
        schools=frozenset({"dearborn"}),
        records=frozenset({"attendance"}),
        expires_at=datetime.fromtimestamp(NOW + 86_400, UTC),
    )
    assert (caller.covers("dearborn"), caller.covers("burke-high"), caller.covers(None)) == (True, False, False)


async def test_what_is_not_said_limits_nothing_and_an_empty_list_all() -> None:
    caller = await VERIFIER.verify(signed())
    assert (caller.agency, caller.schools, caller.records) == (None, None, None)
    assert caller.covers("dearborn")
    assert not (await VERIFIER.verify(signed(schools=[]))).covers("dearborn")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("ES256", KEY), ("RS256", RSA), ("PS256", RSA), ("Ed25519", ED)],
)
async def test_signatures_by_a_private_key_are_known(algorithm: str, key: Any) -> None:
    assert (await VERIFIER.verify(signed(key, {"alg": algorithm, "kid": key.kid}))).subject == "p-1"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_the_old_name_of_ed25519_is_known_too() -> None:
    assert (await VERIFIER.verify(signed(ED, {"alg": "EdDSA", "kid": ED.kid}))).subject == "p-1"


def test_no_algorithm_shares_a_secret() -> None:
    assert not [name for name in ALGORITHMS if name.startswith("HS") or name == "none"]


async def test_a_shared_secret_in_the_key_set_is_of_no_use() -> None:
    secret = OctKey.generate_key(256, auto_kid=True)
    verifier = TokenVerifier(TrustedIssuer(ISSUER, AUDIENCE, HeldKeys(KeySet([secret])), PEOPLE))
    with pytest.raises(InvalidTokenError):
        await verifier.verify(signed(secret, {"alg": "HS256", "kid": secret.kid}))


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
async def test_the_type_is_that_of_an_access_token(kind: str) -> None:
    assert (await VERIFIER.verify(signed(header={"typ": kind}))).role == "caseworker"


async def test_an_issuer_whose_clock_runs_a_little_ahead_is_believed() -> None:
    assert (await VERIFIER.verify(signed(iat=int(time.time()) + 5, nbf=int(time.time()) + 5))).role == "caseworker"


async def test_an_issuer_is_believed_by_its_own_keys_alone() -> None:
    both = TokenVerifier(
        TrustedIssuer(ISSUER, AUDIENCE, HeldKeys(PUBLIC), PEOPLE),
        TrustedIssuer("urn:other", AUDIENCE, HeldKeys(KeySet([OTHER])), PEOPLE),
    )
    assert (await both.verify(signed(OTHER, {"kid": OTHER.kid}, iss="urn:other"))).subject == "p-1"
    with pytest.raises(InvalidTokenError):
        await both.verify(signed(iss="urn:other"))
