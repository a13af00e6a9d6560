"""A worker that is stopped for longer than its session, and comes back when another has its partition."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from services.platform.embedded.endpoints import Stack
from tests.integration.running import until
from tests.integration.worker_processes import Ground, WorkerProcess, days, ground, ready, running

STUDENTS = [f"s{number}" for number in range(500)]
TRIES = 10

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def owner_first(first: WorkerProcess, second: WorkerProcess) -> tuple[WorkerProcess, WorkerProcess]:
    """The two of them, when one has the partition with all students."""

    async def has_all(worker: WorkerProcess) -> bool:
        return await worker.has(STUDENTS[0]) and await worker.has(STUDENTS[-1])

    async def decided() -> bool:
        return await has_all(first) != await has_all(second)

    await until(decided)
    return (first, second) if await has_all(first) else (second, first)


async def has_taken(worker: WorkerProcess, marks: int) -> bool:
    return await worker.marks_taken() >= marks


async def stop_with_something_to_write(on: Ground, owner: WorkerProcess) -> int:
    """Stop the owner when it has taken marks that are not in the changelog yet; returns how many days were sent."""
    for sent, date in enumerate(days(TRIES), start=1):
        before = await owner.marks_taken()
        await on.absent(STUDENTS, date)
        await until(partial(has_taken, owner, before + 100))
        owner.process.send_signal(signal.SIGSTOP)
        if sum(date.isoformat() in dates for dates in (await on.written()).values()) < 100:
            return sent
        owner.process.send_signal(signal.SIGCONT)
        await until(partial(has_taken, owner, before + len(STUDENTS)))
    pytest.fail("it has always written before it is stopped")


async def test_what_its_successor_wrote_stands(tmp_path: Path, stack: Stack) -> None:
    async with ground(tmp_path, stack) as on:
        workers = on.start("first"), on.start("second")
        with running(*workers):
            await ready(*workers)
            await on.enroll(STUDENTS, days(TRIES + 1))
            owner, successor = await owner_first(*workers)

            sent = days(await stop_with_something_to_write(on, owner) + 1)
            await until(partial(successor.has, STUDENTS[0]))
            await on.absent(STUDENTS, sent[-1])
            all_of_it = {name: {day.isoformat() for day in sent} for name in STUDENTS}

            async def written() -> bool:
                return await on.written() == all_of_it

            await until(written)
            end = await on.changelog_end()
            owner.process.send_signal(signal.SIGCONT)

            async def came_back() -> bool:
                """It was fenced off and has ended, or it has joined again: then whoever owns has begun a new term."""
                return owner.process.poll() is not None or await on.changelog_end() > end

            await until(came_back)
            assert await written()
