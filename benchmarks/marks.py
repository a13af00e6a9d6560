"""The marks that every engine reads: made up, seeded, a row for every student and school day."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from services.contracts.ids import HouseholdPseudonym, Pseudonym, Slot, partition_of
from services.contracts.marks import AttendanceMark, DayCounts

PARTITIONS: Final = 4
STUDENTS: Final = 2_000
DAYS: Final = 100
SCHOOLS: Final = ("0101", "0102", "0103", "0104", "0105", "0106")
FIRST_DAY: Final = date(2016, 9, 8)
SEED: Final = 2016
CAPACITY: Final = 20
"""Places a week: one for each hundred students."""

ABSENCE: Final = ((0.80, 0.03), (0.15, 0.10), (0.05, 0.30))
"""Shares of the students, and the share of days on which each kind is absent."""
EXCUSED: Final = 0.4
"""Share of the absences."""
TARDY: Final = 0.04

Status = Literal["present", "absent", "tardy"]


@dataclass(frozen=True, slots=True)
class Pupil:
    """A student; every second one of the first 40 % is the sibling of the one before."""

    pseudonym: Pseudonym
    household: HouseholdPseudonym | None
    school_id: str
    partition: int
    absent: float
    """The share of days."""


@dataclass(frozen=True)
class Year:
    """Students and days of a run; the same seed gives the same marks again."""

    pupils: tuple[Pupil, ...]
    days: tuple[date, ...]

    @property
    def marks(self) -> int:
        """How many there are."""
        return len(self.pupils) * len(self.days)

    def each_day(self) -> Iterator[tuple[date, list[tuple[int, AttendanceMark]]]]:
        """Day by day, every student's mark with its partition."""
        chance = random.Random(SEED)  # noqa: S311 - not a secret
        for day in self.days:
            yield day, [(pupil.partition, _mark(pupil, day, chance)) for pupil in self.pupils]


def make_year(marks: int) -> Year:
    """A year of about so many marks: fewer days when they are few, more students when they are many."""
    students = max(STUDENTS, marks // DAYS)
    return year_of(students, days=max(1, marks // students))


def year_of(students: int, *, days: int) -> Year:
    """A year of so many students and school days."""
    chance = random.Random(SEED)  # noqa: S311 - not a secret
    pupils = tuple(_pupil(number, students, chance) for number in range(students))
    return Year(pupils, tuple(_school_days(days)))


def counts(day: date, marks: list[tuple[int, AttendanceMark]]) -> dict[tuple[str, date], DayCounts]:
    """The head counts of every school's day, as ingest sends them."""
    result: dict[tuple[str, date], DayCounts] = {}
    for school in SCHOOLS:
        statuses = [mark.status for _, mark in marks if mark.school_id == school]
        absent, seen = statuses.count("absent"), len(statuses)
        result[school, day] = DayCounts(school_id=school, date=day, absent=absent, reported=seen, expected=seen)
    return result


def _school_days(number: int) -> Iterator[date]:
    day = FIRST_DAY
    while number:
        if day.weekday() < 5:  # noqa: PLR2004 - Saturday
            yield day
            number -= 1
        day += timedelta(days=1)


def _pupil(number: int, students: int, chance: random.Random) -> Pupil:
    home = number // 2
    return Pupil(
        pseudonym=Pseudonym(_pseudonym(f"student {number}")),
        household=HouseholdPseudonym(_pseudonym(f"household {home}")) if number < students * 0.4 else None,
        school_id=SCHOOLS[home % len(SCHOOLS)],
        partition=partition_of(Slot(home), PARTITIONS),
        absent=chance.choices([rate for _, rate in ABSENCE], [share for share, _ in ABSENCE])[0],
    )


def _pseudonym(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def _mark(pupil: Pupil, day: date, chance: random.Random) -> AttendanceMark:
    drawn = chance.random()
    status: Status = "present"
    if drawn < pupil.absent:
        status = "absent"
    elif drawn > 1 - TARDY:
        status = "tardy"
    return AttendanceMark(
        student=pupil.pseudonym,
        school_id=pupil.school_id,
        date=day,
        status=status,
        excused=chance.random() < EXCUSED if status == "absent" else None,
        recorded_at=datetime.combine(day, time(13, 40), UTC) + timedelta(seconds=chance.randrange(1200)),
    )
