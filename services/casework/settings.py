"""Casework's settings."""

from __future__ import annotations

from pydantic import Field, SecretStr

from services.platform.settings import Settings


class CaseworkSettings(Settings):
    """Read from `FIRSTBELL_…`, as every service's."""

    warning_urls: str = ""
    """Base URLs of the warning workers, separated by commas; empty means the one on this machine's `warning_port`."""

    ingest_url: str | None = None
    """Ingest's base URL, which the steward's pages ask; None means the one on this machine's `ingest_port`."""
    oidc_client_id: str | None = None
    """As what the console is known to the identity provider; None: nobody signs in there."""
    oidc_client_secret: SecretStr | None = None
    """And by which secret, where the provider asks for one."""

    students_per_hour: int = Field(default=5_000, ge=1)
    """How many students one subject may look at in an hour, in each process."""

    @property
    def workers(self) -> tuple[str, ...]:
        """The workers' base URLs without a trailing slash; a student's window is asked of each."""
        urls = (url.strip().rstrip("/") for url in self.warning_urls.split(","))
        named = tuple(url for url in urls if url)
        return named if named or self.warning_port == 0 else (self.url_here(self.warning_port),)
