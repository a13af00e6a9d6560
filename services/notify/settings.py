"""Notify's settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr, field_validator

from services.notify.escalation import EscalationPlan
from services.notify.working_time import WorkingTime, parse_days
from services.platform.day_hours import DayHours
from services.platform.settings import Settings, SettingsError


class NotifySettings(Settings):
    """Read from `FIRSTBELL_…`, as every service's."""

    mail_from: str = Field(default="first-bell@firstbell.example", pattern=r"^[!-?A-~]+@[A-Za-z0-9.-]+$")
    """The sender's address; its domain is in every Message-ID."""
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None

    escalate_urgent_hours: float = Field(default=4.0, gt=0)
    """Working hours after which an urgent case that nobody takes goes to the supervisors; fractions are allowed."""
    escalate_days: float = Field(default=2.0, gt=0)
    """Working days after which every other one does."""
    working_hours: str = "08:00-17:00"
    """When people work, by the clock of the district,"""
    working_days: str = "mon-fri"
    """and on which days."""

    retry_base_seconds: float = Field(default=1.0, gt=0)
    """The wait after the first failure; it doubles with each, with jitter."""
    retry_cap_seconds: float = Field(default=600.0, gt=0)
    """The longest wait between two tries."""
    retry_budget_hours: float = Field(default=24.0, gt=0)
    """A mail that is this old and fails again is given up."""

    @field_validator("working_hours")
    @classmethod
    def _hours(cls, given: str) -> str:
        hours = DayHours.parse(given)
        if hours.ends <= hours.begins:
            raise ValueError("working hours over midnight")
        return given

    @field_validator("working_days")
    @classmethod
    def _days(cls, given: str) -> str:
        parse_days(given)
        return given

    @property
    def escalation(self) -> EscalationPlan:
        """When what goes to the supervisors."""
        working = WorkingTime(DayHours.parse(self.working_hours), parse_days(self.working_days), self.tz)
        return EscalationPlan(working, self.escalate_urgent_hours, self.escalate_days)

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
