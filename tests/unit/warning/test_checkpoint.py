"""Every order of taking, evaluating, writing, telling, answering, rebalancing, freezing and crashing.

Whatever happens in whichever order: no record is acknowledged whose facts are not in the changelog, no alert is told
that is not written, none under two ids, no close is answered before the alerts ahead of it, and when all is over the
state, the alerts and the committed offset are those of an undisturbed run.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial

import pytest
from aiokafka.errors import KafkaConnectionError

from services.platform.testing.interleaving import Choices, every_way, some_ways
from tests.unit.warning.processes import Process, World

pytestmark = pytest.mark.slow

Step = Callable[[], object]
Disturb = Callable[[World, Choices], Awaitable[None]]


def steps(process: Process) -> list[Step]:
    """What may happen next in a process, or to what it has sent."""
    found: list[Step] = [request.acknowledge for request in process.requests()]
    found += [process.take] if process.can_take else []
    found += [process.save] if process.can_save else []
    found += [process.erase] if process.can_erase else []
    return found


async def crash(world: World, choices: Choices) -> None:
    """The process is killed; what was on its way arrives or does not. Another begins."""
    process = world.owner
    process.end()
    for request in process.requests():
        choices.among([request.lose_answer, request.lose])()
    await world.quiet()
    await world.begin()


async def refuse(world: World, _choices: Choices) -> None:
    """Kafka refuses something: the process ends, and another begins."""
    process = world.owner
    for request in process.requests():
        request.refuse(KafkaConnectionError())
    await world.quiet()
    process.end()
    await world.begin()


async def rebalance(world: World, choices: Choices) -> None:
    """The partition goes to another, and the process knows; what it has sent is answered sooner or later."""
    former = world.owner
    began = former.ready
    former.worker.forget()
    await world.begin()
    await _beside(world, choices, lambda: [request.acknowledge for request in former.requests()])
    assert not (began and former.fenced)  # it knew: that is no reason to end


async def reassign(world: World, choices: Choices) -> None:
    """A rebalance gives the process its partition again; what it had sent is answered sooner or later."""
    if not world.owner.ready:
        return  # Faust would wait
    world.owner.worker.forget()
    old = world.owner.requests()
    await world.begin_again()
    while old := [request for request in old if request in world.kafka.requests]:
        choices.among([steps(world.owner)[-1], old[0].acknowledge])()
        await world.quiet()


async def freeze(world: World, choices: Choices) -> None:
    """The process is stopped for longer than its session; it goes on when another has the partition, and knows not."""
    former = world.owner
    await world.begin()
    await _beside(world, choices, lambda: steps(former))


async def _beside(world: World, choices: Choices, former: Callable[[], list[Step]]) -> None:
    """Let the former owner take its steps at any time while the new one works."""
    while True:
        mine, its = steps(world.owner), former()
        if not mine or not its:
            break
        choices.among([mine[0], *its])()
        await world.quiet()
    while its := former():
        its[-1]()
        await world.quiet()


async def erase(world: World, _choices: Choices) -> None:
    """A student's key is deleted."""
    world.erased = True


async def erase_and_crash(world: World, choices: Choices) -> None:
    """A student's key is deleted, and the process is killed at any step of what follows from that."""
    await erase(world, choices)
    while possible := [*steps(world.owner), partial(crash, world, choices)]:
        step = choices.among(possible)
        if isinstance(step, partial):
            await step()
            return
        step()
        await world.quiet()


async def nothing(_world: World, _choices: Choices) -> None:
    """No disturbance."""


async def run(world: World, choices: Choices, disturb: Disturb) -> None:
    """One way in which it may go: anything in any order, with one disturbance at any time."""
    disturbed = disturb is nothing
    await world.begin()
    while True:
        possible = steps(world.owner)
        if not disturbed:
            possible.append(partial(disturb, world, choices))
        if not possible:
            break
        step = choices.among(possible)
        if isinstance(step, partial):
            disturbed = True
            await step()
            await world.finish()
        else:
            step()
            await world.quiet()
    await world.finish()
    world.check_end()
    world.end()


async def go(letters: str, disturb: Disturb, ways: Iterable[Choices], *, fences: bool = True) -> int:
    """Go these ways; returns how many there were."""
    count = 0
    for choices in ways:
        await run(World(letters, fences=fences), choices, disturb)
        count += 1
    return count


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of processes are fenced off here, and each says so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def test_in_any_order_it_comes_to_the_same() -> None:
    assert await go("aBt", nothing, every_way()) > 10


@pytest.mark.parametrize("letters", ["A", "Ab", "At", "dB", "?A", "AB", "mA"])
@pytest.mark.parametrize("disturb", [crash, refuse, rebalance, reassign])
async def test_a_disturbance_at_any_time_changes_nothing(letters: str, disturb: Disturb) -> None:
    assert await go(letters, disturb, every_way()) > len(letters)


@pytest.mark.parametrize("letters", ["A", "t", "?"])
async def test_a_process_that_comes_back_from_a_pause_changes_nothing(letters: str) -> None:
    assert await go(letters, freeze, every_way()) > 50


@pytest.mark.parametrize("letters", ["Ab", "At", "dB", "AB", "aBtC"])
async def test_nor_does_one_with_more_behind_it(letters: str) -> None:
    """Some of up to 30,000 ways."""
    await go(letters, freeze, some_ways(250))


@pytest.mark.parametrize("letters", ["z", "za", "Az", "zt"])
async def test_an_erasure_at_any_time_is_confirmed_when_nothing_is_in_the_changelog_any_more(letters: str) -> None:
    assert await go(letters, erase, every_way()) > len(letters)


@pytest.mark.parametrize("letters", ["z", "za", "Az"])
async def test_a_kill_at_any_step_of_an_erasure_delays_it(letters: str) -> None:
    assert await go(letters, erase_and_crash, every_way()) > 20


async def test_without_a_fence_it_would_write_over_its_successor() -> None:
    with pytest.raises(AssertionError):
        await go("Ab", freeze, every_way(), fences=False)
