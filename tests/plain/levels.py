"""The level after each day: rise at once, fall after some calmer days, places under a capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from models.policy import ELEVATED, NONE, WATCH, Policy
from tests.plain.days import Day
from tests.plain.facts import Facts
from tests.plain.reasons import held, of_model
from tests.plain.rules import Hit, hit, holding
from tests.plain.scores import Score

PLACE_DAYS = 30
KEEP = 0.7
NO_THRESHOLD = float("inf")


class Turn(NamedTuple):
    """The level from this day on (0: none), and why."""

    day: date
    level: int
    hits: tuple[Hit, ...]


@dataclass
class _Standing:
    level: int = NONE
    calm: list[tuple[int, int]] = field(default_factory=list)
    """Of the quieter days since: level and position."""
    entered: int | None = None
    """The position of the day on which elevated or urgent was last entered."""
    bar: float = 0.0


class Student(NamedTuple):
    """A student's days, and the scores of those that count."""

    told: Sequence[Day]
    scores: Mapping[date, Score | None]

    def positions(self) -> list[int]:
        """Where in `told` the days that count are."""
        return [number for number, day in enumerate(self.told) if day.shared]


def turns(student: Student, facts: Facts) -> list[Turn]:
    """Every change of the level, in order."""
    walk, number = _Walk(student, facts), 0
    for day in student.told:
        if not day.shared:
            walk.leave(day.day)
            continue
        if day.step:
            walk.decide(number)
        number += 1
    return walk.turns


class _Walk:
    """One student's levels, decided day by day. Positions are those of the days that count."""

    def __init__(self, student: Student, facts: Facts) -> None:
        self.turns: list[Turn] = []
        self._places = student.positions()
        self._told, self._scores = student.told, student.scores
        self._policy: Policy = facts.policy
        self._artifact, self._thresholds = facts.artifact, facts.thresholds
        self._now = _Standing()

    def decide(self, position: int) -> None:
        rules, now = holding(self._up_to(position), self._policy), self._now
        level = max((rule.rank for rule in rules), default=NONE)
        by_score = False
        if self._thresholds is not None:
            by_score = self._reaches(position, self._line(position))
            placed = by_score or any(rule.always and rule.rank >= ELEVATED for rule in rules)
            level = max(level, ELEVATED) if placed else min(level, WATCH)
            if self._lapsed(position) and not placed:
                self._turn(position, level, position, by_score=False)
                return
        if self._day(position).shock:
            level = min(level, now.level)
        if level > now.level:
            if now.level < ELEVATED <= level and self._thresholds is not None:
                now.entered = position
                now.bar = self._entry(position) - KEEP
            self._turn(position, level, position, by_score=by_score)
        elif level == now.level:
            now.calm = []
        else:
            now.calm.append((level, position))
            if len(now.calm) == self._policy.calm_days:
                highest, at = max(now.calm)
                self._turn(position, highest, at, by_score=self._reaches(at, now.bar))

    def leave(self, day: date) -> None:
        """Of a student who is where nothing is shared nothing is raised."""
        if self._now.level:
            self.turns.append(Turn(day, NONE, ()))
            self._now.level, self._now.calm = NONE, []

    def _line(self, position: int) -> float:
        """The score that gives a place, or keeps it; one who took a place lately takes no other."""
        now = self._now
        if now.level >= ELEVATED:
            return NO_THRESHOLD if self._lapsed(position) else now.bar
        if now.entered is not None and position - now.entered < PLACE_DAYS:
            return NO_THRESHOLD
        return threshold_on(self._thresholds or {}, self._day(position).day)

    def _entry(self, position: int) -> float:
        """What a place that begins on this day is held by: the threshold, or the score when a rule gave it."""
        day = self._day(position).day
        score, threshold = self._scores[day], threshold_on(self._thresholds or {}, day)
        return threshold if score is None else min(threshold, score.whole)

    def _lapsed(self, position: int) -> bool:
        now = self._now
        return now.level >= ELEVATED and now.entered is not None and position - now.entered >= PLACE_DAYS

    def _turn(self, position: int, level: int, at: int, *, by_score: bool) -> None:
        """The level changes on a day, for the reasons of another or the same."""
        hits = self._reasons(at, level, by_score=by_score) if level else ()
        self.turns.append(Turn(self._day(position).day, level, hits))
        self._now.level, self._now.calm = level, []

    def _reasons(self, position: int, level: int, *, by_score: bool) -> tuple[Hit, ...]:
        then = self._up_to(position)
        hits = [hit(rule, then) for rule in holding(then, self._policy)]
        if self._artifact is None or self._thresholds is None:
            return tuple(hits)
        if level < ELEVATED:
            return tuple(map(held, hits))
        score = self._scores[self._day(position).day]
        if score is not None:
            hits += of_model(then, score, self._artifact, by_score=by_score)
        return tuple(sorted(hits, key=lambda found: -found.level))

    def _reaches(self, position: int, line: float) -> bool:
        """Whether the day's score is so high; never where the model is silent."""
        score = self._scores.get(self._day(position).day)
        return score is not None and score.whole >= line

    def _day(self, position: int) -> Day:
        return self._told[self._places[position]]

    def _up_to(self, position: int) -> Sequence[Day]:
        return self._told[: self._places[position] + 1]


def threshold_on(thresholds: Mapping[date, float | None], day: date) -> float:
    """The threshold of the day's week, else that of the last week before it that has one."""
    monday = day - timedelta(days=day.weekday())
    before = [week for week in thresholds if week <= monday]
    found = thresholds[max(before)] if before else None
    return NO_THRESHOLD if found is None else found


def levels(student: Student, found: Sequence[Turn]) -> dict[date, int]:
    """The level that stands after each day that counts."""
    days = [day.day for day in student.told if day.shared]
    return {day: ([NONE] + [turn.level for turn in found if turn.day <= day])[-1] for day in days}
