"""When a checkpoint begins, by a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest

from services.warning.schedule import (
    LONGEST_PAUSE_SECONDS,
    LONGEST_WAIT_SECONDS,
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    SHARE,
    Schedule,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stream:
    """Records, and checkpoints whenever one is due."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.schedule = Schedule(self.clock)
        self.began: list[float] = []
        self.start = self.clock.now

    def due_in(self) -> float | None:
        due = self.schedule.due
        return None if due is None else pytest.approx(due - self.clock.now, abs=1e-9)

    def checkpoint(self, cost: float) -> None:
        self.began.append(self.clock.now)
        self.schedule.begin()
        self.clock.now += cost
        self.schedule.spent(cost)

    def run(self, seconds: float, *, every: float, cost: float, pressing: bool = False) -> None:
        """A record each so often, for so long; each checkpoint costs the same."""
        end = self.clock.now + seconds
        coming = self.clock.now
        while self.clock.now < end:
            due = self.schedule.due
            if due is not None and due <= max(coming, self.clock.now):
                self.clock.now = max(due, self.clock.now)
                self.checkpoint(cost)
                continue
            self.clock.now = max(coming, self.clock.now)
            coming += every
            (self.schedule.press if pressing else self.schedule.taken)()


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_nothing_is_due_when_nothing_waits(stream: Stream) -> None:
    assert stream.due_in() is None
    stream.schedule.taken()
    stream.checkpoint(0.1)
    assert stream.due_in() is None


def test_a_single_record_waits_for_a_short_pause_alone(stream: Stream) -> None:
    stream.schedule.taken()
    assert stream.due_in() == PAUSE_SECONDS


def test_a_record_begins_the_pause_anew_but_not_for_ever(stream: Stream) -> None:
    stream.run(0.1, every=0.001, cost=0)
    waited = [after - before for before, after in zip(stream.began, stream.began[1:], strict=False)]
    assert waited
    assert max(waited) <= PATIENCE_SECONDS + 0.002


def test_somebody_who_waits_is_served_at_once(stream: Stream) -> None:
    stream.schedule.taken()
    stream.schedule.press()
    assert stream.due_in() == 0


def test_nobody_is_served_at_once_straight_after_costly_work_but_a_short_pause_is_enough(stream: Stream) -> None:
    stream.checkpoint(0.3)
    stream.schedule.press()
    assert stream.due_in() == PAUSE_SECONDS
    stream.run(3, every=0.001, cost=0, pressing=True)
    assert stream.began[1] - stream.began[0] >= SHARE * 0.3


@pytest.mark.parametrize("pressing", [False, True])
@pytest.mark.parametrize("cost", [0.001, 0.01, 0.1, 0.5])
def test_in_a_backlog_work_takes_at_most_its_share(stream: Stream, cost: float, *, pressing: bool) -> None:
    stream.run(50, every=0.001, cost=cost, pressing=pressing)
    share = len(stream.began) * cost / (stream.clock.now - stream.start)
    assert share <= 1 / (1 + SHARE) + 0.01
    assert len(stream.began) > 10


@pytest.mark.parametrize("cost", [1.0, 30.0, 1000.0])
def test_however_costly_nothing_waits_longer_than_the_longest_wait(stream: Stream, cost: float) -> None:
    stream.run(5000, every=0.1, cost=cost)
    ended = [began + cost for began in stream.began]
    waited = [began - end for end, began in zip(ended, stream.began[1:], strict=False)]
    assert waited
    assert max(waited) <= LONGEST_WAIT_SECONDS + 0.2


def test_a_stream_with_many_short_pauses_does_not_spend_most_of_its_time_on_evaluating(stream: Stream) -> None:
    stream.run(100, every=2 * PAUSE_SECONDS, cost=LONGEST_PAUSE_SECONDS)
    share = len(stream.began) * LONGEST_PAUSE_SECONDS / (stream.clock.now - stream.start)
    assert share <= 1 / 2


def test_cheap_work_after_costly_work_needs_a_short_pause_again(stream: Stream) -> None:
    stream.checkpoint(60)
    stream.schedule.taken()
    assert stream.due_in() == LONGEST_PAUSE_SECONDS
    stream.clock.now += LONGEST_PAUSE_SECONDS
    stream.checkpoint(0.001)
    stream.schedule.taken()
    assert stream.due_in() == PAUSE_SECONDS


async def test_whoever_waits_for_the_turn_wakes_when_a_record_came_and_paused() -> None:
    schedule = Schedule()
    waiter = asyncio.create_task(schedule.turn())
    await asyncio.sleep(0)
    assert not waiter.done()
    schedule.taken()
    await asyncio.wait_for(waiter, 5)


async def test_whoever_waits_for_a_far_turn_is_woken_by_a_press() -> None:
    clock = Clock()
    schedule = Schedule(clock)
    schedule.taken()
    waiter = asyncio.create_task(schedule.turn())
    await asyncio.sleep(0)
    assert not waiter.done()
    schedule.press()
    await asyncio.wait_for(waiter, 5)
