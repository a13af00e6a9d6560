"""Closing weeks, on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from services.contracts.ids import week_token
from services.contracts.marks import DaysClosed, WeekClosed, marks_record
from services.contracts.packed import is_packed
from services.contracts.topics import MARKS
from services.ingest.intake import Intake
from services.ingest.rows.parse import SchoolDayRow
from services.ingest.settings import IngestSettings
from services.ingest.take.days import Close
from services.platform.embedded.endpoints import Stack
from tests.integration.ingest_support import ingest_settings, own_database, sent

TODAY = IngestSettings(kafka=None).wall_today()
LAST_WEEK = TODAY - timedelta(days=TODAY.weekday() + 7)
SUNDAY = timedelta(days=6)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def settings(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[IngestSettings]:
    async with own_database(stack) as database:
        yield ingest_settings(stack.kafka, database.of("ingest"), tmp_path_factory.mktemp("weeks"))


@pytest_asyncio.fixture(loop_scope="session")
async def intake(settings: IngestSettings) -> AsyncIterator[Intake]:
    async with Intake.open(settings) as intake:
        yield intake


def read(value: bytes | None) -> object:
    """A close; None for marks."""
    return None if is_packed(value or b"") else marks_record.validate_json(value or b"")


async def closed(settings: IngestSettings, week: date) -> list[tuple[int, UUID]]:
    """The partitions that were told that the week is over, and the tokens."""
    found = []
    for record in await sent(settings.require_kafka(), MARKS):
        value = read(record.value)
        if isinstance(value, WeekClosed) and value.week == week:
            found.append((record.partition, value.token))
    return found


async def test_the_sweep_closes_the_last_week_once_also_after_a_restart(
    intake: Intake, settings: IngestSettings
) -> None:
    everywhere = [(partition, week_token(LAST_WEEK)) for partition in range(settings.partitions)]
    await intake.start()
    assert await closed(settings, LAST_WEEK) == []

    await intake.take_school_days([SchoolDayRow("A", day, None, True) for day in (TODAY, LAST_WEEK - SUNDAY)])
    await intake.sweep()
    assert await closed(settings, LAST_WEEK) == []

    await intake.take_school_days([SchoolDayRow("A", LAST_WEEK + timedelta(days=2), True, True)])
    await intake.sweep()
    assert sorted(await closed(settings, LAST_WEEK)) == everywhere
    await intake.sweep()
    async with Intake.open(settings) as restarted:
        await restarted.start()
    assert sorted(await closed(settings, LAST_WEEK)) == everywhere
    assert await closed(settings, LAST_WEEK - timedelta(days=7)) == []


async def test_it_goes_behind_the_closes_of_the_week(intake: Intake, settings: IngestSettings) -> None:
    friday = LAST_WEEK + timedelta(days=4)
    await intake.close_days([Close("B", friday)])
    await intake.sweep()

    order: dict[int, list[str]] = {}
    for record in await sent(settings.require_kafka(), MARKS):
        value = read(record.value)
        if isinstance(value, DaysClosed) and any((c.school_id, c.date) == ("B", friday) for c in value.closes):
            order.setdefault(record.partition, []).append("close")
        elif isinstance(value, WeekClosed) and value.week == LAST_WEEK and record.partition in order:
            order[record.partition].append("week")
    assert order == {partition: ["close", "week"] for partition in range(settings.partitions)}


async def test_in_a_replay_the_sweep_closes_none_and_the_replay_only_those_with_school(
    intake: Intake, settings: IngestSettings
) -> None:
    week = date(2016, 12, 5)
    await intake.set_replay_day(week + SUNDAY)
    await intake.close_days([Close("A", week + timedelta(days=1))])
    await intake.set_replay_day(week + timedelta(days=8))
    await intake.sweep()
    assert await closed(settings, week) == []

    assert await intake.close_week(week) == week_token(week)
    assert Counter(await closed(settings, week)) == {
        (partition, week_token(week)): 1 for partition in range(settings.partitions)
    }
    assert await intake.close_week(week + timedelta(days=7)) is None
