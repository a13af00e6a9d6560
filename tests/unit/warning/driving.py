"""Feeds a partition with records as Kafka would, and reads its alerts as casework would.

What a core must do and be able to say, all that the laws and the comparison with the plain definition ask of it:
`Worker.take` and `.restart`; `.window`, `.windows`, `.standing`, `.turns`, `.levels` and `.scores`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from models.artifact import Artifact
from models.engine.past import past_of
from models.policy import LEVEL_NAMES, NONE, default_policy
from services.contracts import topics
from services.contracts.alerts import AlertEvent, Reason
from services.contracts.marks import (
    AttendanceMark,
    AttendanceStatus,
    DayClosed,
    DayCounts,
    DaysClosed,
)
from services.contracts.packed import PackedCounts, PlainMark, SealedBatch, encode, microseconds, pack
from services.contracts.reference import Consent, Enrollment, EnrollmentSpan, SchoolDay
from services.contracts.risk import ThresholdSet
from services.contracts.sealed import seal_event
from services.warning import records
from services.warning.capacity import CapacityControl
from services.warning.lifecycle import NOT_SHARED, _reason
from services.warning.loading import load_partition
from services.warning.partition import Partition
from services.warning.sealing import seal_changes
from services.warning.student import NO_ROW, Student
from services.warning.window import window_document
from tests.unit.warning.keys import CIPHERS, FakeKeys

POLICY = default_policy()
PLACE = records.Place(0, 1)
TAKEN_AT = datetime(2016, 9, 1, 12, tzinfo=UTC)
TOKEN = UUID("6f1e5d5e-6d0c-5f43-9d5c-0f1b57be11aa")
STATUS = {"AlertCleared": "cleared", "AlertWithdrawn": "withdrawn"}


class Record(NamedTuple):
    """A Kafka record."""

    topic: str
    key: bytes | None
    value: bytes | None


class Turn(NamedTuple):
    """A change of the level that a student's own days give (0: none)."""

    day: date
    level: int
    reasons: tuple[str, ...]
    """Each as JSON."""


class Alert(NamedTuple):
    """An alert as the history shows it."""

    student: str
    level: str
    status: str
    raised_on: date
    reasons: tuple[str, ...]
    """Each as JSON."""


def mark(
    student: str,
    day: date,
    status: AttendanceStatus = "present",
    *,
    school: str = "A",
    excused: bool | None = None,
    section: str | None = None,
    recorded_at: datetime | None = None,
    history: bool = False,
) -> AttendanceMark:
    return AttendanceMark(
        student=student,
        school_id=school,
        date=day,
        status=status,
        excused=excused,
        section=section,
        recorded_at=recorded_at,
        history=history,
    )


def counts(school: str, day: date, absent: int, reported: int, expected: int = 0) -> DayCounts:
    return DayCounts(school_id=school, date=day, absent=absent, reported=reported, expected=expected)


def batch(*marks: AttendanceMark, counts: Iterable[DayCounts] = (), taken_at: datetime = TAKEN_AT) -> Record:
    heads = list(counts)
    if marks:
        value = pack([PlainMark.of(each) for each in marks], taken_at, CIPHERS, heads)
    else:
        told = [PackedCounts(h.school_id, h.date.toordinal(), h.absent, h.reported, h.expected) for h in heads]
        value = encode(SealedBatch(microseconds(taken_at), [], b"", [], 1, 1, 1, told))
    return Record(topics.MARKS.name, b"0", value)


def close(school: str, *days: date, counts: DayCounts | None = None, history: bool = False) -> Record:
    closes = [DayClosed(school_id=school, date=day, counts=counts, history=history) for day in days]
    value = DaysClosed(taken_at=TAKEN_AT, token=TOKEN, closes=closes)
    return Record(topics.MARKS.name, b"0", value.model_dump_json().encode())


def school_day(school: str, day: date, instructional: bool | None) -> Record:
    value = SchoolDay(school_id=school, date=day, instructional=instructional)
    return Record(topics.SCHOOL_DAYS.name, f"{school}|{day}".encode(), value.model_dump_json().encode())


