"""The Ed-Fi sample read once more, with the standard library alone, for the oracle."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from models.policy import default_policy
from tests.plain.facts import Child, Facts, Row, SchoolFacts, Stay, file_closes, school_year
from tests.plain.truth import Truth

HOLIDAYS = {
    date(2021, 9, 6): "Labor Day",
    date(2021, 10, 11): "Columbus Day",
    date(2021, 11, 11): "Veterans Day",
    date(2021, 11, 25): "Thanksgiving",
    date(2021, 12, 24): "Christmas, observed",
    date(2021, 12, 31): "New Year, observed",
    date(2022, 1, 17): "Martin Luther King Day",
    date(2022, 2, 21): "Washington's Birthday",
    date(2022, 5, 30): "Memorial Day",
}
CATEGORIES: dict[str, tuple[str, bool | None]] = {
    "Excused Absence": ("absent", True),
    "Unexcused Absence": ("absent", False),
    "Tardy": ("tardy", None),
    "Partial": ("partial", None),
}
NEEDED = {"records": "attendance", "purpose": "homelessness-prevention", "recipients": "project-hope"}

Consent = tuple[date, date | None]


@dataclass(frozen=True)
class Sample:
    """What the files say, by student and by school."""

    rows: dict[str, list[Row]]
    stays: dict[str, list[Stay]]
    consents: dict[str, Consent]
    """First and last day in force, of those who have a consent that fits."""
    schools: dict[str, SchoolFacts]

    def truth(self) -> Truth:
        """What the plain definition makes of it; every day that was handed in decides levels."""
        children = {
            student: Child(self.rows.get(student, []), self.stays[student], consent, year=school_year(self.last_day))
            for student, consent in self.consents.items()
        }
        return Truth(Facts(default_policy(), self.schools, children))

    @property
    def last_day(self) -> date:
        """The last day on which any school reported anything."""
        return max(row.day for rows in self.rows.values() for row in rows)


def read(folder: Path) -> Sample:
    """The whole folder."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for name in ("StudentSchoolAttendance.xml", "StudentSectionAttendance-Tardy.xml"):
        for student, row in _events(folder / name):
            rows[student].append(row)
    stays: defaultdict[str, list[Stay]] = defaultdict(list)
    for line in _lines(folder / "enrollments.csv"):
        stays[line["student_id"]].append(
            Stay(line["school_id"], _day(line["entry_date"]), _day_or_none(line["exit_date"]))
        )
    schools = _schools(folder / "EducationOrgCalendar.xml")
    file_closes([row for of_student in rows.values() for row in of_student], schools)
    _count_heads(rows, stays, schools)
    return Sample(dict(rows), dict(stays), _consents(folder / "consents.csv"), schools)


def _events(path: Path) -> Iterator[tuple[str, Row]]:
    for event in ET.parse(path).getroot():
        category = _text(event, "AttendanceEventCategory").rpartition("#")[2]
        status, excused = CATEGORIES[category]
        section = event.find(".//{*}SectionIdentifier")
        day = _day(_text(event, "EventDate"))
        row = Row(_text(event, "SchoolId"), day, status, excused, None if section is None else section.text)
        yield _text(event, "StudentUniqueId"), row


def _schools(path: Path) -> dict[str, SchoolFacts]:
    """The weekdays inside each session, less the federal holidays: no school has calendar rows of its own."""
    schools: defaultdict[str, SchoolFacts] = defaultdict(SchoolFacts)
    for session in ET.parse(path).getroot().findall("{*}Session"):
        begin, end = _day(_text(session, "BeginDate")), _day(_text(session, "EndDate"))
        for number in range((end - begin).days + 1):
            day = begin + timedelta(days=number)
            if day.weekday() < 5 and day not in HOLIDAYS:
                schools[_text(session, "SchoolId")].calendar[day] = True
    return dict(schools)


def _consents(path: Path) -> dict[str, Consent]:
    """In force from `signed_on` through `expires_on`; `revoked_on` is the first day without it."""
    consents: dict[str, Consent] = {}
    for line in _lines(path):
        if all(value in line[name].split(";") for name, value in NEEDED.items()):
            ends = [_day(line["expires_on"])] if line["expires_on"] else []
            ends += [_day(line["revoked_on"]) - timedelta(days=1)] if line["revoked_on"] else []
            assert line["student_id"] not in consents
            consents[line["student_id"]] = (_day(line["signed_on"]), min(ends, default=None))
    return consents


def _count_heads(rows: dict[str, list[Row]], stays: dict[str, list[Stay]], schools: dict[str, SchoolFacts]) -> None:
    """Absent, seen and enrolled students of each school and day, whether they have a consent or not."""
    absent, seen = defaultdict(set), defaultdict(set)
    for student, of_student in rows.items():
        for row in of_student:
            seen[row.school, row.day].add(student)
            if row.status == "absent":
                absent[row.school, row.day].add(student)
    for school, facts in schools.items():
        for day in facts.closed:
            enrolled = sum(
                any(s.school == school and s.entry <= day and (s.exit is None or day <= s.exit) for s in of_student)
                for of_student in stays.values()
            )
            facts.counts[day] = len(absent[school, day]), len(seen[school, day]), enrolled


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _text(element: ET.Element, name: str) -> str:
    found = element.find(f".//{{*}}{name}")
    assert found is not None
    assert found.text
    return found.text


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _day_or_none(text: str) -> date | None:
    return _day(text) if text else None
