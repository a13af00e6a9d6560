"""How one part of a student's engagement stands, and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from models.school_year import first_day, year_of

Track = Literal["on_track", "sliding", "off_track"]
AreaName = Literal["attendance", "behaviour", "courses"]


@dataclass(frozen=True, slots=True)
class TargetArea:
    """What support could be about, in plain words: what was seen, and what would change it."""

    area: AreaName
    text: str
    dates: tuple[date, ...]
    """The days that it rests on, in order."""


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """One part; no track: too little is known."""

    track: Track | None
    areas: tuple[TargetArea, ...] = ()


def year_begins(as_of: date) -> date:
    """The 1 July on which the day's school year began."""
    return date.fromordinal(first_day(year_of(as_of.toordinal())))


def plain_date(day: date) -> str:
    """Such as 3 October 2026."""
    return f"{day.day} {day:%B %Y}"
