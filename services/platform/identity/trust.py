"""Whom a process believes, and as whom it speaks itself, by its settings."""

from __future__ import annotations

from services.platform.identity.caller import PEOPLE, SERVICE_ALONE
from services.platform.identity.client import SignedRequests
from services.platform.identity.keys import HeldKeys, PublishedKeys
from services.platform.identity.own_issuer import AUDIENCE, EMBEDDED, SERVICES, Grant, OwnIssuer
from services.platform.identity.verifier import TokenVerifier, TrustedIssuer
from services.platform.settings import Settings, SettingsError


def make_verifier(settings: Settings, *, for_people: bool) -> TokenVerifier:
    """Believes the issuer of the settings for people, and our own key for services; raises `SettingsError`.

    A service that is not `for_people` may do without the former, and then answers services alone.
    """
    ours = TrustedIssuer(SERVICES, AUDIENCE, HeldKeys(service_issuer(settings).public_keys()), SERVICE_ALONE)
    if not for_people and settings.oidc_issuer is None:
        return TokenVerifier(ours)
    return TokenVerifier(ours, _peoples(settings))


def _peoples(settings: Settings) -> TrustedIssuer:
    named = {
        "FIRSTBELL_OIDC_ISSUER": settings.oidc_issuer,
        "FIRSTBELL_OIDC_AUDIENCE": settings.oidc_audience,
        "FIRSTBELL_OIDC_JWKS": settings.oidc_jwks,
    }
    missing = [name for name, value in named.items() if not value]
    if missing:
        raise SettingsError(
            f"Not set: {', '.join(missing)}. Nobody could be known: set them to what your identity provider says, "
            "or use `firstbell up`, which has an issuer of its own."
        )
    keys = PublishedKeys(str(settings.oidc_jwks))
    return TrustedIssuer(str(settings.oidc_issuer), str(settings.oidc_audience), keys, roles=PEOPLE)


def service_issuer(settings: Settings) -> OwnIssuer:
    """Signs as one of the services."""
    return OwnIssuer.load(SERVICES, settings.service_key)


def as_service(settings: Settings, name: str) -> SignedRequests:
    """What a service or command of ours, known as `name`, sends to the services."""
    return SignedRequests(service_issuer(settings), Grant(role="service", subject=name))


def embedded_issuer(settings: Settings) -> OwnIssuer:
    """The embedded run's issuer; raises `SettingsError` where the settings name an outside issuer or database."""
    if settings.oidc_issuer is not None:
        raise SettingsError(
            f"Tokens are issued by {settings.oidc_issuer} (FIRSTBELL_OIDC_ISSUER): get one there. "
            "The embedded run's own issuer is only used without it."
        )
    if settings.database is not None:
        raise SettingsError(
            "FIRSTBELL_DATABASE names an outside database, and there the embedded run's own issuer is not used: set "
            "FIRSTBELL_OIDC_ISSUER, FIRSTBELL_OIDC_AUDIENCE and FIRSTBELL_OIDC_JWKS, and get tokens from that issuer. "
            "`firstbell doctor` says what else is missing."
        )
    return OwnIssuer.load(EMBEDDED, settings.data_dir / "secrets" / "issuer.jwk")


def sign_in_issuer(settings: Settings) -> OwnIssuer | None:
    """The embedded run's issuer as its service that people sign in to has it; None where they come from elsewhere."""
    if settings.oidc_issuer != EMBEDDED:
        return None
    return OwnIssuer.load(EMBEDDED, settings.data_dir / "secrets" / "issuer.jwk")
