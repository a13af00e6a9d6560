"""Households and their children: grades, schools, groups, and how prone each is to be absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.simulation.base import BoolArray, FloatArray, IntArray, pick, stream
from models.simulation.config import GRADES, Group, PeopleConfig, WorldConfig

MIDDLE, HIGH = GRADES.index("6"), GRADES.index("9")
MOST_YEARS_BETWEEN_SIBLINGS = 5


@dataclass(frozen=True, slots=True)
class Population:
    """Students by position; those of one household follow one another."""

    household: IntArray
    """The student's household, by position."""
    strain: FloatArray
    """Per household: standard normal; it goes with absence and with housing trouble."""
    grade: IntArray
    """Position in `GRADES`."""
    school: IntArray
    """The school of the year's start, by position."""
    over_age: BoolArray
    gender: IntArray
    race_ethnicity: IntArray
    english_learner: BoolArray
    special_education: BoolArray
    proneness: FloatArray
    """How prone to absence, about 1 in the mean over students."""

    @property
    def students(self) -> int:
        """The number of students."""
        return len(self.household)

    @property
    def first_of_household(self) -> IntArray:
        """Per student: the position of the household's first student."""
        return np.searchsorted(self.household, self.household)


def make_population(config: WorldConfig, seed: int) -> Population:
    """Everybody who is at these schools at some time of the year."""
    people = config.people
    rng = stream(seed, "people")
    household = _households(people, rng, config.students)
    count = len(household)
    strain = rng.standard_normal(int(household[-1]) + 1)
    grade, school = _places(config, rng, household)
    gender = pick(rng, _shares(people.gender), count)
    # Siblings share race and ethnicity and home language, in the main.
    homes = len(strain)
    race = pick(rng, _shares(people.race_ethnicity), homes)[household]
    learner = (rng.random(homes) < people.english_learner.share)[household]
    special = rng.random(count) < people.special_education.share
    group = (
        _factors(people.gender)[gender]
        * _factors(people.race_ethnicity)[race]
        * np.where(learner, people.english_learner.absence, 1.0)
        * np.where(special, people.special_education.absence, 1.0)
    )
    return Population(
        household=household,
        strain=strain,
        grade=grade,
        school=school,
        over_age=rng.random(count) < people.over_age,
        gender=gender,
        race_ethnicity=race,
        english_learner=learner,
        special_education=special,
        proneness=people.absence * group * _by_grade(people)[grade] * _own(config, rng, strain[household], school),
    )


def _households(people: PeopleConfig, rng: np.random.Generator, students: int) -> IntArray:
    sizes = 1 + pick(rng, people.children, students)
    return np.repeat(np.arange(students), sizes)[:students]


def _places(config: WorldConfig, rng: np.random.Generator, household: IntArray) -> tuple[IntArray, IntArray]:
    """Grades and schools. A sibling is some years from the eldest, and often at the same school."""
    places = grade_places(config)
    count = len(household)
    grade = pick(rng, places.sum(axis=0), count)
    first = np.searchsorted(household, household)
    sibling = first != np.arange(count)
    apart = rng.integers(0, MOST_YEARS_BETWEEN_SIBLINGS + 1, count) * rng.choice((-1, 1), count)
    near = grade[first] + apart
    served = (near >= 0) & (near < len(GRADES))
    served &= places.sum(axis=0)[np.clip(near, 0, len(GRADES) - 1)] > 0
    grade = np.where(sibling & served, near, grade)
    school = _draw_school(places, grade, rng.random(count))
    same = sibling & (rng.random(count) < config.people.same_school) & (places[school[first], grade] > 0)
    return grade, np.where(same, school[first], school)


def grade_places(config: WorldConfig) -> FloatArray:
    """Schools by grades: places, in proportion."""
    places = np.zeros((len(config.schools), len(GRADES)))
    for row, school in enumerate(config.schools):
        places[row, list(school.grades)] = school.size / len(school.grades)
    return places


def _draw_school(places: FloatArray, grade: IntArray, uniform: FloatArray) -> IntArray:
    edges = np.cumsum(places, axis=0)
    school = np.empty(len(grade), dtype=np.int64)
    for g in np.unique(grade):
        at = grade == g
        school[at] = np.searchsorted(edges[:, g], uniform[at] * edges[-1, g], side="right")
    return school


def _own(config: WorldConfig, rng: np.random.Generator, strain: FloatArray, school: IntArray) -> FloatArray:
    """Lognormal with mean 1, of strain, the student and the school."""
    people = config.people
    of_school = people.school_absence * rng.standard_normal(len(config.schools))
    log = people.strain_absence * strain + people.own_absence * rng.standard_normal(len(strain)) + of_school[school]
    variance = people.strain_absence**2 + people.own_absence**2 + people.school_absence**2
    return np.asarray(np.exp(log - variance / 2))


def _by_grade(people: PeopleConfig) -> FloatArray:
    elementary, middle, high = people.elementary, people.middle, people.high
    return np.array([people.kindergarten, *[elementary] * (MIDDLE - 1), *[middle] * (HIGH - MIDDLE), *[high] * 4])


def _shares(groups: tuple[Group, ...]) -> list[float]:
    return [group.share for group in groups]


def _factors(groups: tuple[Group, ...]) -> FloatArray:
    return np.array([group.absence for group in groups])
