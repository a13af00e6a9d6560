"""The levels of many students' days: hysteresis, and the places of a capacity.

Rise at once; fall or clear only after `calm_days` quieter days in a row. A shock day raises nobody. On most days of
most students nothing moves: arrays find these, the few others are decided one by one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from models.arrays import Codes, Flags, Floats, Ints, Places, grown
from models.capacity import NO_THRESHOLD, PLACE_DAYS, WEEK_DAYS, Thresholds
from models.engine.ledger import Pairs, Small
from models.engine.rules import ALWAYS
from models.policy import ELEVATED, NONE, WATCH

KEEP: Final = 0.7
"""A student stays elevated until the score is so far (log-odds: about half the odds) below that of the entry."""
NEVER_ENTERED: Final = -1_000_000
"""The position of an entry that never was."""
RULE, MODEL = 1, 2
"""What gives a level, as bits."""


class Strategy(NamedTuple):
    """What raises alerts."""

    rules: bool
    model: bool
    """With a model the capacity holds: elevated and urgent are its places."""


class State(NamedTuple):
    """The hysteresis after a day on which it changed. Positions are from 1."""

    position: int
    """Of that day."""
    level: int = NONE
    source: int = 0
    """What gives the level."""
    why: int = 0
    """The position of the day that gives the level's reasons; 0 when the student left where days are shared."""
    by_score: bool = False
    """Whether the score gives a place on that day."""
    days: int = 0
    """For how many days it has been quieter."""
    highest: int = NONE
    """The highest level seen in the quiet days."""
    highest_source: int = 0
    highest_why: int = 0
    """The position of the latest quiet day of that level."""
    highest_by_score: bool = False
    entered: int = NEVER_ENTERED
    """The position of the day on which the student last entered elevated or urgent."""
    bar: float = 0.0
    """The score (log-odds) that keeps a student who entered there."""
    raised: int = 0
    """The ordinal of the day on which the present alert was raised."""


class LevelChange(NamedTuple):
    """The level from this day on (0: none), and where its reasons come from. Positions are from 1."""

    position: int
    level: int
    why: int
    by_score: bool

    @property
    def left(self) -> bool:
        """Whether it is none for the student left where days are shared, somewhen before this day."""
        return self.why == 0


class Today(NamedTuple):
    """What a day brings to the hysteresis."""

    position: int
    day: int
    """Its ordinal."""
    assessed: int
    logit: float
    shock: bool
    threshold: float
    step: bool
    """Whether levels are decided on it."""
    returned: bool
    """Whether days that are not shared came before it."""


START: Final = State(0)


