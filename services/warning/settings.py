"""The worker's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from services.platform.settings import Settings


class WarningSettings(Settings):
    """What the worker needs beside the shared settings."""

    store: Literal["rocksdb", "memory"] = "rocksdb"
    """Where windows are kept beside Kafka's changelog; memory is for tests."""
    policy_file: Path | None = None
    """The rules (TOML); None means the policy that ships."""
    model_file: Path | None = None
    """The risk model (JSON, from `firstbell train`); None means the one that ships."""
    capacity: int | None = Field(default=None, ge=1)
    """How many students each agency can newly take on in a week; None lets the rules' levels hold."""
    session_seconds: float = Field(default=10, ge=6)
    """After this long without a sign of life a worker's partitions go to another (Faust's own default is a minute)."""
    commit_seconds: float = 0.2
    """How often offsets are committed (Faust's own default is 2.8 s)."""
