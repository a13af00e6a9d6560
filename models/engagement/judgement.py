"""What one student's facts come to, as they were known on a day: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from models.engagement import behaviour, courses, rate
from models.engagement.facts import EngagementFacts
from models.engagement.policy import EngagementPolicy
from models.engagement.standing import AreaName, JudgedPart, TargetArea, Track

NotKnown = Literal["not_shared", "no_data"]
PartStanding = Track | NotKnown
WORST_FIRST: Final[tuple[Track, ...]] = ("off_track", "sliding", "on_track")


@dataclass(frozen=True, slots=True)
class Engagement:
    """The level, the parts that make it, and what support could be about."""

    level: Track | None
    """The worst part's; None when no part is known."""
    parts: dict[AreaName, PartStanding]
    areas: tuple[TargetArea, ...]


def judge(facts: EngagementFacts, policy: EngagementPolicy, as_of: date) -> Engagement:
    """Judge what was known by the end of the day, of the school year to date."""
    attendance, suspensions, marks = facts.attendance, facts.suspensions, facts.marks
    judged: dict[AreaName, JudgedPart | None] = {
        "attendance": None if attendance is None else rate.judge(attendance, policy.attendance, as_of),
        "behaviour": None if suspensions is None else behaviour.judge(suspensions, policy.behaviour, as_of),
        "courses": None if marks is None else courses.judge(marks, policy.courses, as_of),
    }
    parts: dict[AreaName, PartStanding] = {
        area: "not_shared" if one is None else one.track or "no_data" for area, one in judged.items()
    }
    areas = tuple(area for one in judged.values() if one is not None for area in one.areas)
    return Engagement(worst(parts.values()), parts, areas)


def worst(parts: Iterable[PartStanding]) -> Track | None:
    """The worst of the parts that are known; None when none is."""
    known = set(parts)
    return next((track for track in WORST_FIRST if track in known), None)
