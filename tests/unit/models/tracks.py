"""Students of the engine made from strings: one character a school day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from random import Random
from typing import NamedTuple

import numpy as np

from models.attendance import EARLY_DEPARTURE, EXCUSED, PARTIAL, PRESENT, TARDY, UNEXCUSED
from models.engine.cohort import Cohort, Turned
from models.engine.episodes import Hit, Turn
from models.engine.levels import LevelChange, Levels, Strategy
from models.engine.past import Past, past_of
from models.engine.reasons import put_in_words
from models.engine.register import HISTORY, REPORTED
from models.engine.rules import Rules
from models.engine.scores import Since
from models.enrollment import FOREVER, Segment
from models.policy import URGENT, default_policy

CODES = {"P": PRESENT, "T": TARDY, "D": EARLY_DEPARTURE, "Q": PARTIAL, "E": EXCUSED, "U": UNEXCUSED}
RULES = Rules(default_policy(), 2016)
RULES_ALONE, BOTH = Strategy(rules=True, model=False), Strategy(rules=True, model=True)
OCTOBER = date(2016, 10, 3)
"""A Monday on which September is not yet over for its rule, but no absence of these tracks is in it."""
DAYS = 130
_LETTERS = ["PPPPPPPTDQEU", "UUUUUE", "TTTTPU", "PpUuEeTt", "PU>"]


class Day(NamedTuple):
    """One day that counts."""

    ordinal: int
    school: str
    code: int
    shock: bool
    step: bool
    """Whether levels are decided on it (not inside an imported history)."""


def weekdays(first: date, number: int) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * number + 3))
    return [day for day in days if day.weekday() < 5][:number]


COLUMNS = np.array([day.toordinal() for day in weekdays(OCTOBER, DAYS)], np.int32)


def days_of(kinds: str, *, first: date = OCTOBER, history: int = 0) -> list[Day]:
    """The days of a string: a small letter is a shock day, `>` before a letter a change of school."""
    schools = 0
    result: list[Day] = []
    days = iter(weekdays(first, len(kinds)))
    for kind in kinds:
        if kind == ">":
            schools += 1
            continue
        step = len(result) >= history
        result.append(Day(next(days).toordinal(), f"S{schools}", CODES[kind.upper()], kind.islower(), step))
    return result


def random_days(random: Random, length: int) -> list[Day]:
    """Days of one student, some left out, of stretches that differ."""
    kinds = ""
    while len(kinds.replace(">", "")) < length:
        kinds += "".join(random.choice(random.choice(_LETTERS)) for _ in range(random.randint(1, 15)))
    days = days_of(kinds)[:length]
    ordinals = sorted(random.sample(COLUMNS.tolist(), len(days)))
    return [day._replace(ordinal=ordinal) for day, ordinal in zip(days, ordinals, strict=True)]


class Telling:
    """Students of one cohort; each has schools of its own, so that their days differ in everything."""

    def __init__(
        self,
        students: int = 1,
        *,
        rules: Rules = RULES,
        strategies: Sequence[Strategy] = (RULES_ALONE,),
        models: Sequence[Since] = (),
    ) -> None:
        self.cohort = Cohort(rules.policy, rules.year, strategies, models)
        self.cohort.register.state_of = self._state_of
        self.cohort.add(students)
        self._days: dict[int, dict[int, Day]] = defaultdict(dict)
        self._segments: dict[int, list[Segment]] = {}

    @property
    def levels(self) -> Levels:
        """Those of the first strategy."""
        return self.cohort.levels[0]

    def days(self, student: int) -> list[Day]:
        """The student's days as they were last told, in order."""
        return [day for _, day in sorted(self._days[student].items())]

    def tell(self, student: int, days: Iterable[Day]) -> None:
        """Say these days, in place of what was said of the same dates."""
        told = list(days)
        self._days[student].update((day.ordinal, day) for day in told)
        self._look(student, [day.ordinal for day in told])

    def take_back(self, student: int, days: Iterable[Day]) -> None:
        """Say that these days do not count."""
        gone = [day.ordinal for day in days]
        for ordinal in gone:
            self._days[student].pop(ordinal, None)
        self._look(student, gone)

    def evaluate(self) -> Turned:
        """Decide everything; what turned by the first strategy."""
        return self.cohort.evaluate_all()[0]

    def _look(self, student: int, ordinals: Sequence[int]) -> None:
        cohort, register = self.cohort, self.cohort.register
        self._place(student)
        for ordinal in ordinals:
            column, day = cohort.column(ordinal), self._days[student].get(ordinal)
            register.said[student, column] = day.code if day else 0
            if day is not None:
                register.said_at[student, column] = register.number(f"{student}|{day.school}")
            for name in [name for name in register.names if name.startswith(f"{student}|")]:
                register.look_up(register.number(name), column)
            cohort.touch(student, column)

    def _place(self, student: int) -> None:
        """From its first day on the student goes to a school until the first day at the next one."""
        runs = [(name, next(days).ordinal) for name, days in groupby(self.days(student), key=lambda day: day.school)]
        begins = [1, *(first for _, first in runs[1:])]
        ends = [first - 1 for first in begins[1:]] + [FOREVER]
        segments = [
            Segment(first, last, f"{student}|{name}")
            for (name, _), first, last in zip(runs, begins, ends[: len(runs)], strict=False)
        ]
        if segments != self._segments.get(student):
            self._segments[student] = segments
            self.cohort.register.place(student, segments)
            self.cohort.forget_days(student)

    def _state_of(self, school: str, ordinal: int) -> tuple[int, bool]:
        student, _, name = school.partition("|")
        day = self._days[int(student)].get(ordinal)
        if day is None or day.school != name:
            return 0, False
        return REPORTED if day.step else HISTORY, day.shock


