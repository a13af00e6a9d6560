"""What the route of a student's engagement answers with."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from models.engagement.judgement import Engagement, PartStanding
from models.engagement.policy import EngagementPolicy
from models.engagement.standing import AreaName, Track


class SupportArea(BaseModel):
    """What support could be about: what was seen, and what would change it."""

    area: AreaName
    text: str
    dates: list[date]


class StatedThreshold(BaseModel):
    """By what a part is judged."""

    threshold: str
    source: str


class StudentEngagement(BaseModel):
    """Whether attendance, behaviour and courses are on track, of the school year to date."""

    student: str
    student_id: str
    as_of: date
    """As it was known at the end of this day."""
    policy: str
    """The version of the thresholds."""
    level: Track | None = Field(description="The worst part's; null when no part is known.")
    parts: dict[AreaName, PartStanding]
    areas: list[SupportArea]
    thresholds: dict[AreaName, StatedThreshold]

    @classmethod
    def of(
        cls, student: str, student_id: str, as_of: date, engagement: Engagement, policy: EngagementPolicy
    ) -> StudentEngagement:
        """The judgement of a student, with the thresholds in words."""
        stated = {"attendance": policy.attendance, "behaviour": policy.behaviour, "courses": policy.courses}
        return cls(
            student=student,
            student_id=student_id,
            as_of=as_of,
            policy=policy.version,
            level=engagement.level,
            parts=engagement.parts,
            areas=[SupportArea(area=one.area, text=one.text, dates=list(one.dates)) for one in engagement.areas],
            thresholds={
                area: StatedThreshold(threshold=stated[area].words, source=stated[area].source)
                for area in engagement.parts
            },
        )
