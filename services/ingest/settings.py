"""Ingest's settings: how much it may hold at once, and how long it waits."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from services.platform.settings import Settings


class IngestSettings(Settings):
    """The shared settings and ingest's own."""

    kafka_wait_seconds: float = Field(default=30, gt=0)
    """How long a request waits for Kafka's acknowledgement before it answers 503."""
    import_patience_seconds: float = Field(default=600, gt=0)
    """How long an import goes on trying while Kafka or the database is away."""
    batches_in_flight: int = Field(default=8, ge=1)
    """Batches of marks that one process takes in at once; more wait, so that memory is bounded."""
    max_body_bytes: int = Field(default=16_000_000, ge=1_000)
    """The largest JSON body; NDJSON has no limit."""
    max_line_bytes: int = Field(default=64_000, ge=1_000)
    """The longest NDJSON line."""
    snapshot_share: float = Field(default=0.05, ge=0, le=1)
    """A snapshot that would take back more than this share of what stands,"""
    snapshot_marks: int = Field(default=20, ge=0)
    """and more marks than this, is refused unless it is confirmed: it is likely a cut file."""
    sweep_seconds: float = Field(default=30, gt=0)
    """How often the service looks for consents that ended or began, and for what Kafka has not got yet."""

    audit_key_file: Path | None = None
    """The private key that signs the audit's checkpoints; None means `<data_dir>/secrets/audit.jwk`, made at first
    use."""
    audit_checkpoints: Path | None = None
    """The folder that gets a checkpoint a day; None means `<data_dir>/checkpoints`."""

    def on(self, kafka: str, database: str) -> IngestSettings:
        """These settings with another Kafka and database."""
        return self.model_copy(update={"kafka": kafka, "database": SecretStr(database)})

    @property
    def key_file(self) -> Path:
        """Where the pseudonyms' key is."""
        return self.pseudonym_key_file or self.data_dir / "secrets" / "pseudonym.key"

    @property
    def audit_key(self) -> Path:
        """Where the key is that signs checkpoints."""
        return self.audit_key_file or self.data_dir / "secrets" / "audit.jwk"

    @property
    def checkpoints(self) -> Path:
        """Where each day's checkpoint is kept."""
        return self.audit_checkpoints or self.data_dir / "checkpoints"