class Track:
    """One student of a telling, as it stands."""

    def __init__(self, telling: Telling, row: int = 0) -> None:
        self.telling = telling
        self.cohort = telling.cohort
        self.row = row

    @property
    def days(self) -> list[Day]:
        """As told."""
        return self.telling.days(self.row)

    @property
    def past(self) -> Past:
        """The days that count."""
        return past_of(self.cohort.register, self.row)

    @property
    def ordinals(self) -> tuple[int, ...]:
        """Of the days that count."""
        return self.past.ordinals

    @property
    def turns(self) -> list[Turn]:
        """By the first strategy, in words."""
        levels = self.telling.levels
        course = (self.row, levels.changes(self.row), ())
        return put_in_words(self.cohort, [course], capped=levels.strategy.model)[0]

    @property
    def rule_levels(self) -> list[int]:
        """What the rules give on each day (`Rules.assess`)."""
        days = self.cohort.days_of(self.row)
        return self.cohort.rules.assess(self.cohort.ledger, days, days.shock & False).tolist()

    def state(self) -> tuple[object, ...]:
        """Everything that is known of the student."""
        if not self.ordinals:
            return self.past, self.turns
        last = self.cohort.ledger.last_days(np.array([self.row], np.intp))
        ends = [part.tolist() for part in last._replace(school=last.school[:0])]
        school = self.cohort.register.names[last.school[0]]
        return self.past, ends, school, inputs_of(self), list(self.telling.levels.course(self.row)), self.turns


def unruled(days: Iterable[Day], *, rules: Rules = RULES) -> Track:
    """These days, told at once."""
    telling = Telling(rules=rules)
    telling.tell(0, days)
    telling.evaluate()
    return Track(telling)


def track_of(kinds: str, *, first: date = OCTOBER, history: int = 0, rules: Rules = RULES) -> Track:
    return unruled(days_of(kinds, first=first, history=history), rules=rules)


def inputs_of(track: Track) -> tuple[int, ...]:
    """The model's inputs on the last day."""
    return tuple(track.cohort.inputs(np.array([track.row], np.intp))[0].tolist())


def explained(track: Track, position: int, level: int, *, by_score: bool, capped: bool = True) -> tuple[Hit, ...]:
    """The reasons of a level on the day at this position (from 1)."""
    change = LevelChange(position, level, position, by_score)
    return put_in_words(track.cohort, [(track.row, [change], ())], capped=capped)[0][0].hits


def hits_of(track: Track) -> tuple[Hit, ...]:
    """Every rule that holds on the last day, in words."""
    return explained(track, len(track.ordinals), URGENT, by_score=False, capped=False)


def rules_of(kinds: str, *, first: date = OCTOBER) -> set[str]:
    """The ids of the rules that hold on the last day."""
    return {hit.rule for hit in hits_of(track_of(kinds, first=first))}


def levels_of(kinds: str, *, first: date = OCTOBER, history: int = 0) -> str:
    """The level that stands after each day, a digit a day."""
    days = days_of(kinds, first=first, history=history)
    turns = {turn.ordinal: turn.level for turn in track_of(kinds, first=first, history=history).turns}
    level, result = 0, ""
    for day in days:
        level = turns.get(day.ordinal, level)
        result += str(level)
    return result
