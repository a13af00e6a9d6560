"""A student's engagement as a page: what stands, by what it is judged, and what support could be about. No script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from models.engagement.standing import plain_date
from services.casework.engagement.schemas import StudentEngagement
from services.platform.notice import NOTICE
from services.platform.page.elements import Element, facts, more, paragraph, section, table, tag
from services.platform.page.whole import page

TITLE: Final = "Engagement of one student"
POLICY_HEADER: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
}
WORDS: Final = {
    "on_track": "on track",
    "sliding": "sliding",
    "off_track": "off track",
    "not_shared": "not shared with you",
    "no_data": "too little is known",
    None: "not known",
}


def render(engagement: StudentEngagement) -> str:
    """The whole page as HTML."""
    return page(TITLE, [_level(engagement), _areas(engagement), _parts(engagement), _about()])


def _level(engagement: StudentEngagement) -> Element:
    known = facts(
        [
            ("Student, the district's number", engagement.student_id),
            ("Level", WORDS[engagement.level]),
            ("As of", plain_date(engagement.as_of)),
            ("Thresholds, version", engagement.policy),
        ]
    )
    return section("level", "Where the student stands", known, paragraph("The level is that of the worst part."))


def _areas(engagement: StudentEngagement) -> Element:
    items = [
        tag("li", tag("strong", f"{area.area.capitalize()}. "), area.text, *_dates(area.dates))
        for area in engagement.areas
    ]
    listed = tag("ul", *items) if items else paragraph("Nothing stands out in what is shared with you.")
    return section("areas", "What support could be about", listed)


def _dates(dates: Sequence[date]) -> list[Element]:
    if not dates:
        return []
    return [more("Dates", paragraph(", ".join(map(plain_date, dates))))]


def _parts(engagement: StudentEngagement) -> Element:
    rows = [
        (area.capitalize(), WORDS[standing], engagement.thresholds[area].threshold, engagement.thresholds[area].source)
        for area, standing in engagement.parts.items()
    ]
    listed = table("The parts, each by its threshold", ("Part", "Stands", "Threshold", "Source"), rows)
    return section("parts", "By what it is judged", listed)


def _about() -> Element:
    what = (
        "This says where attendance, conduct on record and marks stand against thresholds that schools use. It is no "
        "judgement of a child or a parent, no diagnosis, and nothing of it goes into the risk of homelessness."
    )
    return section("about", "What this is not", paragraph(what), paragraph(NOTICE))
