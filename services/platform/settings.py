"""The settings that every part shares, read from `FIRSTBELL_…` and `.env` (see `.env.example`)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.platform.errors import OperatorError


class Settings(BaseSettings):
    """One process's settings. A service adds its own fields in its `settings.py`."""

    model_config = SettingsConfigDict(
        env_prefix="FIRSTBELL_",
        env_file=".env",
        env_file_encoding="utf-8-sig",
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    data_dir: Path = Path(".firstbell")
    kafka: str | None = None
    """`host:port` of an outside cluster; None means the embedded broker."""
    database: SecretStr | None = None
    """`postgresql+psycopg://user:password@host:port/name`; None means the embedded PostgreSQL."""
    smtp: str | None = None
    """`host:port` of an SMTP server; None means the embedded sink that keeps mails as files."""
    maven_mirror: str | None = None
    """A mirror to fetch the broker's jars from; None means the central repository."""

    kafka_port: int = 0
    database_port: int = 0
    smtp_port: int = 0
    ingest_port: int = 0
    casework_port: int = 0
    notify_port: int = 0
    warning_port: int = 0
    """0 means a free port."""

    partitions: int = Field(default=4, ge=1, le=1024)
    replication_factor: int = Field(default=1, ge=1)
    timezone: str = "America/New_York"
    """The district's: it says which day is today for consents, and dates times without an offset."""

    pseudonym_key_file: Path | None = None
    """The HMAC key, mode 0600; None means `<data_dir>/secrets/pseudonym.key`, made at first use."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("not an IANA name")
        return name

    @classmethod
    def load(cls, data_dir: Path | None = None) -> Self:
        """The settings of this process, with a data folder above the environment's; raises `SettingsError`."""
        try:
            return cls() if data_dir is None else cls(data_dir=data_dir)
        except ValidationError as error:
            names = sorted({"FIRSTBELL_" + str(e["loc"][0]).upper() for e in error.errors() if e["loc"]})
            text = f"Not valid: {', '.join(names)}. See .env.example for what each expects."
            raise SettingsError(text) from None  # its words hold the input

    @property
    def tz(self) -> ZoneInfo:
        """The district's timezone."""
        return ZoneInfo(self.timezone)

    def wall_today(self) -> date:
        """Today's date in the district's timezone."""
        return datetime.now(self.tz).date()

    def require_kafka(self) -> str:
        """The bootstrap address; raises `SettingsError` when a service was started without one."""
        if self.kafka is None:
            raise SettingsError("FIRSTBELL_KAFKA is not set. Set it to host:port, or use `firstbell up`.")
        return self.kafka

    def require_database(self) -> str:
        """The database URL; raises `SettingsError` when a service was started without one."""
        if self.database is None:
            raise SettingsError(
                "FIRSTBELL_DATABASE is not set. Set it to postgresql+psycopg://user:password@host:port/name, "
                "or use `firstbell up`."
            )
        return self.database.get_secret_value()


class SettingsError(OperatorError):
    """A setting is missing or cannot be used; the message says which and what to do."""
