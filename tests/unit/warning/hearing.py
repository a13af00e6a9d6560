"""Hears the records that a worker takes, and keeps them as the plain facts that they are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from models.artifact import Artifact
from models.policy import LEVEL_NAMES
from services.contracts import topics
from services.contracts.alerts import Reason
from services.contracts.marks import AttendanceMark, DayCounts, DaysClosed, MarkBatch
from services.contracts.packed import read_marks_record
from services.contracts.reference import Consent, Enrollment, SchoolDay
from services.contracts.risk import ThresholdSet
from services.contracts.sealed import unseal
from tests.plain.facts import Child, Facts, Row, SchoolFacts, Stay, school_year
from tests.plain.rules import Hit
from tests.plain.truth import Truth
from tests.unit.warning.driving import POLICY, Alert, Record, Turn
from tests.unit.warning.keys import CIPHERS

AHEAD = timedelta(days=31)
"""A mark dated further ahead of its batch begins no school year."""


class Heard:
    """What the records said, in the order in which they came."""

    def __init__(self, *records: Record) -> None:
        self.schools: dict[str, SchoolFacts] = {}
        self.children: dict[str, Child] = {}
        self.thresholds: dict[date, float | None] = {}
        self._erased: set[str] = set()
        self._history_through: dict[str, date] = {}
        self.take(*records)

    def take(self, *records: Record) -> None:
        for record in records:
            match record.topic:
                case topics.MARKS.name:
                    self._marks(record.value or b"")
                case topics.SCHOOL_DAYS.name:
                    self._school_day(SchoolDay.model_validate_json(record.value or b""))
                case topics.ENROLLMENTS.name | topics.CONSENTS.name:
                    self._of_student(record, (record.key or b"").decode())
                case topics.THRESHOLDS.name:
                    told = ThresholdSet.model_validate_json(record.value or b"")
                    self.thresholds[told.week] = told.threshold

    def truth(self, artifact: Artifact | None = None, capacity: int | None = None) -> Truth:
        """What must hold now."""
        thresholds = None if artifact is None or capacity is None else self.thresholds
        return Truth(Facts(POLICY, self.schools, self.children, artifact, thresholds))

    def _marks(self, value: bytes) -> None:
        record = read_marks_record(value, lambda student: None if student in self._erased else CIPHERS[student])
        if isinstance(record, MarkBatch):
            self._counts(record.counts)
            for mark in record.marks:
                self._mark(mark, record.taken_at.date() + AHEAD)
        elif isinstance(record, DaysClosed):
            self._closes(record)

    def _mark(self, mark: AttendanceMark, horizon: date) -> None:
        self._school(mark.school_id)
        child = self._child(mark.student)
        if mark.date <= horizon:
            child.year = max(child.year, school_year(mark.date))
        live = not mark.history and mark.date > self._history_through.get(mark.school_id, date.min)
        row = Row(mark.school_id, mark.date, mark.status, mark.excused, mark.section, mark.recorded_at, live=live)
        child.rows.append(row)

    def _closes(self, record: DaysClosed) -> None:
        for close in record.closes:
            if close.counts is not None:
                self._counts([close.counts])
            self._school(close.school_id).close(close.date, history=close.history)
            if close.date in self._school(close.school_id).history:
                through = self._history_through.get(close.school_id, date.min)
                self._history_through[close.school_id] = max(through, close.date)
            for child in self.children.values():
                if any(stay.school == close.school_id for stay in child.stays):
                    child.year = max(child.year, school_year(close.date))

    def _counts(self, heads: Iterable[DayCounts]) -> None:
        for count in heads:
            self._school(count.school_id).counts[count.date] = (count.absent, count.reported, count.expected)

    def _school_day(self, fact: SchoolDay) -> None:
        if fact.instructional is None:
            return
        school = self._school(fact.school_id)
        if fact.calendar is not None:
            school.tracks.setdefault(fact.calendar, {})[fact.date] = fact.instructional
        else:
            school.calendar[fact.date], school.assumed = fact.instructional, fact.assumed

    def _of_student(self, record: Record, student: str) -> None:
        """Of who is erased nothing is left, and nothing comes any more."""
        if record.value is None:
            self._erased.add(student)
            self.children.pop(student, None)
        elif student not in self._erased:
            opened = unseal(CIPHERS[student], record.topic, record.value)
            (self._enrollment if record.topic == topics.ENROLLMENTS.name else self._consent)(student, opened)

    def _enrollment(self, student: str, value: bytes) -> None:
        child, told = self._child(student), Enrollment.model_validate_json(value)
        child.stays = [
            Stay(span.school_id if span.shared else "", span.entry_date, span.exit_date, span.calendar, span.shared)
            for span in told.spans
        ]
        child.household = told.household
        self._catch_up(child)

    def _consent(self, student: str, value: bytes) -> None:
        child, told = self._child(student), Consent.model_validate_json(value)
        child.consent = told.valid_from, told.valid_through
        self._catch_up(child)

    def _catch_up(self, child: Child) -> None:
        schools = (self.schools.get(stay.school) for stay in child.stays)
        closed = [school_year(day) for school in schools if school is not None for day in school.closed]
        child.year = max([child.year, *closed])

    def _school(self, name: str) -> SchoolFacts:
        return self.schools.setdefault(name, SchoolFacts())

    def _child(self, name: str) -> Child:
        return self.children.setdefault(name, Child())


def standing(truth: Truth) -> set[Alert]:
    """The alerts that stand, or stood and were cleared."""
    return {
        Alert(
            name,
            LEVEL_NAMES[episode.turns[-1].level - 1],
            "open" if episode.ended is None else "cleared",
            episode.raised,
            texts(episode.turns[-1].hits),
        )
        for name, of_student in truth.episodes.items()
        for episode in of_student
    }


def turns(truth: Truth) -> dict[str, list[Turn]]:
    """Every change of the level."""
    return {
        name: [Turn(turn.day, turn.level, texts(turn.hits)) for turn in of_student]
        for name, of_student in truth.turns.items()
    }


def texts(hits: Iterable[Hit]) -> tuple[str, ...]:
    """The reasons as they travel."""
    return tuple(
        Reason(
            rule=hit.rule,
            kind=hit.kind,
            level=LEVEL_NAMES[hit.level - 1],
            text=hit.text,
            dates=list(hit.dates),
            usual=hit.usual,
            clears=hit.clears,
        ).model_dump_json()
        for hit in hits
    )
