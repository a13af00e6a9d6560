"""Which marks are new, which repeat one, which have no consent: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from models.attendance import NO_TIME, RETRACTED, code_of
from services.contracts.packed import microseconds
from services.ingest.classification.digests import event_digest, mark_digest
from services.ingest.identity.consented import ConsentedStudent
from services.ingest.rows.outcomes import (
    ACCEPTED,
    DUPLICATE,
    NOT_CONSENTED,
    NOT_YET,
    NOT_YET_RECORDED,
    OLDER,
    Outcome,
    WhyNot,
)
from services.ingest.rows.parse import MarkRow

SLACK: Final = timedelta(days=1)
"""East of the district tomorrow has come already."""
_NANOSECONDS: Final = 1_000


class Horizon(NamedTuple):
    """What is dated after it has not come yet: a slip of the year would else move a child's window."""

    day: date
    moment: datetime
    """The first one that is not accepted."""

    @classmethod
    def of(cls, today: date, zone: tzinfo) -> Horizon:
        """By a clock on which it is this day, in the district's timezone."""
        day = today + SLACK
        return cls(day, datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC))

    def refuses(self, day: date, recorded_at: datetime | None) -> Outcome | None:
        """The outcome of a mark that is dated, or was recorded, too far ahead."""
        if day > self.day:
            return NOT_YET
        return NOT_YET_RECORDED if recorded_at is not None and recorded_at >= self.moment else None


class Said(NamedTuple):
    """What was said of a student, school, date and section."""

    digest: int
    taken: int
    """By HTTP the order of taking, else the moment as of which the import speaks: nanoseconds since 1970."""
    code: int
    moment: int
    """Of several the latest stands: microseconds since 1970, or `NO_TIME`."""
    by_import: bool


class Key(NamedTuple):
    """What a mark is about."""

    student: int
    day: date
    school: str
    section: str


@dataclass(slots=True)
class Memory:
    """What was taken of the students and dates of one batch; it grows while the batch is classed."""

    said: defaultdict[Key, list[Said]] = field(default_factory=lambda: defaultdict(list))
    digests: dict[tuple[int, date], set[int]] = field(default_factory=dict)
    """Of all marks of a student and date, also those of which nothing else is known."""
    events: set[bytes] = field(default_factory=set)

    def remember(self, key: Key | None, student: int, day: date, said: Said) -> None:
        """Note a mark; what one of the first releases was about is not known."""
        self.digests.setdefault((student, day), set()).add(said.digest)
        if key is not None:
            self.said[key].append(said)

    def repeats_http(self, key: Key, digest: int, *, latest_only: bool) -> bool:
        """Whether the mark was taken; with `latest_only`, whether nothing else was since."""
        if digest not in self.digests.get((key.student, key.day), ()):
            return False
        said = self.said.get(key)
        return not latest_only or not said or max(said, key=lambda one: one.taken).digest == digest

    def repeats_import(self, key: Key, digest: int, run: int) -> bool:
        """Whether this import, or the last one before that spoke of it, said the same, whatever HTTP said since."""
        by_import = [one for one in self.said.get(key, ()) if one.by_import]
        if not by_import:
            known = any(one.digest == digest for one in self.said.get(key, ()))
            return not known and digest in self.digests.get((key.student, key.day), ())
        last = max((one.taken for one in by_import if one.taken < run), default=run)
        return any(one.digest == digest and one.taken in (last, run) for one in by_import)

    def standing(self, key: Key) -> tuple[int, int] | None:
        """The moment and code of what stands."""
        said = self.said.get(key)
        return max((one.moment, one.code) for one in said) if said else None


class Taking(NamedTuple):
    """Who says the marks of a batch, and when."""

    now: int
    """Nanoseconds since 1970: by HTTP the order of taking, in an import its as-of moment."""
    live: bool
    """By HTTP: a mark without `recorded_at` is recorded now."""
    as_of: datetime | None
    """The moment of an import's rows without one; None by HTTP, and in replays, where the mark's date stands."""
    horizon: Horizon
    agency: str
    """Who gets them."""


Superseded = tuple[Key, Said]
"""What an earlier import said, and of what; no import says it any more."""


class Accepted(NamedTuple):
    """A new mark, to be sent and then remembered."""

    place: int
    student: ConsentedStudent
    key: Key
    said: Said
    event: bytes | None


