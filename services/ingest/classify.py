"""Which marks are new, which repeat one, which have no consent: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from services.ingest.digests import event_digest, mark_digest
from services.ingest.known import Known
from services.ingest.outcomes import ACCEPTED, DUPLICATE, NOT_CONSENTED, NOT_YET, Outcome
from services.ingest.rows import MarkRow


@dataclass(slots=True)
class Memory:
    """What was taken of the students and dates of one batch; it grows while the batch is classed."""

    digests: dict[tuple[int, date], set[int]] = field(default_factory=dict)
    latest: dict[tuple[int, date, str], tuple[int, int]] = field(default_factory=dict)
    events: set[bytes] = field(default_factory=set)

    def remember(self, student: int, day: date, section: str, digest: int, taken: int) -> None:
        """Note a mark; of one section, the one taken last is the latest."""
        self.digests.setdefault((student, day), set()).add(digest)
        key = (student, day, section)
        if self.latest.get(key, (taken, 0))[0] <= taken:
            self.latest[key] = (taken, digest)

    def repeats(self, student: int, day: date, section: str, digest: int, *, latest_only: bool) -> bool:
        """Whether the mark was taken; with `latest_only`, whether nothing else was since."""
        if digest not in self.digests.get((student, day), ()):
            return False
        return not latest_only or self.latest[student, day, section][1] == digest


class Accepted(NamedTuple):
    """A new mark, to be sent and then remembered."""

    place: int
    student: Known
    digest: int
    section: str
    event: bytes | None


def classify(
    rows: Sequence[MarkRow],
    times: Sequence[datetime | None],
    known: Mapping[str, Known],
    memory: Memory,
    *,
    now: int,
    live: bool,
    latest: date,
) -> tuple[list[Outcome], list[Accepted]]:
    """Each row's outcome, and the new marks in order.

    `times` are the given `recorded_at`, with an offset. Live, a mark without one that repeats an older
    mark after something else was taken is a correction back, not a repeat. `now` orders what is taken.
    A mark dated after `latest` is rejected: a slip of the year would else move a child's window.
    """
    outcomes: list[Outcome] = []
    accepted: list[Accepted] = []
    digest_of = lru_cache(maxsize=None)(mark_digest)  # a batch repeats few different contents
    for index, (row, recorded_at) in enumerate(zip(rows, times, strict=True)):
        if row.date > latest:
            outcomes.append(NOT_YET)
            continue
        student = known.get(row.student_id)
        if student is None or not student.run.holds(row.date):
            outcomes.append(NOT_CONSENTED)
            continue
        section = row.section_id or ""
        digest = digest_of(row.school_id, row.status, row.excused, section, recorded_at)
        event = event_digest(row.event_id) if row.event_id else None
        latest_only = live and recorded_at is None
        if event in memory.events or memory.repeats(student.id, row.date, section, digest, latest_only=latest_only):
            outcomes.append(DUPLICATE)
            continue
        memory.remember(student.id, row.date, section, digest, now + index)
        if event is not None:
            memory.events.add(event)
        outcomes.append(ACCEPTED)
        accepted.append(Accepted(index, student, digest, section, event))
    return outcomes, accepted
