"""Where a running stack is, as `firstbell up --json` prints it and `stack.json` keeps it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import make_url

from services.platform.embedded.data_dir import DataDir
from services.platform.processes import ProcessId, write_atomically
from services.platform.roles import READER, as_role, read_password, role_of


@dataclass(frozen=True)
class Endpoints:
    """What the services stand on, embedded or outside: two addresses `host:port` and the owner's database URL."""

    kafka: str
    database: str = field(repr=False)
    smtp: str
    roles: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The database's URLs of the roles that have a login of their own; the owner becomes the others."""

    def database_of(self, service: str) -> str:
        """The database as the role of a service, or of `READER`."""
        role = role_of(service)
        return self.roles.get(role) or as_role(self.database, role)


class RunningService(BaseModel):
    """One process of the stack; the pid is null when it is not ours or does not run."""

    model_config = ConfigDict(frozen=True)

    pid: int | None
    url: str | None


class Stack(BaseModel):
    """A running stack. The database URLs hold passwords: print them only where they are asked for."""

    model_config = ConfigDict(frozen=True)

    ingest: str
    casework: str
    console: str
    """Where people sign in."""
    notify: str
    warning: str
    kafka: str
    database: str = Field(repr=False)
    """The owner's."""
    database_app: str = Field(repr=False)
    """The reader's, which row-level security holds."""
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


def stack_database(stack: Stack, service: str) -> str:
    """The database of a running stack as the role of a service; raises `SettingsError`."""
    role, reader = role_of(service), make_url(stack.database_app)
    if reader.username != role_of(READER):  # outside: the owner becomes the role
        return as_role(stack.database, role)
    password = read_password(DataDir(stack.data_dir).secrets, role)
    return reader.set(username=role, password=password).render_as_string(hide_password=False)


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
