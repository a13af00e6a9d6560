"""Child processes: starting one, knowing it again later, and ending what a killed parent left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from services.platform.errors import OperatorError

SAME_START_SECONDS = 1.5
"""A start time read twice differs by up to a second when the clock was set in between; no pid returns that fast."""

LARGEST_LOG_BYTES = 20_000_000


class ProcessError(OperatorError):
    """A process did not do what it was started for; the message has the last lines of its log."""


@dataclass(frozen=True)
class OsUser:
    """The operating system's user as whom a child runs."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is run. `user` None is the caller's own; `pass_fds` stay open in the child."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None
    user: OsUser | None = None
    pass_fds: Sequence[int] = ()


@dataclass(frozen=True)
class ProcessId:
    """A process that is known again even when its pid is used anew. `create_time` is in seconds since the epoch."""

    pid: int
    create_time: float

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The running process of this pid; raises `psutil.NoSuchProcess`."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process, when it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class _Recorded:
    name: str
    id: ProcessId
    stop_signal: int


@dataclass
class ProcessRegistry:
    """A file that names the children that run, so that the next start can end what a SIGKILL left."""

    path: Path
    _children: list[_Recorded] = field(default_factory=list)

    def record(self, name: str, pid: int, stop_signal: signal.Signals) -> None:
        """Add a child that has just been started."""
        self._children.append(_Recorded(name, ProcessId.of(pid), stop_signal.value))
        self._write()

    def forget(self, pid: int) -> None:
        """Take out a child that has ended."""
        self._children = [child for child in self._children if child.id.pid != pid]
        self._write()

    def end_leftovers(self, *, grace: float = 10) -> list[str]:
        """End what the file names and still runs (pid and start time both match), last started first.

        Each gets its stop signal and, after `grace` seconds together, SIGKILL. Returns their names.
        """
        left = [(child, process) for child in reversed(self._read()) if (process := child.id.find()) is not None]
        for child, process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(child.stop_signal)
        _, alive = psutil.wait_procs([process for _, process in left], timeout=grace)
        for process in alive:
            kill_group(process.pid)
        psutil.wait_procs(alive, timeout=grace)
        self.path.unlink(missing_ok=True)
        return [child.name for child, _ in left]

    def _read(self) -> list[_Recorded]:
        if not self.path.exists():
            return []
        return [
            _Recorded(c["name"], ProcessId(c["id"]["pid"], c["id"]["create_time"]), c["stop_signal"])
            for c in json.loads(self.path.read_text())
        ]

    def _write(self) -> None:
        write_atomically(self.path, json.dumps([asdict(child) for child in self._children], indent=1))


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole; only its owner can read it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start it in a session of its own (Ctrl-C in the terminal does not reach it); what it prints goes to `log`."""
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    user = command.user
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            command.argv,
            env=command.env,
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=command.pass_fds,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )


def kill_group(pid: int) -> None:
    """SIGKILL to a session leader and to whatever it started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def poll(condition: Callable[[], Awaitable[bool]], *, deadline: float, interval: float = 0.05) -> bool:
    """Ask until the condition holds; False when it did not within `deadline` seconds."""
    end = time.monotonic() + deadline
    while not await condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(interval)
    return True


async def end(process: subprocess.Popen[bytes], stop_signal: signal.Signals, *, grace: float) -> None:
    """Send the stop signal and, after `grace` seconds, SIGKILL; returns when the process has ended."""

    async def ended() -> bool:
        return process.poll() is not None

    if process.poll() is None:
        process.send_signal(stop_signal)
    if not await poll(ended, deadline=grace):
        kill_group(process.pid)
        await poll(ended, deadline=grace)


async def run_to_end(command: Command, log: Path, registry: ProcessRegistry, *, deadline: float = 120) -> None:
    """Run a command that ends by itself; raises `ProcessError` when it fails or takes over `deadline` seconds."""
    process = spawn(command, log)
    registry.record(command.name, process.pid, signal.SIGTERM)

    async def ended() -> bool:
        return process.poll() is not None

    try:
        in_time = await poll(ended, deadline=deadline)
    finally:
        await end(process, signal.SIGTERM, grace=5)
        registry.forget(process.pid)
    if not in_time or process.returncode != 0:
        what = f"failed with exit status {process.returncode}" if in_time else f"took longer than {deadline:g} s"
        raise ProcessError(f"{command.name} {what}. The end of {log}:\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    if not log.exists():
        return "  (nothing was written)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        found = file.read().decode("utf-8", "replace").splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in found) or "  (nothing was written)"
