"""Runs a test once for every way in which it may go, where it has a choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """The choices of one run: some given; after them the first option of each, or any with `random`."""

    def __init__(self, given: Sequence[int] = (), random: Random | None = None) -> None:
        self.taken: list[int] = list(given)
        self.options: list[int] = []
        self._random = random

    def among(self, options: Sequence[T]) -> T:
        """One of the options, which must be the same whenever the choices before were."""
        at = len(self.options)
        self.options.append(len(options))
        if at == len(self.taken):
            self.taken.append(self._random.randrange(len(options)) if self._random else 0)
        return options[self.taken[at]]


def every_way() -> Iterator[Choices]:
    """Choices for one run after the other, until every way was gone. Each run must end."""
    given: list[int] = []
    while True:
        choices = Choices(given)
        yield choices
        taken = choices.taken[: len(choices.options)]
        while taken and taken[-1] + 1 == choices.options[len(taken) - 1]:
            taken.pop()
        if not taken:
            return
        taken[-1] += 1
        given = taken


def some_ways(number: int, seed: int = 0) -> Iterator[Choices]:
    """Choices for so many runs, at random: where there are too many ways for all of them."""
    random = Random(seed)  # noqa: S311 - the same ways in every run
    for _ in range(number):
        yield Choices(random=random)
