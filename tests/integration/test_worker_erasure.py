"""A student is erased while a real worker works, is killed, or cannot reach the database."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from services.platform.embedded.endpoints import Stack
from services.platform.keys.master import new_master_line
from tests.integration.running import until
from tests.integration.worker_processes import Ground, WorkerProcess, days, ground, ready, running

STUDENTS = [f"s{number}" for number in range(40)]
GONE, *OTHERS = STUDENTS
DAYS = days(5)
HELD = text("SELECT id FROM erasure.awaited FOR UPDATE")

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def begun(on: Ground, worker: WorkerProcess) -> dict[str, set[str]]:
    """The worker has everybody's marks, and has written them."""
    await ready(worker)
    await on.enroll(STUDENTS, DAYS)
    for day in DAYS:
        await on.absent(STUDENTS, day)
    all_of_it = {name: {day.isoformat() for day in DAYS} for name in STUDENTS}

    async def written() -> bool:
        return await on.written() == all_of_it

    await until(written)
    return all_of_it


async def is_confirmed(on: Ground, erasure: UUID) -> bool:
    return await on.confirmed(erasure) is not None


async def check_erased(on: Ground, worker: WorkerProcess, before: dict[str, set[str]]) -> None:
    """Nothing is stored of the one, and the others are as they were."""
    assert await on.stored_of(GONE) == []
    assert await on.written() == {name: of for name, of in before.items() if name != GONE}
    assert not await worker.has(GONE)
    assert await worker.has(OTHERS[0])
    assert GONE not in worker.log.read_text(encoding="utf-8")


async def test_it_is_confirmed_when_the_changelog_has_nothing_any_more(tmp_path: Path, stack: Stack) -> None:
    async with ground(tmp_path, stack) as on:
        worker = on.start("worker")
        with running(worker):
            before = await begun(on, worker)
            erasure = await on.erase(GONE)
            await until(partial(is_confirmed, on, erasure))
            assert await on.confirmed(erasure) == {"warning.windows": 1, "warning.days": 5, "warning.alerts": 1}
            await check_erased(on, worker, before)


async def test_a_worker_that_is_killed_before_it_hears_of_it_confirms_after_its_restart(
    tmp_path: Path, stack: Stack
) -> None:
    async with ground(tmp_path, stack) as on:
        worker = on.start("worker")
        with running(worker):
            before = await begun(on, worker)
            worker.process.send_signal(signal.SIGSTOP)
            erasure = await on.erase(GONE)
            worker.process.kill()
        again = on.start("worker")
        with running(again):
            await ready(again)
            await until(partial(is_confirmed, on, erasure))
            await check_erased(on, again, before)


async def test_one_that_is_killed_between_the_removal_and_the_confirmation_confirms_after_its_restart(
    tmp_path: Path, stack: Stack
) -> None:
    async with ground(tmp_path, stack) as on:
        worker = on.start("worker")
        with running(worker):
            before = await begun(on, worker)
            erasure = await on.erase(GONE)
            async with on.engine.begin() as connection:
                await connection.execute(HELD)

                async def removed() -> bool:
                    return await on.stored_of(GONE) == []

                await until(removed)
                worker.process.kill()
                worker.process.wait()
        assert not await is_confirmed(on, erasure)
        again = on.start("worker")
        with running(again):
            await ready(again)
            await until(partial(is_confirmed, on, erasure))
            await check_erased(on, again, before)


async def test_without_the_database_marks_wait_and_so_does_a_start_but_no_stop(tmp_path: Path, stack: Stack) -> None:
    async with ground(tmp_path, stack) as on:
        worker = on.start("worker")
        with running(worker):
            before = await begun(on, worker)
            await on.make_keys(["late"])
            await on.let_in(nobody=True)
            try:
                await on.absent(["late", *OTHERS[:9]], DAYS[0])

                async def waits() -> bool:
                    return "keys are waited for" in worker.log.read_text(encoding="utf-8")

                await until(waits)
                worker.process.terminate()
                assert await asyncio.to_thread(worker.process.wait, 20) == 0
                again = on.start("worker")
            finally:
                await on.let_in(nobody=False)
        with running(again):
            await ready(again)
            before["late"] = set()

            async def has_all() -> bool:
                written = await on.written()
                return before.keys() - {"late"} <= written.keys() and bool(await on.stored_of("late"))

            await until(has_all)


async def test_a_lost_master_key_ends_the_worker_with_what_to_do_and_nothing_is_changed(
    tmp_path: Path, stack: Stack
) -> None:
    async with ground(tmp_path, stack) as on:
        worker = on.start("worker")
        with running(worker):
            before = await begun(on, worker)
        another = on.start("worker", master=new_master_line().decode().strip())
        with running(another):
            assert await asyncio.to_thread(another.process.wait, 40) != 0
        assert "Restore the right one" in another.log.read_text(encoding="utf-8")
        assert await on.written() == before
        again = on.start("worker")
        with running(again):
            await ready(again)
            assert await again.has(GONE)
