"""Runs child processes: starts them, starts again one that dies, stops them in reverse order."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from services.platform.bytecode import bytecode_folder
from services.platform.processes import (
    Command,
    ProcessError,
    ProcessRegistry,
    end,
    poll,
    spawn,
    tail,
)
from services.platform.together import together


async def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """A child process and when it counts as ready. Durations are in seconds."""

    command: Command
    ready: Callable[[], Awaitable[bool]]
    """Asked again and again after the start; may not raise."""
    before_start: Callable[[], Awaitable[None]] = _nothing
    """Runs before each start, also before one after a crash."""
    once_ready: Callable[[], Awaitable[None]] = _nothing
    """Runs when the first start has made it ready, and belongs to it; not after a crash."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 20
    """From the stop signal to SIGKILL."""
    deadline: float = 60
    """From the first start to ready; a later start may take as long as it needs."""

    @property
    def name(self) -> str:
        """As it is known in logs and messages."""
        return self.command.name


@dataclass(frozen=True, kw_only=True)
class RestartPause:
    """The pause before a dead child is started again, in seconds: doubling, and anew after a stable run."""

    first: float = 1
    longest: float = 30
    stable: float = 60

    def pause(self, previous: float | None, *, ran: float) -> float:
        """The next pause after one of `previous`, when the child ran for `ran`."""
        if previous is None or ran >= self.stable:
            return self.first
        return min(previous * 2, self.longest)


def say_on_stderr(line: str) -> None:
    """Tell the operator."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every child of one supervisor shares."""

    logs: Path
    registry: ProcessRegistry
    say: Callable[[str], None] = say_on_stderr
    started: Callable[[], None] = lambda: None
    """Called after a child that had died runs again: its pid is another."""
    backoff: RestartPause = RestartPause()


class Child:
    """One child process, over all its restarts."""

    def __init__(self, spec: ChildSpec, around: Surroundings) -> None:
        self.spec = spec
        self.log = around.logs / f"{spec.name}.log"
        self._around = around
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start it, wait until it is ready, and watch it from then on; raises `ProcessError`."""
        await self.spec.before_start()
        process = self._spawn()
        if not await self._ready_or_ended(process, self.spec.deadline):
            what = f"was not ready after {self.spec.deadline:g} s"
        elif process.poll() is not None:
            what = f"{_how_it_ended(process)} before it was ready"
        else:
            self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.spec.name}")
            await self.spec.once_ready()
            return
        raise ProcessError(f"{self.spec.name} {what}. The end of {self.log}:\n{tail(self.log)}")

    async def stop(self) -> None:
        """Stop watching and end the process, however far it got."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        if self._process is not None:
            await end(self._process, self.spec.stop_signal, grace=self.spec.grace)
            self._around.registry.forget(self._process.pid)

    def _spawn(self) -> subprocess.Popen[bytes]:
        process = spawn(self.spec.command, self.log)
        self._process = process
        self._around.registry.record(self.spec.name, process.pid, self.spec.stop_signal)
        return process

    async def _ready_or_ended(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        async def settled() -> bool:
            return process.poll() is not None or await self.spec.ready()

        return await poll(settled, deadline=deadline)

    async def _watch(self) -> None:
        pause: float | None = None
        while self._process is not None:
            process, began = self._process, time.monotonic()
            await self._ended(process)
            self._around.registry.forget(process.pid)
            pause = self._around.backoff.pause(pause, ran=time.monotonic() - began)
            await self._start_again(f"{self.spec.name} {_how_it_ended(process)}", pause)

    @staticmethod
    async def _ended(process: subprocess.Popen[bytes]) -> None:
        async def ended() -> bool:
            return process.poll() is not None

        await poll(ended, deadline=float("inf"), interval=0.1)

    async def _start_again(self, why: str, pause: float) -> None:
        self._around.say(f"{why}; starting it again in {pause:g} s. Its log: {self.log}")
        await asyncio.sleep(pause)
        try:
            await self.spec.before_start()
            process = self._spawn()
        except Exception as error:  # noqa: BLE001 - whatever it is, the operator sees it and the next try comes
            self._around.say(f"{self.spec.name} could not be started: {error}")
            return
        await self._ready_or_ended(process, float("inf"))
        if process.poll() is None:
            self._around.started()  # first: who is told looks there for its pid
            self._around.say(f"{self.spec.name} is back.")


class Supervisor:
    """`async with Supervisor(…) as s: await s.start(a, b); await s.start(c)`; leaving the block stops them all."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._layers: list[list[Child]] = []

    def start(self, *specs: ChildSpec) -> Coroutine[None, None, None]:
        """Start these at once; what is returned ends when each is ready, and raises what the first raised.

        They are stopped before those of an earlier call, which they may stand on.
        """
        layer = [Child(spec, self._around) for spec in specs]
        self._layers.append(layer)
        return together(*(child.start() for child in layer))

    async def stop(self) -> None:
        """Stop the layers in reverse order, those of one layer at once. No child is left."""
        while self._layers:
            layer = self._layers.pop()
            await asyncio.gather(*(child.stop() for child in layer))

    def pids(self) -> dict[str, int | None]:
        """Each child's current pid, None while it does not run."""
        return {child.spec.name: child.pid for layer in self._layers for child in layer}

    async def __aenter__(self) -> Supervisor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _how_it_ended(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"


def inherited_environment() -> dict[str, str]:
    """The parent's environment without any of our settings: what a child that is not ours may know.

    Where Python may not write bytecode beside its sources, children write it to the user's cache instead.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTBELL_")}
    if kept.pop("PYTHONDONTWRITEBYTECODE", "") and "PYTHONPYCACHEPREFIX" not in kept:
        kept["PYTHONPYCACHEPREFIX"] = bytecode_folder()
    return kept
