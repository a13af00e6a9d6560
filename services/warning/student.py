"""A student as the worker keeps one: the school year, what was told, and how it is stored."""

from __future__ import annotations

import msgspec

from models.attendance import DayMarks
from models.enrollment import Span
from models.student_year import NO_YEAR, StudentYear
from models.track import Scored, Turn
from services.contracts.alerts import AlertEvent
from services.contracts.ids import Pseudonym
from services.warning.lifecycle import Told


class Student:
    """One consented student of a partition."""

    __slots__ = (
        "grade",
        "household",
        "last_seq",
        "pending",
        "pseudonym",
        "told",
        "turns_told",
        "withdrawn",
        "year",
    )

    def __init__(self, pseudonym: Pseudonym) -> None:
        self.pseudonym = pseudonym
        self.household: str | None = None
        self.grade: str | None = None
        self.year = StudentYear(NO_YEAR)
        self.told: list[Told] = []
        self.turns_told: tuple[Turn, ...] | None = None
        """The student's own turns at the last telling; None when not told since it was loaded."""
        self.pending: list[AlertEvent] = []
        """Told, but not yet acknowledged by Kafka: written to the table first, so that none is lost."""
        self.withdrawn = False
        """Consent was withdrawn: marks that still arrive are not kept beyond the day's close."""
        self.last_seq = 0
        """The highest number of an event told before consent ended, all that is kept: readers skip what they saw."""

    @property
    def counts(self) -> bool:
        """Whether a consent is in force: else there is no window."""
        return not self.withdrawn and self.year.consent is not None

    def forget(self) -> None:
        """Drop everything that consent covered; events still to be sent stay until they are."""
        self.year.forget_days()
        self.last_seq = max((old.seq for old in self.told), default=self.last_seq)
        self.told = []
        self.turns_told = None
        self.withdrawn = True


class _Stored(msgspec.Struct, array_like=True, omit_defaults=True):
    """Marks just as they are in memory: no Python runs for each of their days."""

    student: str
    household: str | None
    grade: str | None
    year: int
    consent: tuple[int, int] | None
    spans: tuple[Span, ...]
    live: set[int]
    marks: dict[int, DayMarks]
    ahead: dict[int, DayMarks]
    told: list[Told]
    pending: list[bytes]
    withdrawn: bool
    last_seq: int = 0
    scored: Scored = Scored()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def dump(student: Student) -> bytes:
    """The student as bytes for the table."""
    year = student.year
    return _encode(
        _Stored(
            student=student.pseudonym,
            household=student.household,
            grade=student.grade,
            year=year.year,
            consent=year.consent,
            spans=year.spans,
            live=year.live,
            marks=year.marks,
            ahead=year.ahead,
            told=student.told,
            pending=[event.model_dump_json().encode() for event in student.pending],
            withdrawn=student.withdrawn,
            last_seq=student.last_seq,
            scored=year.scored(),
        )
    )


def load(data: bytes) -> Student:
    """The student from the table's bytes; raises `msgspec.DecodeError` when they are no student's."""
    stored = _decode(data)
    student = Student(Pseudonym(stored.student))
    student.household, student.grade, student.told = stored.household, stored.grade, stored.told
    student.withdrawn, student.last_seq = stored.withdrawn, stored.last_seq
    student.pending = [AlertEvent.model_validate_json(event) for event in stored.pending]
    year = student.year
    year.year, year.consent = stored.year, stored.consent
    year.marks, year.ahead, year.live = stored.marks, stored.ahead, stored.live
    year.set_spans(stored.spans)
    year.keep_scores(stored.scored)
    return student
