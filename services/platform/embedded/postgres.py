"""One PostgreSQL server as a child process, on loopback only, with a password that is made at the first start."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from services.platform.embedded.errors import PostgresError
from services.platform.embedded.postgres_binaries import Programs, find_programs
from services.platform.processes import Command, OsUser, ProcessRegistry, poll, run_to_end, write_atomically
from services.platform.supervisor import ChildSpec, inherited_environment

USER = DATABASE = "firstbell"
STALE_DEADLINE_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class EmbeddedPostgres:
    """Where the server listens and keeps its data (`home`). Another port finds the same data."""

    home: Path
    logs: Path
    registry: ProcessRegistry
    port: int
    roles: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The passwords of the roles that may log in besides the owner."""

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.home / "data"

    def url(self) -> str:
        """SQLAlchemy's URL of the database, with the password in it; raises `PostgresError` when that was lost."""
        return self._url(USER, self._password())

    def role_url(self, role: str) -> str:
        """The same for one of the `roles`."""
        return self._url(role, self.roles[role])

    def _url(self, user: str, password: str) -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def spec(self) -> ChildSpec:
        """How to run it. The data folder is made when it is missing; raises `PostgresError`."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        programs = find_programs(self.data)
        self._hand_over(self.data, programs.user)
        return ChildSpec(
            command=self._command("postgres", programs, "postgres", *self._options()),
            before_start=lambda: self._prepare(programs),
            ready=self._database_answers,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: open sessions are ended
            grace=30,
        )

    def _options(self) -> list[str]:
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "track_commit_timestamp": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "100",
            # A failing statement's text and values can hold a name.
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            "log_error_verbosity": "terse",
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _command(self, name: str, programs: Programs, program: str, *arguments: str, fd: int | None = None) -> Command:
        return Command(
            name=name,
            argv=[str(programs.folder / program), "-D", programs.data_argument(self.data), *arguments],
            env=inherited_environment(),
            cwd=self.data,
            user=programs.user,
            pass_fds=() if fd is None else (fd,),
        )

    async def _prepare(self, programs: Programs) -> None:
        # The mark is ours, since an initdb that was killed leaves a folder that looks complete.
        if not self._complete.exists():
            await self._initialise(programs)
        await end_stale_server(self.data)

    @property
    def _complete(self) -> Path:
        return self.home / "initialised"

    async def _initialise(self, programs: Programs) -> None:
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        self._hand_over(self.data, programs.user)
        # The password reaches initdb through a file without a name: not in its arguments, nor left on disk.
        with tempfile.TemporaryFile() as password:
            password.write(self._password().encode())
            password.flush()
            self._hand_over(password.fileno(), programs.user)
            options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile=/dev/fd/{password.fileno()}"]
            locale = ["--no-locale", "--encoding=UTF8"]
            command = self._command("initdb", programs, "initdb", *options, *locale, fd=password.fileno())
            await run_to_end(command, self.logs / "initdb.log", self.registry)
        self._complete.touch(mode=0o600)

    @property
    def _password_file(self) -> Path:
        return self.home / "password"

    def _password(self) -> str:
        if not self._password_file.exists():
            if self._complete.exists():
                raise PostgresError(
                    f"The database's password file {self._password_file} is missing. Put it back from a backup, "
                    "or start with another --data-dir."
                )
            write_atomically(self._password_file, secrets.token_urlsafe(32))
        return self._password_file.read_text()

    @staticmethod
    def _hand_over(path: Path | int, user: OsUser | None) -> None:
        if user is not None:
            os.chown(path, user.uid, user.gid)

    async def _database_answers(self) -> bool:
        """Whether it takes connections; makes our database and the roles when they are not there yet."""
        try:
            async with await psycopg.AsyncConnection.connect(
                host="127.0.0.1",
                port=self.port,
                user=USER,
                password=self._password(),
                dbname="postgres",
                autocommit=True,
                connect_timeout=5,
            ) as connection:
                found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if await found.fetchone() is None:
                    await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                for role, password in self.roles.items():
                    await _let_log_in(connection, role, password)
        except psycopg.OperationalError:
            return False
        return True


async def _let_log_in(connection: psycopg.AsyncConnection, role: str, password: str) -> None:
    """Make the role when it is missing, and give it this password, of which the server gets a hash alone."""
    found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    make = "CREATE ROLE {} {}" if await found.fetchone() is None else "ALTER ROLE {} {}"
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}")
    await connection.execute(sql.SQL(make).format(sql.Identifier(role), rights.format(sql.Literal(hashed))))


async def end_stale_server(data: Path, *, deadline: float = STALE_DEADLINE_SECONDS) -> None:
    """After a SIGKILL: wait until no PostgreSQL process uses this folder, then remove its stale `postmaster.pid`.

    The caller holds the data folder's lock, so no such process is anyone's any more. A stale file would block the next
    start for as long as some other process has the pid in it. Raises `PostgresError` when the processes do not end.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    for process in _using(data):
        process.send_signal(signal.SIGINT)

    async def gone() -> bool:
        return not await asyncio.to_thread(_using, data)

    if not await poll(gone, deadline=deadline, interval=0.1):
        raise PostgresError(
            f"PostgreSQL processes of an earlier run still use {data} and did not end within {deadline:g} s. "
            "End them, then start again."
        )
    pid_file.unlink(missing_ok=True)


def _using(data: Path) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and Path(process.cwd()) == data.resolve():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
