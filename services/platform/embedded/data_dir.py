"""The one folder with everything a stack keeps. Who uses it is told by a lock that ends with its process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from services.platform.embedded.errors import DataDirInUseError, EmbeddedError
from services.platform.processes import ProcessId, ProcessRegistry, write_atomically

_PARTS = ("kafka", "postgres", "mail", "logs", "run")


class DataDir:
    """Paths below one data folder. It holds data of students: only its owner may enter it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.kafka = self.root / "kafka"
        self.postgres = self.root / "postgres"
        self.mail = self.root / "mail"
        self.logs = self.root / "logs"
        self.run = self.root / "run"
        self.secrets = self.root / "secrets"
        """Made with the first secret."""
        self.stack_file = self.root / "stack.json"
        self.jwks_file = self.run / "jwks.json"

    def create(self) -> None:
        """Make what is missing, with mode 0700; raises `EmbeddedError` when that cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in _PARTS:
                (self.root / part).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"The data folder {self.root} cannot be used ({error.strerror}). "
                "Choose one that you own with --data-dir or FIRSTBELL_DATA_DIR."
            ) from error

    def registry(self) -> ProcessRegistry:
        """The record of the running children."""
        return ProcessRegistry(self.run / "children.json")

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only user of the folder; raises `DataDirInUseError` when another process is."""
        lock = FileLock(self.run / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise DataDirInUseError(self._in_use()) from None
        try:
            write_atomically(self.run / "owner.json", json.dumps(asdict(ProcessId.of(os.getpid()))))
            yield
        finally:
            lock.release()

    def _in_use(self) -> str:
        owner = read_process_id(self.run / "owner.json")
        who = f"process {owner.pid}" if owner is not None and owner.find() is not None else "another process"
        return (
            f"The data folder {self.root} is in use by {who}. "
            "Stop that one first, or choose another folder with --data-dir."
        )


def read_process_id(path: Path) -> ProcessId | None:
    """What `hold` wrote; None when there is nothing."""
    if not path.exists():
        return None
    return ProcessId(**json.loads(path.read_text()))