ELSEWHERE = "elsewhere"
"""In the place of a school: one that is not shared."""


def enrollment(
    student: str, *spans: tuple[str, date, date | None], household: str | None = None, agency: str | None = None
) -> Record:
    value = Enrollment(
        student=student,
        spans=[
            EnrollmentSpan(school_id=school, entry_date=first, exit_date=last, shared=school != ELSEWHERE)
            for school, first, last in spans
        ],
        household=household,
        agency=agency,
    )
    return Record(topics.ENROLLMENTS.name, student.encode(), seal_event(CIPHERS[student], topics.ENROLLMENTS, value))


def consent(student: str, first: date, last: date | None = None) -> Record:
    value = Consent(student=student, valid_from=first, valid_through=last)
    return Record(topics.CONSENTS.name, student.encode(), seal_event(CIPHERS[student], topics.CONSENTS, value))


def erased(student: str) -> Record:
    """The student is erased: what ingest publishes in the place of the consent."""
    return Record(topics.CONSENTS.name, student.encode(), None)


def threshold(week: date, at: float | None) -> Record:
    emitted = ThresholdSet(week=week, threshold=at, capacity=2, entered=0, weeks=1, token=TOKEN)
    return Record(topics.THRESHOLDS.name, b"", emitted.model_dump_json().encode())


def _lasting(reasons: Iterable[Reason]) -> list[Reason]:
    """Those for which it was raised: that the student left is said when it is cleared."""
    return [reason for reason in reasons if reason.rule != NOT_SHARED]


