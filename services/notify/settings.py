"""Notify's settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from services.platform.settings import Settings, SettingsError


class NotifySettings(Settings):
    """Read from `FIRSTBELL_…`, as every service's."""

    teams_file: Path | None = None
    """Who is notified of which school; None means `<data_dir>/teams.toml`, or the embedded default team without one."""
    mail_from: str = Field(default="first-bell@firstbell.example", pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$")
    """The sender's address; its domain is in every Message-ID."""
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None

    retry_base_seconds: float = Field(default=1.0, gt=0)
    """The wait after the first failure; it doubles with each, with jitter."""
    retry_cap_seconds: float = Field(default=600.0, gt=0)
    """The longest wait between two tries."""
    retry_budget_hours: float = Field(default=24.0, gt=0)
    """A mail that is this old and fails again is given up."""

    @property
    def retry_budget(self) -> timedelta:
        """How long a mail is tried."""
        return timedelta(hours=self.retry_budget_hours)

    def require_smtp(self) -> tuple[str, int]:
        """Host and port of the SMTP server; raises `SettingsError`."""
        host, _, port = (self.smtp or "").rpartition(":")
        if not host or not port.isdecimal():
            raise SettingsError("FIRSTBELL_SMTP is not set to host:port. Set it, or use `firstbell up`.")
        return host.strip("[]"), int(port)

    def require_public_url(self) -> str:
        """What links start with, without a trailing slash; raises `SettingsError`."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        if self.casework_port == 0:
            raise SettingsError(
                "Mails link to casework, and its address is not known. Set FIRSTBELL_PUBLIC_URL (or "
                "FIRSTBELL_CASEWORK_PORT when casework runs on this machine), or use `firstbell up`."
            )
        return self.url_here(self.casework_port)
