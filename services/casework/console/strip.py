"""A student's year as a calendar strip: a column a week, a row a weekday; and the same in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import dropwhile
from typing import Any, Final

from services.casework.console.words import Words

STEP: Final = 14
TOP: Final = 18
ROWS: Final = 5
SHOWN: Final = ("absent", "excused", "tardy", "early_departure", "no_data", "not_shared")
"""What the words name day by day; present and no school are the rest."""
WIDE_RATE: Final = 0.25
"""From this share absent on a day is marked as one of the whole school."""


@dataclass(frozen=True, slots=True)
class StripCell:
    """A day's square; `x` and `y` are of its upper left corner."""

    x: int
    y: int
    what: str
    title: str
    whole_school: bool


@dataclass(frozen=True, slots=True)
class StripMonth:
    """A month's name above its first week."""

    x: int
    name: str


@dataclass(frozen=True, slots=True)
class MonthInWords:
    """A month's days of each kind."""

    name: str
    days: list[tuple[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Strip:
    """What the template draws and says."""

    width: int
    height: int
    cells: list[StripCell]
    months: list[StripMonth]
    legend: list[tuple[str, str]]
    summary: list[tuple[str, int]]
    words: list[MonthInWords]


def strip_of(year: dict[str, Any], words: Words) -> Strip:
    """The strip of what `GET /v1/students/{student}/year` answers."""
    days = [{**day, "date": date.fromisoformat(day["date"])} for day in year["days"]]
    days = [day for day in days if day["date"].weekday() < ROWS]
    days = list(dropwhile(lambda day: day["what"] == "no_school", days))  # the summer before the first day
    first = min((day["date"] for day in days), default=date.fromisoformat(year["begins"]))
    cells = [_cell(day, first, words) for day in days]
    counts = year["counts"]
    return Strip(
        width=max((cell.x for cell in cells), default=0) + STEP,
        height=TOP + ROWS * STEP,
        cells=cells,
        months=_months(days, first, words),
        legend=[(what, words.days[what]) for what in words.days],
        summary=[(words.days[what], counts[what]) for what in words.days if counts.get(what)],
        words=_in_words(days, words),
    )


def _week(day: date, first: date) -> int:
    return (day.toordinal() - first.toordinal() + first.weekday()) // 7


def _cell(day: dict[str, Any], first: date, words: Words) -> StripCell:
    when: date = day["date"]
    rate = day["school_rate"]
    title = f"{words.day(when)}: {words.days[day['what']]}"
    if rate is not None:
        title += f" ({words.of_school(rate)})"
    return StripCell(
        x=_week(when, first) * STEP,
        y=TOP + when.weekday() * STEP,
        what=day["what"],
        title=title,
        whole_school=rate is not None and rate >= WIDE_RATE,
    )


def _months(days: Sequence[dict[str, Any]], first: date, words: Words) -> list[StripMonth]:
    seen: dict[tuple[int, int], StripMonth] = {}
    for day in days:
        when: date = day["date"]
        seen.setdefault((when.year, when.month), StripMonth(_week(when, first) * STEP, words.month(when)))
    return list(seen.values())


def _in_words(days: Sequence[dict[str, Any]], words: Words) -> list[MonthInWords]:
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for day in days:
        if day["what"] in SHOWN:
            found[words.month_of_year(day["date"])][day["what"]].append(words.number(day["date"].day))
    return [
        MonthInWords(month, [(words.days[what], by_kind[what]) for what in SHOWN if what in by_kind])
        for month, by_kind in found.items()
    ]
