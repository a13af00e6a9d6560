from __future__ import annotations

import asyncio

import pytest

from services.platform.background import Background
from services.platform.errors import OperatorError


async def forever() -> None:
    await asyncio.Event().wait()


async def breaks() -> None:
    raise LookupError


async def ends() -> None:
    return


async def test_a_task_that_breaks_or_ends_stops_the_process_with_1() -> None:
    for work in (breaks, ends):
        died = asyncio.Event()
        background = Background(died.set)
        background.start("the work", work())
        await asyncio.wait_for(died.wait(), 5)
        assert background.exit_status() == 1
        assert "the work" in (await background.check() or "")


async def test_what_is_said_for_people_is_logged_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise OperatorError("The key is not there. Restore it.")

    died = asyncio.Event()
    Background(died.set).start("the work", fails())
    await asyncio.wait_for(died.wait(), 5)
    [record] = caplog.records
    assert record.getMessage() == "the work has ended; the process stops: The key is not there. Restore it."
    assert record.exc_info is None


async def test_tasks_that_are_stopped_have_not_died() -> None:
    background = Background(lambda: None)
    background.start("the work", forever())
    await asyncio.sleep(0)
    await background.stop()
    assert background.exit_status() == 0
    assert await background.check() is None


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.platform.background.CANCEL_AGAIN_SECONDS", 0.01)
    lost = 0

    async def loses_one() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    background = Background(lambda: None)
    background.start("the work", loses_one())
    await asyncio.sleep(0)
    await asyncio.wait_for(background.stop(), 5)
    assert lost == 1
