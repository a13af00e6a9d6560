"""Where a student was enrolled, and consented, on each day: disjoint segments of one school each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

FOREVER = 3_652_059
"""`date.max` as an ordinal: no end is set."""


class Span(NamedTuple):
    """Days enrolled at a school, both ends inclusive."""

    entry: int
    exit: int
    school: str
    calendar: str = ""
    """The student's own calendar there; empty: the school's."""


class Stay(NamedTuple):
    """An enrollment by its dates, both ends inclusive."""

    school_id: str
    """Empty at one that is not shared."""
    entry_date: date
    exit_date: date | None
    calendar: str | None = None


class Segment(NamedTuple):
    """Days that count for the student at one school, both ends inclusive."""

    first: int
    last: int
    school: str
    calendar: str = ""


def segments(spans: Sequence[Span], first: int, last: int) -> tuple[Segment, ...]:
    """Cut the spans to first through last; a day inside two counts at the school entered later."""
    result: list[Segment] = []
    for span in sorted(spans):
        new = Segment(max(span.entry, first), min(span.exit, last), span.school, span.calendar)
        if new.first > new.last:
            continue
        result = [part for old in result for part in _without(old, new)]
        result.append(new)
    return tuple(sorted(result))


def shared_segments(
    stays: Iterable[Stay], is_shared: Callable[[str], bool], first: date, last: date
) -> tuple[Segment, ...]:
    """Where the student was from first through last; without a school's id where nothing is shared."""
    spans = [
        Span(
            stay.entry_date.toordinal(),
            FOREVER if stay.exit_date is None else stay.exit_date.toordinal(),
            stay.school_id if is_shared(stay.school_id) else "",
            stay.calendar or "",
        )
        for stay in stays
    ]
    return segments(spans, first.toordinal(), last.toordinal())


def _without(old: Segment, new: Segment) -> list[Segment]:
    if new.last < old.first or new.first > old.last:
        return [old]
    parts = [old._replace(last=new.first - 1), old._replace(first=new.last + 1)]
    return [part for part in parts if part.first <= part.last]


def school_on(parts: Sequence[Segment], day: int) -> str | None:
    """The school at which the day counts, or None."""
    for part in reversed(parts):
        if part.first <= day <= part.last:
            return part.school
    return None