def _texts(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(reason.model_dump_json() for reason in reasons)


class Reader:
    """What casework shows: of each alert, the event with the highest `seq`."""

    def __init__(self) -> None:
        self.events: list[AlertEvent] = []
        self.newest: dict[UUID, AlertEvent] = {}

    def take(self, event: AlertEvent) -> None:
        self.events.append(event)
        known = self.newest.get(event.alert_id)
        if known is None or event.seq > known.seq:
            self.newest[event.alert_id] = event

    def alerts(self) -> set[Alert]:
        """Every alert that was not withdrawn."""
        shown = {
            Alert(e.student, e.level, STATUS.get(e.type, "open"), e.raised_on, _texts(_lasting(e.reasons)))
            for e in self.newest.values()
        }
        return {alert for alert in shown if alert.status != "withdrawn"}


class Worker:
    """A partition, driven record by record; every event is acknowledged at once."""

    def __init__(
        self, partition: Partition | None = None, *, artifact: Artifact | None = None, capacity: int | None = None
    ) -> None:
        self._risk = artifact, capacity
        self.keys = FakeKeys()
        self.partition = partition or Partition(POLICY, CapacityControl(artifact, capacity))
        self.reader = Reader()
        self.stored: dict[str, bytes] = {}

    def take(self, *taken: Record) -> list[AlertEvent]:
        """Apply the records; returns the events that they caused, by alert and `seq`."""
        caused: list[AlertEvent] = []
        for record in taken:
            records.take(self.partition, PLACE, record.topic, record.key, record.value, TAKEN_AT.timestamp(), self.keys)
            while self.partition.touched and self.partition.evaluate():
                pass
            self._write()
            for student in list(self.partition.emitting):
                caused.extend(student.pending)
                for event in student.pending:
                    self.reader.take(event)
                self.partition.emitted(student, len(student.pending))
        return sorted(caused, key=lambda event: (event.student, event.alert_id, event.seq))

    def restart(self) -> None:
        """Another worker takes over: the partition as the table would give it back."""
        self._write()
        self.partition = loaded(self.stored, CapacityControl(*self._risk), self.keys)

    def successor(self, capacity_control: CapacityControl | None = None) -> Worker:
        """Another worker that has read what this one wrote, and nothing else; this one goes on."""
        self._write()
        other = Worker(loaded(self.stored, capacity_control or CapacityControl(*self._risk), self.keys))
        other.keys.drop(self.keys.gone)
        other.stored, other.reader = dict(self.stored), self.reader
        return other

    def _write(self) -> None:
        self.partition.removals.clear()
        for key, value in seal_changes(self.partition.take_changes(), self.keys.cipher):
            if value is None:
                self.stored.pop(key, None)
            else:
                self.stored[key] = value

    def window(self, student: str) -> dict[str, object] | None:
        """The student's window as people read it, None without a consent."""
        known = self.partition.students.get(student)
        return window_document(self.partition, known) if known is not None else None

    def windows(self) -> dict[str, dict[str, object]]:
        """Every window there is."""
        found = {student: self.window(student) for student in self.partition.students}
        return {student: window for student, window in found.items() if window is not None}

    def standing(self) -> set[Alert]:
        """The alerts that stand, or stood and were cleared, made anew from the days, with the household's rule."""
        result = set()
        for student in self.partition.students.values():
            for episode in self.partition.alerts.episodes(student):
                turn = episode.turns[-1]
                result.add(
                    Alert(
                        student.pseudonym,
                        LEVEL_NAMES[turn.level - 1],
                        "open" if episode.ended is None else "cleared",
                        date.fromordinal(episode.raised),
                        _texts(_reason(hit) for hit in turn.hits),
                    )
                )
        return result

    def turns(self) -> dict[str, list[Turn]]:
        """Every change of the level of each student who has a window, without the household's rule."""
        students = [student for student in self.partition.students.values() if student.counts]
        return {
            student.pseudonym: [
                Turn(date.fromordinal(turn.ordinal), turn.level, _texts(_reason(hit) for hit in turn.hits))
                for turn in self.partition.alerts.turns(student)
            ]
            for student in students
        }

    def levels(self, student: str) -> dict[date, int]:
        """The student's level after each day that counts, without the household's rule."""
        known = self.partition.students[student]
        turns = self.turns()[student]
        days = [date.fromordinal(ordinal) for ordinal in self._ordinals(known)]
        return {day: ([NONE] + [turn.level for turn in turns if turn.day <= day])[-1] for day in days}

    def scores(self) -> dict[str, dict[date, tuple[float, float]]]:
        """The score of each day that counts (log-odds): the student's own, and with the household's part."""
        found = dict[str, dict[date, tuple[float, float]]]()
        for student in self.partition.students.values():
            if student.counts:
                days = [date.fromordinal(ordinal) for ordinal in self._ordinals(student)]
                found[student.pseudonym] = dict(zip(days, self._scores(student, len(days)), strict=False))
        return found

    def _ordinals(self, student: Student) -> tuple[int, ...]:
        if student.row == NO_ROW:
            return ()
        return past_of(self.partition.years[student.year].cohort.register, student.row).ordinals

    def _scores(self, student: Student, days: int) -> list[tuple[float, float]]:
        if not days or not self.partition.capacity_control.models:
            return []
        cohort = self.partition.years[student.year].cohort
        own, whole = cohort.scores_at(np.full(days, student.row), np.arange(1, days + 1))
        return list(zip(own.tolist(), whole.tolist(), strict=True))

    def shown(self) -> set[Alert]:
        """The alerts that the history shows of students who have a consent (and so a window)."""
        having = set(self.windows())
        return {alert for alert in self.reader.alerts() if alert.student in having}

    def check_reader(self) -> None:
        """What was told must come to what stands, and no event may be told twice under one number."""
        assert self.shown() == self.standing()
        without = {alert for alert in self.reader.alerts() if alert.student not in self.windows()}
        assert not {alert for alert in without if alert.status == "open" and alert.student not in self.keys.gone}


def loaded(
    stored: Mapping[str, bytes], capacity_control: CapacityControl | None = None, keys: FakeKeys | None = None
) -> Partition:
    """The partition as the table gives it back."""
    control = capacity_control or CapacityControl(None, None)
    return load_partition(stored, POLICY, control, TAKEN_AT, (keys or FakeKeys()).cipher)


def worker_with(*taken: Record) -> Worker:
    worker = Worker()
    worker.take(*taken)
    return worker
