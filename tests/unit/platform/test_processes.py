from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.platform.processes import (
    Command,
    ProcessError,
    ProcessId,
    ProcessRegistry,
    run_to_end,
    spawn,
    tail,
    write_atomically,
)

WAIT = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)


def python(name: str, code: str) -> Command:
    return Command(name=name, argv=[sys.executable, "-c", code], env=dict(os.environ))


class Started:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, name: str, code: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{name}.log"
        process = spawn(python(name, code), log)
        self.processes.append(process)
        while log.read_text() != "up\n":
            assert process.poll() is None
        return process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    for process in started.processes:
        process.kill()
        process.wait()


def test_what_a_killed_parent_left_is_ended(tmp_path: Path, start: Started) -> None:
    registry = ProcessRegistry(tmp_path / "children.json")
    children = [start("kafka", WAIT), start("ingest", WAIT)]
    for child, name in zip(children, ("kafka", "ingest"), strict=True):
        registry.record(name, child.pid, signal.SIGTERM)
    assert ProcessRegistry(tmp_path / "children.json").end_leftovers() == ["ingest", "kafka"]
    assert not any(psutil.pid_exists(child.pid) for child in children)
    assert ProcessRegistry(tmp_path / "children.json").end_leftovers() == []


def test_a_leftover_that_ignores_its_signal_is_killed(tmp_path: Path, start: Started) -> None:
    child = start("stubborn", STUBBORN)
    registry = ProcessRegistry(tmp_path / "children.json")
    registry.record("stubborn", child.pid, signal.SIGTERM)
    registry.end_leftovers(grace=0.2)
    assert not psutil.pid_exists(child.pid)


def test_another_process_that_has_the_pid_now_is_left_alone(tmp_path: Path, start: Started) -> None:
    child = start("innocent", WAIT)
    path = tmp_path / "children.json"
    ProcessRegistry(path).record("kafka", child.pid, signal.SIGTERM)
    recorded = json.loads(path.read_text())
    recorded[0]["id"]["create_time"] -= 60
    path.write_text(json.dumps(recorded))
    assert ProcessRegistry(path).end_leftovers() == []
    assert child.poll() is None


def test_a_child_that_ended_is_forgotten(tmp_path: Path, start: Started) -> None:
    child = start("child", WAIT)
    path = tmp_path / "children.json"
    registry = ProcessRegistry(path)
    registry.record("child", child.pid, signal.SIGTERM)
    registry.forget(child.pid)
    assert json.loads(path.read_text()) == []


def test_a_process_that_has_ended_is_not_found(start: Started) -> None:
    child = start("child", WAIT)
    known = ProcessId.of(child.pid)
    assert known.find() == psutil.Process(child.pid)
    child.kill()
    child.wait()
    assert known.find() is None


def test_a_child_has_a_session_of_its_own(start: Started) -> None:
    child = start("child", WAIT)
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


async def test_a_command_that_fails_says_the_end_of_its_log(tmp_path: Path) -> None:
    registry = ProcessRegistry(tmp_path / "children.json")
    command = python("format", "print('the disk is full'); raise SystemExit(3)")
    with pytest.raises(ProcessError, match=r"(?s)format failed with exit status 3.*the disk is full"):
        await run_to_end(command, tmp_path / "format.log", registry)
    assert json.loads(registry.path.read_text()) == []


async def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    registry = ProcessRegistry(tmp_path / "children.json")
    with pytest.raises(ProcessError, match="took longer than"):
        await run_to_end(python("slow", WAIT), tmp_path / "slow.log", registry, deadline=0.1)


def test_only_the_last_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(10_000)))
    assert tail(log, 2) == "  line 9998\n  line 9999"
    assert "nothing" in tail(tmp_path / "none.log")


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
