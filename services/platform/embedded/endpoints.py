"""Where a running stack is, as `firstbell up --json` prints it and `stack.json` keeps it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from services.platform.embedded.data_dir import DataDir
from services.platform.processes import ProcessId, write_atomically


@dataclass(frozen=True)
class Endpoints:
    """What the services stand on, embedded or outside: two addresses `host:port` and a database URL."""

    kafka: str
    database: str = field(repr=False)
    smtp: str


class RunningService(BaseModel):
    """One process of the stack; the pid is null when it is not ours or does not run."""

    model_config = ConfigDict(frozen=True)

    pid: int | None
    url: str | None


class Stack(BaseModel):
    """A running stack. The database URL holds the password: print it only where it is asked for."""

    model_config = ConfigDict(frozen=True)

    ingest: str
    casework: str
    notify: str
    warning: str
    kafka: str
    database: str = Field(repr=False)
    smtp: str
    mail_dir: Path | None
    data_dir: Path
    issuer: str
    """Who issues the tokens that the services believe."""
    services: Mapping[str, RunningService]

    def pid(self, name: str) -> int:
        """The pid of a running process; raises `LookupError` when it has none (outside, or not running)."""
        service = self.services.get(name)
        if service is None or service.pid is None:
            raise LookupError(f"{name} is no running process of this stack")
        return service.pid


class _File(BaseModel):
    owner_pid: int
    owner_create_time: float
    stack: Stack


def write_stack(stack: Stack) -> None:
    """Keep it as `stack.json`, with this process as the owner; mode 0600."""
    me = ProcessId.of(os.getpid())
    content = _File(owner_pid=me.pid, owner_create_time=me.create_time, stack=stack)
    write_atomically(DataDir(stack.data_dir).stack_file, content.model_dump_json(indent=1))


def read_stack(data_dir: Path) -> Stack | None:
    """The stack that runs on this folder; None when none does."""
    path = DataDir(data_dir).stack_file
    if not path.exists():
        return None
    content = _File.model_validate_json(path.read_bytes())
    owner = ProcessId(content.owner_pid, content.owner_create_time)
    return content.stack if owner.find() is not None else None
