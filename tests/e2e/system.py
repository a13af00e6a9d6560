"""The system as a user has it: the `firstbell` command, and what runs behind it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg

from services.ingest.agreement.document import assumed
from services.ingest.agreement.folder import AGENCY, PURPOSE
from services.ingest.agreement.standing import apply_agreement
from services.platform.supervisor import inherited_environment

T = TypeVar("T")
Json = dict[str, Any]

FIRSTBELL = Path(sys.executable).with_name("firstbell")
START_SECONDS = 150
STOP_SECONDS = 60
COMMAND_SECONDS = 240


def eventually(look: Callable[[], T], what: str, seconds: float = 60) -> T:
    """The first answer of `look` that is true; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return found


def firstbell(*arguments: str | Path, expect: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end with these settings alone, and assert its exit status."""
    argv, env = [FIRSTBELL, *arguments], inherited_environment() | settings
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    assert done.returncode == expect, f"{arguments[0]} ended with {done.returncode}:\n{done.stderr}"
    return done


@contextmanager
def in_background(*arguments: str | Path, expect: int = 0) -> Iterator[subprocess.Popen[str]]:
    """Run the command beside the block; it must end with that status after it."""
    argv, env = [FIRSTBELL, *arguments], inherited_environment()
    with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
            _, said = process.communicate(timeout=COMMAND_SECONDS)
        finally:
            process.kill()
    assert process.returncode == expect, f"{arguments[0]} ended with {process.returncode}:\n{said}"


class System:
    """`firstbell up --json` in a data folder with these settings, and its answers."""

    def __init__(self, data_dir: Path, *, agreement: bool = True, **settings: str) -> None:
        """With an `agreement` all is disclosed live, as what is assumed of a folder without one."""
        self.data_dir = data_dir
        self._out = data_dir.with_name(data_dir.name + ".out")
        self._err = data_dir.with_name(data_dir.name + ".err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            argv: list[str | Path] = [FIRSTBELL, "up", "--json", "--data-dir", data_dir]
            env = inherited_environment() | settings
            self._process = subprocess.Popen(argv, env=env, stdout=out, stderr=err)
        try:
            eventually(self._is_up, "the system is up", START_SECONDS)
        except BaseException:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            raise
        assert self._out.read_text().count("\n") == 1
        self.where: Json = json.loads(self._out.read_text())
        if agreement:
            asyncio.run(apply_agreement(self.where["database"], assumed(AGENCY, PURPOSE)))

    def _is_up(self) -> bool:
        assert self._process.poll() is None, f"up ended with {self._process.returncode}:\n{self.said}"
        return self._out.read_text().endswith("\n")

    @property
    def said(self) -> str:
        """What it has told the operator."""
        return self._err.read_text()

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each process now, by its name."""
        stack = json.loads((self.data_dir / "stack.json").read_text())["stack"]
        return {name: service["pid"] for name, service in stack["services"].items()}

    def kill(self, name: str) -> None:
        """SIGKILL to one process, which the system then starts again."""
        psutil.Process(self.pids[name]).kill()

    def times_back(self, name: str) -> int:
        """How often the system has said that the process is back."""
        return self.said.count(f"{name} is back.")

    def kill_parent(self) -> list[psutil.Process]:
        """SIGKILL to `up` itself; returns what it leaves running."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        return [child for child in children if child.is_running()]

    def stop(self) -> None:
        """SIGTERM: it ends with 0, and leaves no process."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.terminate()
        assert self._process.wait(STOP_SECONDS) == 0
        left = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        assert left == []
        assert not (self.data_dir / "stack.json").exists()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that the database gives."""
        url = self.where["database"].replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            return connection.execute(query, parameters).fetchall()

    def level(self) -> bool:
        """Whether every group has committed all there is in our topics, by `firstbell lag`."""
        partitions = json.loads(firstbell("lag", "--json", "--data-dir", self.data_dir).stdout)["partitions"]
        ours = [p for p in partitions if not p["topic"].endswith("-changelog")]
        groups = {"firstbell-warning", "firstbell-casework", "firstbell-notify"}
        return groups <= {p["group"] for p in ours} and all(map(_is_level, ours))


def _is_level(partition: Mapping[str, Any]) -> bool:
    return partition["lag"] == 0 or (partition["committed"] is None and partition["end"] == 0)


@contextmanager
def running(data_dir: Path, *, agreement: bool = True, **settings: str) -> Iterator[System]:
    """The system with these settings beside the block."""
    system = System(data_dir, agreement=agreement, **settings)
    try:
        yield system
    finally:
        system.stop()


def bytes_of_marks(system: System) -> int:
    """How many bytes of marks Kafka holds."""
    return sum(log.stat().st_size for log in (system.data_dir / "kafka" / "data").glob("attendance.marks.v1-*/*.log"))
