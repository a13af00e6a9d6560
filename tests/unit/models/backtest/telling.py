"""Several students' days told to a ledger at once, and to a track each: cut and told anew as the stream would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
from models.backtest.ledger import Ledger
from models.episodes import add_day
from models.rules import Rules
from models.track import Day, Track

from tests.unit.models.tracks import OCTOBER, days_of, weekdays

DAYS = 130
COLUMNS = np.array([day.toordinal() for day in weekdays(OCTOBER, DAYS)], np.int32)
_LETTERS = ["PPPPPPPTDQEU", "UUUUUE", "TTTTPU", "PpUuEeTt", "PU>"]


def random_days(random: Random, length: int) -> list[Day]:
    """Days of one student, some left out, of stretches that differ."""
    kinds = ""
    while len(kinds.replace(">", "")) < length:
        kinds += "".join(random.choice(random.choice(_LETTERS)) for _ in range(random.randint(1, 15)))
    days = days_of(kinds)[:length]
    ordinals = sorted(random.sample(COLUMNS.tolist(), len(days)))
    return [day._replace(ordinal=ordinal) for day, ordinal in zip(days, ordinals, strict=True)]


class Telling:
    """A ledger and a track for each student, told the same days."""

    def __init__(self, days: Sequence[list[Day]], rules: Rules) -> None:
        self.days = days
        self.rules = rules
        self.ledger = Ledger(len(days), DAYS)
        self.tracks = [Track() for _ in days]

    def tell(self) -> Iterator[list[int]]:
        """All days that are not told yet, one a student at a time; the students of each step."""
        while waiting := [s for s, track in enumerate(self.tracks) if len(track.ordinals) < len(self.days[s])]:
            today = [self.days[s][len(self.tracks[s].ordinals)] for s in waiting]
            for student, day in zip(waiting, today, strict=True):
                add_day(self.tracks[student], day, self.rules)
            self.ledger.append(
                np.array(waiting, np.intp),
                np.searchsorted(COLUMNS, [day.ordinal for day in today]).astype(np.int32),
                np.array([day.code for day in today], np.uint8),
                np.array([day.shock for day in today], np.bool_),
                np.array([int(day.school[1:]) for day in today], np.int16),
            )
            yield waiting

    def correct(self, student: int, first: int, days: list[Day]) -> None:
        """Take back a student's days from a position on; others are to be told in their place."""
        column = np.searchsorted(COLUMNS, self.days[student][first].ordinal)
        self.ledger.cut(np.array([student], np.intp), np.array([column], np.int16))
        self.tracks[student].cut(first)
        self.days[student][first:] = days