class Levels:
    """One strategy's levels, by row."""

    def __init__(self, strategy: Strategy, calm_days: int, thresholds: Thresholds | None = None) -> None:
        self.strategy = strategy
        self.thresholds = [thresholds if thresholds is not None else Thresholds()]
        """By an agency's number."""
        self._calm_days = calm_days
        self._courses: dict[int, list[State]] = {}
        self._noted: set[int] = set()
        self.agency: Small = np.zeros(0, np.int16)
        """Per row: the number of the agency whose thresholds hold."""
        self.level: Codes = np.zeros(0, np.uint8)
        """Per row: the level after the last decided day."""
        self.source: Codes = np.zeros(0, np.uint8)
        self.raised: Ints = np.zeros(0, np.int32)
        self._days: Codes = np.zeros(0, np.uint8)
        self.entered: Ints = np.zeros(0, np.int32)
        self._bar: Floats = np.zeros(0)

    def add(self, rows: int) -> None:
        """Room for so many rows."""
        if rows > len(self.level):
            room = max(rows, len(self.level) * 5 // 4 + 16)
            self.agency = grown(self.agency, room)
            self.level, self.source = grown(self.level, room), grown(self.source, room)
            self.raised, self._days = grown(self.raised, room), grown(self._days, room)
            self.entered, self._bar = grown(self.entered, room, fill=NEVER_ENTERED), grown(self._bar, room)

    def take_noted(self) -> set[int]:
        """The rows of which something was decided or taken back since the last call."""
        noted, self._noted = self._noted, set()
        return noted

    def course(self, row: int) -> Sequence[State]:
        """Every change of the row's hysteresis, in order."""
        return self._courses.get(row, ())

    def changes(self, row: int) -> list[LevelChange]:
        """Every change of the row's level, in order."""
        states = self._courses.get(row, ())
        return [
            LevelChange(state.position, state.level, state.why, state.by_score)
            for before, state in zip((START, *states), states, strict=False)
            if state.level != before.level
        ]

    def state(self, row: int) -> State:
        """The hysteresis after the row's last decided day."""
        states = self._courses.get(row)
        return states[-1] if states else START

    def recall(self, row: int, course: Iterable[State]) -> None:
        """Take what was decided before a restart."""
        if states := list(course):
            self._courses[row] = states
        self._note([row])

    def clear(self, row: int) -> None:
        """Forget a row."""
        self._courses.pop(row, None)
        self._note([row])

    def cut(self, rows: Places, positions: Places) -> dict[int, int]:
        """Forget what was decided after these positions; of the rows of which anything was, the first one after."""
        changed = {}
        for row, position in zip(rows.tolist(), positions.tolist(), strict=True):
            states = self._courses.get(row)
            if states and states[-1].position > position:
                del states[bisect_left(states, position + 1, key=_position) :]
                changed[row] = position + 1
        self._note(list(changed))
        return changed

    def decide(self, pairs: Pairs, assessed: Codes, logits: Floats) -> dict[int, int]:
        """Decide these days, each row's in order after those decided before.

        Of the rows whose level turned, the position of the first day on which it may have.
        """
        threshold = self._thresholds_on(pairs.row, pairs.day)
        moving = np.flatnonzero(self._moves(pairs, assessed, logits, threshold))
        if not len(moving):
            return {}
        rows, first = np.unique(pairs.row[moving], return_index=True)
        starts, ends = moving[first], np.searchsorted(pairs.row, rows, side="right")
        number = ends - starts
        at = np.repeat(starts - np.cumsum(number) + number, number) + np.arange(number.sum())
        days = [
            Today(*day)
            for day in zip(
                *(
                    part[at].tolist()
                    for part in (
                        pairs.position,
                        pairs.day,
                        assessed,
                        logits,
                        pairs.shock,
                        threshold,
                        pairs.step,
                        pairs.returned,
                    )
                ),
                strict=True,
            )
        ]
        turned, noted, begin = {}, [], 0
        for row, length in zip(rows.tolist(), number.tolist(), strict=True):
            course = self._courses.setdefault(row, [])
            before = len(course)
            if self._decide(course, days[begin : begin + length]):
                turned[row] = days[begin].position
            if len(course) > before:
                noted.append(row)
            elif not course:
                del self._courses[row]
            begin += length
        self._note(noted)
        return turned

    def leave(self, rows: Places, length: Ints) -> dict[int, int]:
        """End what is raised of these rows, of so many days: the last day told of them is not shared.

        Of the rows whose level turned, the position of the next day.
        """
        turned, raised = {}, self.level[rows] > NONE
        for row, days in zip(rows[raised].tolist(), length[raised].tolist(), strict=True):
            self._courses[row].append(_left(self.state(row), days + 1))
            turned[row] = days + 1
        self._note(list(turned))
        return turned

    def can_enter(self, rows: Places, length: Ints) -> Flags:
        """Who, of so many days, takes a place next week if the score suffices: has none, or one that ends by then."""
        since = length + 1 - self.entered[rows]
        placed = self.level[rows] >= ELEVATED
        return np.asarray((since >= PLACE_DAYS - WEEK_DAYS) & (~placed | (since < PLACE_DAYS)))

    def _thresholds_on(self, row: Places, day: Ints) -> Floats:
        if not self.strategy.model or not len(day):
            return np.full(len(day), NO_THRESHOLD)
        first, last = int(day.min()), int(day.max())
        known = np.array([[of.on(each) for each in range(first, last + 1)] for of in self.thresholds])
        return np.asarray(known[self.agency[row], day - first])

    def _moves(self, pairs: Pairs, assessed: Codes, logits: Floats, threshold: Floats) -> Flags:
        """Days on which the hysteresis may change, if it did not since the row's last decided day."""
        level = self.level[pairs.row]
        wanted = assessed % ALWAYS if self.strategy.rules else np.zeros_like(assessed)
        if self.strategy.model:
            elevated, since = level >= ELEVATED, pairs.position - self.entered[pairs.row]
            over = since >= PLACE_DAYS
            bar = np.where(elevated, self._bar[pairs.row], np.where(over, threshold, NO_THRESHOLD))
            placed = (logits >= bar) & ~(elevated & over)
            if self.strategy.rules:
                placed |= assessed // ALWAYS >= ELEVATED
            wanted = np.where(placed, np.maximum(wanted, ELEVATED), np.minimum(wanted, WATCH))
        wanted = np.where(pairs.shock, np.minimum(wanted, level), wanted)
        moves = ((wanted != level) | (self._days[pairs.row] > 0)) & pairs.step
        return np.asarray(moves | (pairs.returned & (level > NONE)))

    def _decide(self, course: list[State], days: Sequence[Today]) -> bool:
        """Decide a row's days; whether the level turned."""
        state, turned = course[-1] if course else START, False
        for today in days:
            if today.returned and state.level:
                state, turned = _left(state, today.position), True
                course.append(state)
            if today.step:
                after = self._after(state, today)
                if after is not state:
                    turned |= after.level != state.level
                    course.append(after)
                    state = after
        return turned

    def _after(self, state: State, today: Today) -> State:
        """The hysteresis after a day; the same object when nothing changes."""
        level = today.assessed % ALWAYS if self.strategy.rules else NONE
        source = RULE if level else 0
        if self.strategy.model:
            lapsed = state.level >= ELEVATED and today.position - state.entered >= PLACE_DAYS
            by_score = not lapsed and today.logit >= _bar(state, today)
            placed = by_score or (self.strategy.rules and today.assessed // ALWAYS >= ELEVATED)
            level = max(level, ELEVATED) if placed else min(level, WATCH)
            source |= MODEL if by_score else 0
            if lapsed and not placed:
                return _fallen(state, today, level, source, today.position, by_score=today.logit >= state.bar)
        if today.shock:
            level = min(level, state.level)
        if level == state.level:
            return _calm(state, today) if state.days else state
        if level > state.level:
            return self._risen(state, today, level, source)
        return self._quieter(state, today, level, source)

    def _risen(self, state: State, today: Today, level: int, source: int) -> State:
        entered, bar = state.entered, state.bar
        if self.strategy.model and state.level < ELEVATED <= level:
            entered, bar = today.position, min(today.threshold, today.logit) - KEEP
        raised = state.raised if state.level else today.day
        why = today.position
        return State(why, level, source, why, bool(source & MODEL), entered=entered, bar=bar, raised=raised)

    def _quieter(self, state: State, today: Today, level: int, source: int) -> State:
        by_score = self.strategy.model and today.logit >= state.bar
        if level >= state.highest:
            state = state._replace(
                highest=level, highest_source=source, highest_why=today.position, highest_by_score=by_score
            )
        if state.days + 1 < self._calm_days:
            return state._replace(position=today.position, days=state.days + 1)
        return _fallen(
            state, today, state.highest, state.highest_source, state.highest_why, by_score=state.highest_by_score
        )

    def _note(self, rows: Sequence[int]) -> None:
        """Bring the arrays up to date with these rows' courses."""
        if not rows:
            return
        self._noted.update(rows)
        states = [self.state(row) for row in rows]
        self.level[rows] = [state.level for state in states]
        self.source[rows] = [state.source for state in states]
        self.raised[rows] = [state.raised for state in states]
        self._days[rows] = [min(state.days, 255) for state in states]
        self.entered[rows] = [state.entered for state in states]
        self._bar[rows] = [state.bar for state in states]


def _bar(state: State, today: Today) -> float:
    """The score that keeps a student elevated, or with which one enters; one who took a place lately takes no other."""
    if state.level >= ELEVATED:
        return state.bar
    return NO_THRESHOLD if today.position - state.entered < PLACE_DAYS else today.threshold


def _calm(state: State, today: Today) -> State:
    """As loud as before: the quiet days are over."""
    return state._replace(
        position=today.position,
        days=0,
        highest=NONE,
        highest_source=0,
        highest_why=0,
        highest_by_score=False,
    )


def _fallen(state: State, today: Today, level: int, source: int, why: int, *, by_score: bool) -> State:
    """Fall to a level that the day `why` gives reasons for."""
    source = source if level else 0
    return State(
        today.position, level, source, why, by_score, entered=state.entered, bar=state.bar, raised=state.raised
    )


def _left(state: State, position: int) -> State:
    """No level, from before a day on: what is not seen any more is not raised."""
    return State(position, entered=state.entered, bar=state.bar, raised=state.raised)


def _position(state: State) -> int:
    return state.position
