from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from services.ingest.imports.replayer import ReplayedDay
from services.rehearsal.in_flight import DaysInFlight

MONDAY = date(2026, 11, 23)


class Log:
    """What was waited for and what was told, in order."""

    def __init__(self) -> None:
        self.said: list[object] = []

    async def wait(self, token: UUID) -> None:
        self.said.append(token)

    async def on_day(self, day: ReplayedDay) -> None:
        self.said.append(day.date)


def handed_in(number: int, token: UUID | None) -> ReplayedDay:
    return ReplayedDay(MONDAY + timedelta(days=number), marks=1, token=token, consents_changed=False)


@pytest.mark.parametrize("ahead", [0, 1, 2])
async def test_no_more_days_than_ahead_are_under_way_and_each_is_waited_for_before_it_is_told(ahead: int) -> None:
    log, tokens = Log(), [uuid4() for _ in range(5)]
    flight = DaysInFlight(log, log.on_day, ahead)
    for number, token in enumerate(tokens):
        await flight.join(handed_in(number, token))
        assert len(log.said) == 2 * max(0, number + 1 - ahead)
        assert flight.is_waiting == (ahead > 0)
    await flight.land()
    assert not flight.is_waiting
    days = [MONDAY + timedelta(days=number) for number in range(5)]
    assert log.said == [said for pair in zip(tokens, days, strict=True) for said in pair]


async def test_a_day_without_a_token_keeps_its_place() -> None:
    log, token = Log(), uuid4()
    flight = DaysInFlight(log, log.on_day, 2)
    await flight.join(handed_in(0, token))
    await flight.join(handed_in(1, None))
    await flight.land()
    assert log.said == [token, MONDAY, MONDAY + timedelta(days=1)]
