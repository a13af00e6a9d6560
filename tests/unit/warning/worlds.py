"""Small random worlds: two schools, three students (two of one household), some weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import get_args

from hypothesis import strategies as st

from services.contracts import topics
from services.contracts.marks import AttendanceMark, AttendanceStatus, DayCounts
from tests.plain.facts import Row, Stay
from tests.unit.warning.driving import (
    ELSEWHERE,
    Record,
    batch,
    close,
    consent,
    counts,
    enrollment,
    erased,
    school_day,
)

FIRST = date(2016, 9, 6)
SCHOOLS = ("A", "B")
STUDENTS = ("ann", "ben", "cyd")
AWAY = timedelta(days=3)
HOUSEHOLDS = {"ann": "h1", "ben": "h1"}
STATUSES: tuple[AttendanceStatus, ...] = tuple(status for status in get_args(AttendanceStatus) if status != "retracted")
KINDS = "PPUUUETDQS.."
"""What a day brings: present, unexcused, excused, tardy, dismissed, partial, section rows, no row."""


class Seeded(Random):
    """Randomness that hypothesis can name by its seed (its own records every draw, which is slow)."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._seed = seed

    def __repr__(self) -> str:
        return f"Seeded({self._seed})"


class World:
    """Records by topic, each in its own order."""

    def __init__(self, days: list[date]) -> None:
        self.days = days
        self.marks: list[list[Record]] = []
        """Of each day, its records of `attendance.marks.v1`."""
        self.reference: dict[str, list[Record]] = {}
        self.stays: dict[str, list[Stay]] = {}

    def __repr__(self) -> str:
        return f"<a world of {len(self.days)} days>"

    def topics(self) -> list[list[Record]]:
        """The records of each topic in its order."""
        return [*self.reference.values(), [record for day in self.marks for record in day]]

    def records(self) -> list[Record]:
        """Every record, the reference topics first."""
        return [record for topic in self.topics() for record in topic]

    def merged(self, random: Random) -> list[Record]:
        """Every record, each topic in its own order, the topics interleaved at random."""
        waiting = [list(topic) for topic in self.topics() if topic]
        result = []
        while waiting:
            topic = random.choice(waiting)
            result.append(topic.pop(0))
            waiting = [topic for topic in waiting if topic]
        return result

    def scattered(self, random: Random) -> list[Record]:
        """Every record, each topic in its own order: topic after topic, or evenly mixed, however long each is."""
        topics = self.topics()
        random.shuffle(topics)
        if random.random() < 0.5:
            return [record for topic in topics for record in topic]
        left = [iter(topic) for topic in topics]
        places = [place for place, topic in enumerate(topics) for _ in topic]
        random.shuffle(places)
        return [next(left[place]) for place in places]


def at(day: date, minutes: int) -> datetime:
    """A moment of a day, UTC."""
    return datetime.combine(day, time(14), UTC) + timedelta(minutes=minutes)


def school_days(number: int) -> list[date]:
    """The first weekdays of the school year."""
    days = (FIRST + timedelta(days=n) for n in range(2 * number))
    return [day for day in days if day.weekday() < 5][:number]


def rows_of(kind: str, school: str, day: date, random: Random) -> list[Row]:
    """The rows that a day of this kind brings."""
    moment = random.choice([None, at(day, 0)])
    match kind:
        case ".":
            return []
        case "U" | "E":
            excused = True if kind == "E" else random.choice([False, None])
            return [Row(school, day, "absent", excused, None, moment)]
        case "S":
            return [
                Row(school, day, random.choice(STATUSES), random.choice([True, False, None]), f"s{n}", moment)
                for n in range(random.randint(2, 3))
            ]
    status = {"P": "present", "T": "tardy", "D": "early_departure", "Q": "partial"}[kind]
    return [Row(school, day, status, None, None, moment)]


def as_mark(student: str, row: Row, *, history: bool = False) -> AttendanceMark:
    """The row as it travels."""
    return AttendanceMark(
        student=student,
        school_id=row.school,
        date=row.day,
        status=row.status,
        excused=row.excused,
        section=row.section,
        recorded_at=row.recorded_at,
        history=history,
    )