class Classed(NamedTuple):
    """Each row's outcome; the new marks in order, also what takes back what has not come yet; and the repeats."""

    outcomes: list[Outcome]
    accepted: list[Accepted]
    repeated: list[Accepted]


def classify(
    rows: Sequence[MarkRow],
    times: Sequence[datetime | None],
    known: Mapping[str, ConsentedStudent],
    memory: Memory,
    taking: Taking,
    why_not: Mapping[str, WhyNot] | None = None,
) -> Classed:
    """Class rows in order; `times` are the given moments, with an offset.

    Live, a mark without one that repeats an older mark after something else was taken is a correction back, not a
    repeat. `why_not` says of students who are not `known` why; those that it leaves out are unknown.
    """
    result = Classed([], [], [])
    outcomes, accepted, repeated = result
    digest_of = lru_cache(maxsize=None)(mark_digest)  # a batch repeats few different contents
    default = NO_TIME if taking.as_of is None else microseconds(taking.as_of)
    for index, (row, recorded_at) in enumerate(zip(rows, times, strict=True)):
        refused = taking.horizon.refuses(row.date, recorded_at)
        if refused is not None:
            outcomes.append(refused)
            continue
        student = known.get(row.student_id)
        if student is None or not student.run.holds(row.date):
            why = _why(row, student, why_not or {})
            outcomes.append(NOT_CONSENTED[why])
            continue
        section = row.section_id or ""
        key = Key(student.id, row.date, row.school_id, section)
        digest = digest_of(row.school_id, row.status, row.excused, section, recorded_at)
        moment = default if recorded_at is None else microseconds(recorded_at)
        if taking.live and recorded_at is None:
            moment = taking.now // _NANOSECONDS
        said = Said(digest, taking.now + index * taking.live, code_of(row.status, row.excused), moment, not taking.live)
        event = event_digest(row.event_id, taking.agency) if row.event_id else None
        new = Accepted(index, student, key, said, event)
        if event in memory.events or _repeats(memory, key, said, live=taking.live, timed=recorded_at is not None):
            outcomes.append(DUPLICATE)
            repeated.append(new)
            continue
        standing = memory.standing(key)
        if said.code == RETRACTED and (standing is None or standing[1] == RETRACTED):
            # It takes nothing back yet, but what was recorded before it and comes later must not stand.
            memory.remember(key, student.id, row.date, said)
            outcomes.append(DUPLICATE)
            accepted.append(new)
            continue
        memory.remember(key, student.id, row.date, said)
        if event is not None:
            memory.events.add(event)
        outcomes.append(OLDER if standing is not None and (moment, said.code) < standing else ACCEPTED)
        accepted.append(new)
    return result


def superseded(accepted: Collection[Accepted], again: Collection[Accepted], memory: Memory) -> list[Superseded]:
    """What earlier imports said of that of which there is something new, and this one does not say again."""
    repeated = {(one.key, one.said.digest) for one in again}
    return [
        (new.key, said)
        for new in accepted
        for said in memory.said[new.key]
        if said.by_import and new.said.by_import and said.taken < new.said.taken
        if (new.key, said.digest) not in repeated and said.digest != new.said.digest
    ]


def _repeats(memory: Memory, key: Key, said: Said, *, live: bool, timed: bool) -> bool:
    if said.code == RETRACTED:
        standing = memory.standing(key)  # at one moment any other row beats it: then it takes nothing back
        if standing is None or standing[1] == RETRACTED:
            return not timed or (standing is not None and standing[0] >= said.moment)
        return standing[0] >= said.moment
    if live:
        return memory.repeats_http(key, said.digest, latest_only=not timed)
    return memory.repeats_import(key, said.digest, said.taken)


def _why(row: MarkRow, student: ConsentedStudent | None, why_not: Mapping[str, WhyNot]) -> WhyNot:
    if student is None:
        return why_not.get(row.student_id, "unknown_student")
    return "not_yet" if row.date < student.run.start else "ended"


def together(accepted: Collection[Accepted], repeated: Collection[Accepted], memory: Memory) -> list[Accepted]:
    """Repeats that are not the only thing that the last import said of theirs: they go on being said by this one."""
    keys = {new.key for new in accepted}
    return [one for one in repeated if one.key in keys or len(memory.said.get(one.key, ())) > 1]
