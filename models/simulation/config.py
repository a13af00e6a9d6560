"""The world's config: who lives in it, its calendar, how schools report, who consents.

Every parameter is here or in `absence_config`, so that other worlds can be made of the same code.
Figures with a source name it; the others are assumptions.
"""

from __future__ import annotations

from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from models.simulation.absence_config import Causes, Housing
from models.simulation.base import Config, NonNegative, Positive, Share, Shares

GRADES: tuple[str, ...] = ("K", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")


MOST_SCHOOLS = 2500


class SchoolConfig(Config):
    """A school; `lowest` and `highest` are grades."""

    school_id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str
    campus: str = ""
    timezone: str = "America/New_York"
    lowest: str
    highest: str
    size: Positive
    """Its number of students, in proportion to the other schools'."""
    own_closed_days: int = Field(default=0, ge=0)
    """Days without school that are its own, staff days for example."""

    @field_validator("lowest", "highest")
    @classmethod
    def _known_grade(cls, grade: str) -> str:
        if grade not in GRADES:
            raise ValueError(f"must be one of {', '.join(GRADES)}")
        return grade

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            return ZoneInfo(zone).key
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError("must be a time zone's name, for example America/New_York") from error

    @property
    def grades(self) -> range:
        """The positions in `GRADES` that it serves."""
        return range(GRADES.index(self.lowest), GRADES.index(self.highest) + 1)


class CalendarConfig(Config):
    """One school year, Massachusetts's way: 180 days, days lost to snow are made up in June."""

    first_year: int = Field(default=2025, ge=1990, le=2100)
    """The calendar year in which it begins."""
    instructional_days: int = Field(default=180, ge=30, le=190)
    snow_closures: int = Field(default=2, ge=0, le=10)
    """Days on which every school is closed."""
    storms: int = Field(default=2, ge=0, le=10)
    """Bad days on which schools are open."""
    building_closures: int = Field(default=1, ge=0, le=10)
    """Days on which one school alone is closed, by a burst pipe for example."""


class Group(Config):
    """One value of a group: its share, and how its absence differs for reasons that are not housing."""

    value: str
    share: Share
    absence: Positive = 1.0


def _somebody(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    if not any(group.share for group in groups):
        raise ValueError("at least one share must be more than 0")
    return groups


Groups = Annotated[tuple[Group, ...], AfterValidator(_somebody)]
"""The values of a group; what counts is the proportion of their shares."""


class PeopleConfig(Config):
    """Households, students and how they differ."""

    children: Shares = (0.46, 0.34, 0.14, 0.06)
    """Shares of households with one child at these schools, two, and so on."""
    same_school: Share = 0.65
    """Chance that a sibling goes to the eldest's school, where it has the grade."""
    over_age: Share = 0.07
    """Share of students who are a year older than their grade is."""
    absence: Positive = 1.0
    """Scales everybody's proneness to absence."""
    strain_absence: NonNegative = 0.42
    """Log-proneness to absence per standard deviation of the household's strain."""
    own_absence: NonNegative = 0.72
    """Standard deviation of the student's own log-proneness."""
    school_absence: NonNegative = 0.12
    """Standard deviation of a school's log-proneness."""
    kindergarten: Positive = 1.2
    elementary: Positive = 0.95
    middle: Positive = 0.95
    high: Positive = 1.05
    gender: Groups = (
        Group(value="F", share=0.49),
        Group(value="M", share=0.5),
        Group(value="X", share=0.01),
    )
    race_ethnicity: Groups = (
        Group(value="hispanic", share=0.43, absence=1.08),
        Group(value="black", share=0.32, absence=1.0),
        Group(value="white", share=0.12, absence=0.95),
        Group(value="asian", share=0.08, absence=0.72),
        Group(value="multiracial", share=0.05, absence=1.05),
    )
    english_learner: Group = Group(value="true", share=0.3, absence=0.95)
    special_education: Group = Group(value="true", share=0.22, absence=1.2)
    transfers: Share = 0.04
    """Share of households whose children change school during the year for reasons other than housing."""
    late_entries: Share = 0.035
    """Share of students who come to the district after the first day."""
    leavers: Share = 0.025
    """Share of students who leave the district before the last day."""
    gap_days: int = Field(default=4, ge=0, le=8)
    """At most so many weekdays lie between two schools."""


class ReportingConfig(Config):
    """When schools hand in their marks, and what they have to correct."""

    late_schools: Share = 0.17
    """Share of schools that are often late; at least one unless 0."""
    late_days: Share = 0.25
    """Share of such a school's days that are handed in one to three school days later."""
    other_late_days: Share = 0.01
    silent_days: Share = 0.0
    """Share of a school's days that are never handed in."""
    late_notes: Share = 0.2
    """Share of excused absences that are unexcused until a note comes, one to five school days later."""
    absent_was_tardy: Share = 0.15
    """Share of tardies first marked absent."""
    absent_was_present: Share = 0.001
    """Share of attended days first marked absent."""
    present_was_absent: Share = 0.004
    """Share of absences first marked present."""
    reason_known: Share = 0.75
    """Share of excused absences with a reason."""
    sections: int = Field(default=0, ge=0, le=12)
    """Class periods a day, each with a row of its own, from grade 6 on; 0: one row a day for everybody."""
    section_part: Share = 0.2
    """Where there are class periods: share of absences that show in at least half of them, but not in all."""
    section_cut: Share = 0.02
    """Where there are three class periods or more: share of attended days on which one of them is cut."""
    absence_only: bool = False
    """Whether days on which a student was simply present have no row, as is the norm in real files."""
    no_recorded_at: Share = 0.0
    """Share of first rows that do not say when they were recorded; a correction always does."""
    duplicates: Share = 0.0
    """Share of rows that are handed in twice."""


class Consents(Config):
    """Which parents sign what. Without such a consent a student's marks go no further than the gate."""

    share: Share = 0.7
    """Share of students with a consent of some kind."""
    per_child: Share = 0.06
    """Share of siblings for whom the parent decides otherwise than for the eldest."""
    agreement_id: str = "DSA-2016"
    records: str = "attendance;contact;demographics"
    purpose: str = "homelessness-prevention"
    recipients: str = "project-hope"
    other_recipients: str = "dsni"
    other_records: str = "contact"
    mid_year: Share = 0.1
    """Share signed after the first school day."""
    withdrawn: Share = 0.04
    """Share withdrawn during the year."""
    expiring: Share = 0.06
    """Share that ends during the year, on 31 December."""
    renewed: Share = 0.5
    """Share of those that are signed anew in January."""
    open_ended: Share = 0.5
    """Share without an end; the others end on 30 June."""
    wrong_recipient: Share = 0.03
    """Share that names another recipient only."""
    wrong_records: Share = 0.03
    """Share that covers other records only."""


PILOT_SCHOOLS: tuple[SchoolConfig, ...] = (
    SchoolConfig(school_id="dearborn", name="Dearborn STEM Academy", lowest="6", highest="12", size=500,
                 campus="Dudley Village Campus"),
    SchoolConfig(school_id="dudley", name="Dudley Street Neighborhood Charter School", lowest="K", highest="5",
                 size=300, own_closed_days=2),
    SchoolConfig(school_id="burke", name="Burke High School", lowest="9", highest="12", size=380),
    SchoolConfig(school_id="orchard-gardens", name="Orchard Gardens K-8", lowest="K", highest="8", size=720,
                 campus="Dudley Village Campus"),
    SchoolConfig(school_id="winthrop", name="Winthrop Elementary", lowest="K", highest="5", size=230,
                 campus="Dudley Village Campus"),
    SchoolConfig(school_id="king", name="King K-8", lowest="K", highest="8", size=420),
)  # fmt: skip
"""The pilot's six schools; sizes are round numbers."""


class WorldConfig(Config):
    """A world of one school year.

    The defaults come out at: 7-9% of student-days absent; 25-30% of students chronically absent; about 10% of
    students homeless in the year (Boston), 52% of whom are chronically absent, 22 points above the others
    (US 2021-22, SchoolHouse Connection); of students with 2-4 absences in September about half become chronically
    absent, of those with more nearly nine in ten (Olson, Baltimore).
    """

    students: int = Field(default=2000, ge=1, le=1_000_000)
    schools: tuple[SchoolConfig, ...] = Field(default=PILOT_SCHOOLS, min_length=1, max_length=MOST_SCHOOLS)
    calendar: CalendarConfig = CalendarConfig()
    people: PeopleConfig = PeopleConfig()
    causes: Causes = Causes()
    housing: Housing = Housing()
    reporting: ReportingConfig = ReportingConfig()
    consents: Consents = Consents()

    @model_validator(mode="after")
    def _unique_schools(self) -> Self:
        if len({school.school_id for school in self.schools}) < len(self.schools):
            raise ValueError("two schools have the same school_id")
        return self

    @classmethod
    def of_size(cls, students: int, *, first_year: int = 2025) -> WorldConfig:
        """The default world with so many students: the pilot's schools, and made-up ones once those are full."""
        calendar = CalendarConfig(first_year=first_year)
        return cls(students=students, schools=_schools_for(students), calendar=calendar)


_PILOT_PLACES = 4000
_PLACES = 450
_KINDS = (("K-8", "K", "8"), ("Elementary", "K", "5"), ("High School", "9", "12"), ("Middle School", "6", "8"))


def _schools_for(students: int) -> tuple[SchoolConfig, ...]:
    """The pilot's six, and one more for every 450 students beyond what they can hold."""
    more = max(0, -(-(students - _PILOT_PLACES) // _PLACES))
    made_up = (
        SchoolConfig(
            school_id=f"school-{n:03}", name=f"District School {n} {kind}", lowest=low, highest=high, size=_PLACES
        )
        for n, (kind, low, high) in ((n, _KINDS[n % len(_KINDS)]) for n in range(1, more + 1))
    )
    return (*PILOT_SCHOOLS, *made_up)
