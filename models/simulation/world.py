"""A simulated district and school year, whole: `simulate` makes it, its methods yield the files' rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.simulation.calendar import SimulatedYear, make_year
from models.simulation.causes import make_causes
from models.simulation.config import WorldConfig
from models.simulation.consents import SimulatedConsent, make_consents
from models.simulation.enrollments import OPEN, Enrollments, make_enrollments
from models.simulation.filing import as_filed
from models.simulation.housing import Episodes, make_episodes
from models.simulation.identities import Identities, make_identities
from models.simulation.marks import SimulatedMarks, make_marks
from models.simulation.outcomes import SimulatedOutcome, make_outcomes
from models.simulation.people import Population, make_population
from models.simulation.reporting import DAYS_AFTER, Reports, report
from models.simulation.rows import Row, attendance_rows, calendar_rows, student_rows


@dataclass(frozen=True, slots=True)
class World:
    """Columns of everything, and the truth that no school sees (`marks`, `episodes`)."""

    config: WorldConfig
    seed: int
    year: SimulatedYear
    population: Population
    identities: Identities
    episodes: Episodes
    spans: Enrollments
    marks: SimulatedMarks
    """What truly was, per student and instructional day."""
    reports: Reports
    """What the schools handed in of it."""
    signed: tuple[SimulatedConsent, ...]
    known: tuple[SimulatedOutcome, ...]

    @property
    def attendance_count(self) -> int:
        """The number of rows that `attendance` yields."""
        return len(self.reports.recorded_day)

    def schools(self) -> Iterator[Row]:
        """Rows of `schools.csv`."""
        for school in self.config.schools:
            yield school.school_id, school.name, school.campus, school.timezone

    def students(self) -> Iterator[Row]:
        """Rows of `students.csv`."""
        return student_rows(self.config, self.population, self.identities)

    def enrollments(self) -> Iterator[Row]:
        """Rows of `enrollments.csv`; a span without an exit date is open at the year's end."""
        spans, schools = self.spans, [school.school_id for school in self.config.schools]
        dates = [day.isoformat() for day in self.year.dates]
        for student, student_id in enumerate(self.identities.student_id):
            leave, moved = spans.leave[student], spans.moved[student]
            end = "" if leave == OPEN else dates[leave]
            yield student_id, schools[self.population.school[student]], dates[spans.entry[student]], end
            if moved != OPEN:
                yield student_id, schools[spans.second[student]], dates[moved], ""

    def calendar(self) -> Iterator[Row]:
        """Rows of `calendar.csv`."""
        return calendar_rows(self.config.schools, self.year.dates, self.year.open)

    def attendance(self) -> Iterator[Row]:
        """Rows of `attendance.csv` in the order of their recorded dates, present ones included."""
        dates = self.year.later(DAYS_AFTER)
        return attendance_rows(self.reports, self.identities.student_id, self.config.schools, dates)

    def consents(self) -> Iterator[Row]:
        """Rows of `consents.csv`."""
        consents, people = self.config.consents, self.identities
        for row in self.signed:
            home = self.population.household[row.student]
            yield (
                people.student_id[row.student],
                consents.agreement_id,
                f"{people.guardian[home]} {people.last_name[home]}",
                row.relationship,
                row.signed_on.isoformat(),
                row.method,
                row.records,
                consents.purpose,
                row.recipients,
                row.expires_on.isoformat() if row.expires_on else "",
                row.revoked_on.isoformat() if row.revoked_on else "",
            )

    def outcomes(self) -> Iterator[Row]:
        """Rows of `outcomes.csv`, by date."""
        for outcome in self.known:
            yield self.identities.student_id[outcome.student], outcome.day.isoformat(), outcome.kind

    def files(self) -> dict[str, Iterator[Row]]:
        """The rows of every file, by its name in `HEADERS`."""
        return {
            "schools.csv": self.schools(),
            "students.csv": self.students(),
            "enrollments.csv": self.enrollments(),
            "calendar.csv": self.calendar(),
            "attendance.csv": self.attendance(),
            "consents.csv": self.consents(),
            "outcomes.csv": self.outcomes(),
        }


def simulate(config: WorldConfig, seed: int) -> World:
    """The world of this config and seed (0 or more); the same two make the same world to the bit."""
    year = make_year(config, seed)
    population = make_population(config, seed)
    episodes = make_episodes(config, population, year.days, seed)
    spans = make_enrollments(config, population, episodes, year.days, seed)
    cause = make_causes(config, population, episodes, spans, year, seed)
    marks = make_marks(config, population, episodes, spans, year, cause, seed)
    return World(
        config=config,
        seed=seed,
        year=year,
        population=population,
        identities=make_identities(population, config.calendar.first_year, seed),
        episodes=episodes,
        spans=spans,
        marks=marks,
        reports=as_filed(config, report(config, marks, year, seed), population, seed),
        signed=make_consents(config, population, year, seed),
        known=make_outcomes(population, episodes, spans, year),
    )
