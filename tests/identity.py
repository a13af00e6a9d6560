"""An issuer for tests: settings that believe it, and what its callers send."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from services.ingest.agreement.folder import AGENCY
from services.platform.embedded.data_dir import DataDir
from services.platform.embedded.issuing import with_issuer
from services.platform.identity.caller import Role
from services.platform.identity.client import SignedRequests
from services.platform.identity.own_issuer import Grant, OwnIssuer
from services.platform.identity.trust import embedded_issuer, service_issuer
from services.platform.settings import Settings

SettingsT = TypeVar("SettingsT", bound=Settings)


class Identity:
    """An embedded run's issuer, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        DataDir(folder).create()
        self._own = Settings(data_dir=folder, kafka=None, database=None, smtp=None)
        self._named = with_issuer(self._own)

    @property
    def issuer(self) -> OwnIssuer:
        return embedded_issuer(self._own)

    def of(self, settings: SettingsT) -> SettingsT:
        """These settings, whose service believes the issuer."""
        named = {name: getattr(self._named, name) for name in ("oidc_issuer", "oidc_audience", "oidc_jwks")}
        return settings.model_copy(update={**named, "service_key_file": self._own.service_key})

    def environment(self) -> dict[str, str]:
        """The same for a process of its own."""
        named = self.of(Settings())
        names = ("oidc_issuer", "oidc_audience", "oidc_jwks", "service_key_file")
        return {f"FIRSTBELL_{name.upper()}": str(getattr(named, name)) for name in names}

    def auth(
        self,
        role: Role = "caseworker",
        *,
        subject: str = "somebody",
        agency: str | None = AGENCY,
        schools: Collection[str] | None = None,
        records: Collection[str] | None = None,
    ) -> SignedRequests:
        """What a client sends as somebody of this role."""
        issuer = service_issuer(self._own) if role == "service" else self.issuer
        return SignedRequests(
            issuer, Grant(role=role, subject=subject, agency=agency, schools=schools, records=records)
        )