@st.composite
def worlds(
    draw: st.DrawFn,
    *,
    corrections: bool = True,
    withdrawals: bool = False,
    histories: bool = True,
    longest: int = 45,
) -> World:
    """A world of at least 12 school days."""
    days = school_days(draw(st.integers(12, longest)))
    random = Random(draw(st.integers(0, 2**32)))
    world = World(days)
    history = draw(st.sampled_from([0, 0, len(days) // 2])) if histories else 0
    _calendars(draw, world, random)
    for student in STUDENTS:
        _stays(draw, world, student)
        _consents(draw, world, student, withdrawals=withdrawals)
    _attendance(draw, world, random, history)
    _closes(draw, world, history)
    if corrections:
        _corrections(draw, world, random, history)
    return world


def _calendars(draw: st.DrawFn, world: World, random: Random) -> None:
    records = []
    for school in SCHOOLS:
        if draw(st.booleans()):
            continue
        for day in world.days:
            instructional = random.random() < 0.93
            if random.random() < 0.1:
                records.append(school_day(school, day, not instructional))
            records.append(school_day(school, day, instructional))
    world.reference[topics.SCHOOL_DAYS.name] = records


def _stays(draw: st.DrawFn, world: World, student: str) -> None:
    days, records = world.days, world.reference.setdefault(topics.ENROLLMENTS.name, [])
    at_day = days[draw(st.integers(1, len(days) - 1))]
    before = at_day - timedelta(days=1)
    away = Stay(ELSEWHERE, at_day, at_day + AWAY - timedelta(days=1))
    stays = draw(
        st.sampled_from(
            [
                [Stay("A", FIRST)],
                [Stay("A", FIRST)],
                [Stay("B", FIRST, at_day)],
                [Stay("A", FIRST, before), Stay("B", at_day)],
                [Stay("A", FIRST), Stay("B", at_day, at_day + timedelta(days=4))],
                [Stay("A", FIRST, before), Stay("A", at_day + timedelta(days=3))],
                [Stay("A", FIRST, before), away, Stay("A", at_day + AWAY)],
                [Stay("A", FIRST, before), away, Stay("B", at_day + AWAY)],
                [Stay(ELSEWHERE, FIRST, before), Stay("A", at_day)],
                [Stay("B", FIRST, before), Stay(ELSEWHERE, at_day)],
            ]
        )
    )
    household = HOUSEHOLDS.get(student)
    if draw(st.booleans()):
        records.append(
            enrollment(student, (stays[0].school, FIRST, None), household=draw(st.sampled_from([household, "h2"])))
        )
    spans = [(stay.school, stay.entry, stay.exit) for stay in stays]
    records.append(enrollment(student, *spans, household=household))
    world.stays[student] = stays


def _consents(draw: st.DrawFn, world: World, student: str, *, withdrawals: bool) -> None:
    days, records = world.days, world.reference.setdefault(topics.CONSENTS.name, [])
    run: tuple[date, date | None] = draw(
        st.sampled_from([(FIRST, None), (date(2016, 7, 1), None), (days[3], None), (FIRST, days[-3])])
    )
    if draw(st.booleans()):
        records.append(consent(student, FIRST, days[5]))
    records.append(consent(student, *run))
    if withdrawals and draw(st.integers(0, 2)) == 0:
        records.append(erased(student))


def _attendance(draw: st.DrawFn, world: World, random: Random, history: int) -> None:
    most = max(12, len(world.days) // 4)
    runs = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 6)), min_size=1, max_size=most)
    days: list[list[AttendanceMark]] = [[] for _ in world.days]
    for student in STUDENTS:
        kinds = "".join(kind * length for kind, length in draw(runs)) + "P" * len(world.days)
        for number, day in enumerate(world.days):
            stays = [s for s in world.stays[student] if s.entry <= day <= (s.exit or date.max)]
            places = [stay.school for stay in stays if stay.school != ELSEWHERE]
            school = random.choice(places or SCHOOLS)
            for row in rows_of(kinds[number], school, day, random):
                days[number].append(as_mark(student, row, history=number < history))
    snow = draw(st.sets(st.integers(0, len(world.days) - 1), max_size=2))
    for number, day in enumerate(world.days):
        marks, heads = days[number], _counts(day, random, snow=number in snow)
        random.shuffle(marks)
        cut = random.randint(0, len(marks))
        records = [batch(*marks[:cut], counts=heads if random.random() < 0.5 else ()), batch(*marks[cut:])]
        world.marks.append([*records, batch(counts=heads)])


def _counts(day: date, random: Random, *, snow: bool) -> list[DayCounts]:
    found = []
    for school in SCHOOLS:
        absent = random.randint(60, 100) if snow else random.randint(0, 12)
        reported, expected = random.choice([(100, 0), (100, 100), (absent, 100)])
        found.append(counts(school, day, absent, reported, expected))
    return found


def _corrections(draw: st.DrawFn, world: World, random: Random, history: int) -> None:
    places = st.integers(0, len(world.days) - 1)
    for student, about, came in draw(st.lists(st.tuples(st.sampled_from(STUDENTS), places, places), max_size=6)):
        day, late = world.days[min(about, came)], max(about, came)
        school = random.choice(SCHOOLS)
        row = Row(
            school, day, random.choice(STATUSES), random.choice([True, False, None]), None, at(world.days[late], 1)
        )
        world.marks[late].insert(-1, batch(as_mark(student, row, history=late < history)))


def _closes(draw: st.DrawFn, world: World, history: int) -> None:
    unclosed = draw(st.sets(st.integers(0, len(world.days) - 1), max_size=2))
    last = draw(st.integers(len(world.days) - 2, len(world.days)))
    for number, day in enumerate(world.days):
        if number not in unclosed and number < last:
            inside = number < history - 1
            world.marks[number] += [close(school, day, history=inside) for school in SCHOOLS]
