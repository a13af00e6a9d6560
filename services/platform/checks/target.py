"""What is checked: the addresses of a running stack, or those in the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

from services.platform.checks.result import CheckResult, failed, ok
from services.platform.embedded.endpoints import Stack
from services.platform.identity.trust import as_service
from services.platform.near import near_client
from services.platform.service import Services, ServiceSpec, with_schema
from services.platform.settings import Settings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Target:
    """Addresses are None where nothing runs; `partitions` is None when any number will do, the same for every topic."""

    data_dir: Path
    key_file: Path
    embedded_kafka: bool
    kafka: str | None
    database: str | None = field(repr=False)
    smtp: str | None
    services: Mapping[str, str]
    """Base URLs by the service's name."""
    schemas: Sequence[ServiceSpec]
    """The services that keep something in the database."""
    partitions: int | None
    issuer: CheckResult
    """Whether the services know whom to believe."""
    connect: Callable[[float], httpx.AsyncClient] = field(repr=False)
    """Makes a client of the services with this timeout in seconds."""

    @property
    def nothing_runs(self) -> str:
        """Why a check of something that is running is skipped."""
        return f"nothing is running in {self.data_dir}; start it with `firstbell up`"


def find_target(settings: Settings, stack: Stack | None, services: Services, *, key_file: Path) -> Target:
    """The running stack, or without one what the settings point at (services then by their ports on this machine)."""
    embedded = settings.kafka is None
    if stack is not None:
        urls = {name: service.url for name, service in stack.services.items() if service.url is not None}
        return Target(
            data_dir=settings.data_dir,
            key_file=key_file,
            embedded_kafka=embedded,
            kafka=stack.kafka,
            database=stack.database_app,
            smtp=stack.smtp,
            services=urls,
            schemas=with_schema(services),
            partitions=None,
            issuer=_issuer(settings, stack),
            connect=partial(_connect, settings),
        )
    ports = {service.name: getattr(settings, f"{service.name}_port") for service in services}
    return Target(
        data_dir=settings.data_dir,
        key_file=key_file,
        embedded_kafka=embedded,
        kafka=settings.kafka,
        database=None if settings.database is None else settings.database.get_secret_value(),
        smtp=settings.smtp,
        services={} if embedded else {name: settings.url_here(port) for name, port in ports.items() if port},
        schemas=with_schema(services),
        partitions=settings.partitions,
        issuer=_issuer(settings, stack),
        connect=partial(_connect, settings),
    )


def _issuer(settings: Settings, stack: Stack | None) -> CheckResult:
    for key in (settings.service_key, settings.data_dir / "secrets" / "issuer.jwk"):
        if key.exists() and key.stat().st_mode & 0o077:
            hint = f"Run `chmod 600 {key}`, and remove it if someone may have read it: a new one is made."
            return failed("issuer", f"{key} is open to others", hint)
    if stack is not None:
        return ok("issuer", stack.issuer)
    if settings.oidc_issuer is None and settings.database is None:
        return ok("issuer", "the embedded run's own; `firstbell token` prints tokens of it")
    named = {
        "FIRSTBELL_OIDC_ISSUER": settings.oidc_issuer,
        "FIRSTBELL_OIDC_AUDIENCE": settings.oidc_audience,
        "FIRSTBELL_OIDC_JWKS": settings.oidc_jwks,
    }
    if missing := [name for name, value in named.items() if not value]:
        hint = "Set them to what your identity provider says: without them nobody can be known."
        return failed("issuer", f"not set: {', '.join(missing)}", hint)
    return ok("issuer", str(settings.oidc_issuer))


def _connect(settings: Settings, timeout: float) -> httpx.AsyncClient:
    """A client that the services know, when there is a key to be known by: a check makes none."""
    try:
        auth = as_service(settings, "firstbell-doctor") if settings.service_key.exists() else None
    except SettingsError:
        auth = None  # the check of the issuer says it
    return near_client(settings, auth=auth, timeout=timeout)
