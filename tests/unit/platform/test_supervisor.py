from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from services.platform.processes import Command, ProcessError, ProcessRegistry, poll
from services.platform.supervisor import Child, ChildSpec, RestartPause, Supervisor, Surroundings, inherited_environment

pytestmark = pytest.mark.slow

RUN = """
import signal, sys
from pathlib import Path
folder, name = Path(sys.argv[1]), sys.argv[2]
def stop(*_):
    with (folder / "stopped").open("a") as file:
        file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
(folder / f"{name}.ready").touch()
while True:
    signal.pause()
"""
IGNORE = RUN.replace("signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")


class Here:
    """One folder's supervisor and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.restarts = 0
        self.around = Surroundings(
            logs=folder,
            registry=ProcessRegistry(folder / "children.json"),
            say=self.said.append,
            started=self._count,
            backoff=RestartPause(first=0.05, longest=0.1),
        )

    def _count(self) -> None:
        self.restarts += 1

    def spec(self, name: str, code: str = RUN, *, grace: float = 10, deadline: float = 10) -> ChildSpec:
        ready = self.folder / f"{name}.ready"
        return ChildSpec(
            command=Command(name=name, argv=[sys.executable, "-c", code, str(self.folder), name], env=dict(os.environ)),
            ready=exists(ready),
            grace=grace,
            deadline=deadline,
        )

    def registered(self) -> list[str]:
        return [child["name"] for child in json.loads((self.folder / "children.json").read_text())]


def exists(path: Path) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await asyncio.to_thread(path.exists)

    return check


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


async def test_a_later_layer_is_started_beside_an_earlier_one_and_stopped_before_it(here: Here) -> None:
    async with Supervisor(here.around) as supervisor:
        kafka, ingest = supervisor.start(here.spec("kafka")), supervisor.start(here.spec("ingest"))
        await asyncio.gather(ingest, kafka)
    assert (here.folder / "stopped").read_text().split() == ["ingest", "kafka"]


async def test_what_is_to_be_done_once_it_is_ready_belongs_to_the_start(here: Here) -> None:
    ready = here.folder / "kafka.ready"
    found: list[bool] = []

    async def make_topics() -> None:
        found.append(await asyncio.to_thread(ready.exists))

    async def refuse() -> None:
        raise LookupError("no topics")

    async with Supervisor(here.around) as supervisor:
        await supervisor.start(replace(here.spec("kafka"), once_ready=make_topics))
        assert found == [True]
        with pytest.raises(LookupError, match="no topics"):
            await supervisor.start(replace(here.spec("ingest"), once_ready=refuse))
    assert here.registered() == []


async def test_layers_stop_in_reverse_order_and_no_child_is_left(here: Here) -> None:
    async with Supervisor(here.around) as supervisor:
        await supervisor.start(here.spec("kafka"))
        await supervisor.start(here.spec("ingest"))
        pids = [pid for pid in supervisor.pids().values() if pid is not None]
        assert here.registered() == ["kafka", "ingest"]
    assert (here.folder / "stopped").read_text().split() == ["ingest", "kafka"]
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert here.registered() == []
    assert here.said == []


async def test_a_child_that_dies_is_started_again_and_said(here: Here) -> None:
    async with Supervisor(here.around) as supervisor:
        await supervisor.start(here.spec("warning"))
        first = supervisor.pids()["warning"]
        assert first is not None
        (here.folder / "warning.ready").unlink()
        os.kill(first, signal.SIGKILL)

        async def back() -> bool:
            return here.restarts == 1

        assert await poll(back, deadline=10)
        assert supervisor.pids()["warning"] not in (None, first)
    assert "warning was ended by SIGKILL; starting it again in 0.05 s" in here.said[0]
    assert here.said[1] == "warning is back."


async def test_a_child_that_dies_before_it_is_ready_fails_the_start_with_its_log(here: Here) -> None:
    broken = here.spec("broken", "raise SystemExit('no such table')")
    with pytest.raises(ProcessError, match=r"(?s)broken ended with exit status 1 before it was ready.*no such table"):
        async with Supervisor(here.around) as supervisor:
            await supervisor.start(here.spec("good"), broken)
    assert here.registered() == []


async def test_a_child_that_is_never_ready_fails_the_start_and_is_ended(here: Here) -> None:
    silent = here.spec("silent", "import signal; signal.pause()", deadline=0.2)
    with pytest.raises(ProcessError, match=r"silent was not ready after 0\.2 s"):
        async with Supervisor(here.around) as supervisor:
            await supervisor.start(silent)
    assert here.registered() == []


async def test_a_child_that_ignores_its_signal_is_killed_after_its_grace(here: Here) -> None:
    child = Child(here.spec("stubborn", IGNORE, grace=0.2), here.around)
    await child.start()
    pid = child.pid
    assert pid is not None
    await child.stop()
    assert not psutil.pid_exists(pid)
    assert child.pid is None


async def test_a_cancelled_start_leaves_no_child(here: Here) -> None:
    async def run() -> None:
        async with Supervisor(here.around) as supervisor:
            await supervisor.start(here.spec("silent", "import signal; signal.pause()"))

    task = asyncio.create_task(run())
    registry = here.folder / "children.json"
    assert await poll(exists(registry), deadline=10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert here.registered() == []


def test_the_pause_doubles_to_its_limit_and_starts_anew_after_a_stable_run() -> None:
    backoff = RestartPause()
    pauses: list[float] = []
    for _ in range(7):
        pauses.append(backoff.pause(pauses[-1] if pauses else None, ran=0.5))
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.pause(30, ran=61) == 1


def test_a_child_that_is_not_ours_sees_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRSTBELL_DATABASE", "secret")
    assert not any(name.startswith("FIRSTBELL_") for name in inherited_environment())
