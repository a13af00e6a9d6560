"""A student's engagement as JSON and as lines for people, by the district's id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.engagement.judgement import Engagement

_WIDTH = 12


def as_document(student_id: str, engagement: Engagement) -> dict[str, object]:
    """The student for JSON: parts and level by their names, dates in ISO 8601."""
    areas = [
        {"area": one.area, "text": one.text, "dates": [day.isoformat() for day in one.dates]}
        for one in engagement.areas
    ]
    return {"student_id": student_id, "level": engagement.level, "parts": dict(engagement.parts), "areas": areas}


def head() -> str:
    """What stands above `as_lines`."""
    return _row(("student", "level", "attendance", "behaviour", "courses"))


def as_lines(student_id: str, engagement: Engagement) -> Iterator[str]:
    """A row of a table, and under it what support could be about."""
    yield _row((student_id, engagement.level or "not known", *engagement.parts.values()))
    yield from (f"    {area.area}: {area.text}" for area in engagement.areas)


def _row(cells: Iterable[str]) -> str:
    return " ".join(f"{cell.replace('_', ' '):<{_WIDTH}}" for cell in cells).rstrip()
