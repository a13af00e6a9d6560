"""The settings that every part shares, read from `FIRSTBELL_…` and `.env` (see `.env.example`)."""

from __future__ import annotations

import ipaddress
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

    host: str = "127.0.0.1"
    """Where the services listen. Elsewhere than on loopback only with TLS, or behind a proxy."""
    tls_cert: Path | None = None
    """The certificate (PEM, its chain behind it) and"""
    tls_key: Path | None = None
    """its private key; with both the services speak TLS."""
    trusted_proxy: str | None = None
    """The address of the proxy that ends TLS: nobody else beyond this machine is then answered."""

    public_url: str | None = None
    """What people reach the console by, and what the links in mails start with; None means casework on this machine."""

    teams_file: Path | None = None
    """Who works with alerts; None means `<data_dir>/teams.toml`, or the embedded default team without one."""

    oidc_issuer: str | None = None
    """Who issues the tokens that are believed; None means the embedded run's own issuer."""
    oidc_audience: str | None = None
    """For whom they must be issued,"""
    oidc_jwks: str | None = None
    """and by which keys: a JWKS, by https URL or as a file."""
    service_key_file: Path | None = None
    """The private key by which services know each other; None means `<data_dir>/secrets/services.jwk`, made at first
    use."""
    token_for_health: bool = False
    """Whether `/healthz`, `/readyz` and `/metrics` ask for a token too,"""
    token_for_docs: bool = False
    """and the OpenAPI documents."""

    pseudonym_key_file: Path | None = None
    """The HMAC key, mode 0600; None means `<data_dir>/secrets/pseudonym.key`, made at first use."""
    master_key: SecretStr | None = None
    """What wraps the keys by which all that is about one student is sealed: 32 bytes in base64url, the newest first
    when there are several, with commas. None means"""
    master_key_file: Path | None = None
    """a file of mode 0600, a key a line; None means `<data_dir>/secrets/master.key`, which `prepare` and `up` make."""
    erasure_ledger_file: Path | None = None
    """The ledger of erasures outside the database; None means `<data_dir>/secrets/erasure-ledger.jsonl`."""

    @field_validator("trusted_proxy")
    @classmethod
    def _address(cls, address: str | None) -> str | None:
        return None if address is None else str(ipaddress.ip_address(address))

    @field_validator("oidc_jwks")
    @classmethod
    def _private_way(cls, source: str | None) -> str | None:
        if source is not None and source.startswith("http://"):
            raise ValueError("not https")
        return source

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

    @property
    def service_key(self) -> Path:
        """Where the key is by which services know each other."""
        return self.service_key_file or self.data_dir / "secrets" / "services.jwk"

    @property
    def master_file(self) -> Path:
        """Where the master key is, unless it is a setting."""
        return self.master_key_file or self.data_dir / "secrets" / "master.key"

    @property
    def ledger_file(self) -> Path:
        """Where the ledger of erasures is kept outside the database."""
        return self.erasure_ledger_file or self.data_dir / "secrets" / "erasure-ledger.jsonl"

    def url_here(self, port: int) -> str:
        """The base URL of a service of this machine."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
        host = everywhere.get(self.host, self.host)
        return f"{'http' if self.tls_cert is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"

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
