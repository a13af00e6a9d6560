"""The plain truth about every student, from the facts."""

from __future__ import annotations

from datetime import date

import numpy as np

from models.policy import ELEVATED, WATCH, Household
from models.risk_model import probability
from tests.plain.days import Day, dates, merged, shared, stay_on, told_days
from tests.plain.facts import Child, Facts, school_year
from tests.plain.figures import figures, inputs
from tests.plain.households import Episode, episodes, with_household
from tests.plain.levels import Student, Turn, levels, turns
from tests.plain.rules import holding
from tests.plain.scores import Score, own_scores, whole_scores


class Truth:
    """Of the students who have a consent, by name."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.children = {name: child for name, child in facts.children.items() if child.consent is not None}
        self.told = {name: told_days(c, facts.schools, facts.policy.shock) for name, c in self.children.items()}
        self.scores = self._scores()
        students = {name: Student(self.told[name], self.scores[name]) for name in self.children}
        self.turns: dict[str, list[Turn]] = {name: turns(student, facts) for name, student in students.items()}
        """Of the student alone, without the household's rule."""
        self.levels = {name: levels(student, self.turns[name]) for name, student in students.items()}
        """The same after each day."""
        self.episodes = {name: self._episodes(name) for name in self.children}
        """With the household's rule."""

    def days(self, name: str) -> list[Day]:
        """The days that count."""
        return shared(self.told[name])

    def inputs(self, name: str) -> dict[date, tuple[int, ...]]:
        """What the model sees on each day that counts."""
        return {told[-1].day: inputs(told) for told in self._day_by_day(name)}

    def rules(self, name: str) -> dict[date, list[str]]:
        """The rules that hold on each day that counts, whether levels are decided on it or not; highest level first."""
        policy = self.facts.policy
        return {told[-1].day: [rule.id for rule in holding(told, policy)] for told in self._day_by_day(name)}

    def window(self, name: str) -> dict[str, object]:
        """The window as people read it."""
        school, days = self._school(name), self.days(name)
        facts = self.facts.schools.get(school) if school is not None else None
        known = [*(facts.closed if facts else ()), *(day.day for day in days)]
        return {
            "student": name,
            "school_id": school,
            "as_of": max(known).isoformat() if known else None,
            **figures(self.told[name]),
            "risk": self._risk(name),
            "marks": _marks(self.children[name]),
        }

    def siblings(self, name: str) -> list[str]:
        """The other children of the household."""
        home = self.children[name].household
        return [n for n, c in self.children.items() if home is not None and c.household == home and n != name]

    def _day_by_day(self, name: str) -> list[list[Day]]:
        """The student's days up to each that counts."""
        told = self.told[name]
        return [told[: number + 1] for number, day in enumerate(told) if day.shared]

    def _scores(self) -> dict[str, dict[date, Score | None]]:
        if self.facts.artifact is None:
            return {name: {} for name in self.children}
        model = self.facts.artifact.model
        own = {name: own_scores(told, model) for name, told in self.told.items()}
        year = {name: child.year for name, child in self.children.items()}
        return {
            name: whole_scores(own[name], [own[s] for s in self.siblings(name) if year[s] == year[name]], model)
            for name in self.children
        }

    def _episodes(self, name: str) -> list[Episode]:
        own = episodes(self.turns[name])
        rule = next((rule for rule in self.facts.policy.rules if isinstance(rule, Household)), None)
        if rule is None:
            return own
        others = [episode for sibling in self.siblings(name) for episode in episodes(self.turns[sibling])]
        lowest = WATCH if self.facts.artifact is None or self.facts.thresholds is None else ELEVATED
        return [with_household(episode, others, rule, lowest) for episode in own]

    def _school(self, name: str) -> str | None:
        """That of the last day that counts, else of the first day that can."""
        if days := self.days(name):
            return days[-1].school
        child = self.children[name]
        stays = (stay_on(child.stays, day) for day in dates(child))
        return next((stay.school for stay in stays if stay is not None and stay.shared), None)

    def _risk(self, name: str) -> dict[str, object] | None:
        artifact, score = self.facts.artifact, next(reversed(self.scores[name].values()), None)
        if artifact is None or score is None:
            return None
        chance = float(probability(np.array([score.whole]))[0])
        return {"score": chance, "model": artifact.name, "simulated": artifact.training.simulated}


def _marks(child: Child) -> list[dict[str, object]]:
    """What was said of each day of the year, at each school."""
    places = sorted({(row.day, row.school) for row in child.rows if school_year(row.day) == child.year})
    found = list[dict[str, object]]()
    for day, school in places:
        mark = merged(child.rows, school, day)
        if mark is not None:
            status, excused = mark
            shown = excused if status == "absent" else None
            found.append({"date": day.isoformat(), "status": status, "excused": shown, "school_id": school})
    return found
