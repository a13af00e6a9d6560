"""What earlier releases stored, whole students without a version, is read and written anew."""

from __future__ import annotations

import msgspec

from services.warning.lifecycle import EmittedAlert
from tests.unit.models.hand_made import artifact
from tests.unit.warning.driving import Worker, batch, close, consent, enrollment, mark
from tests.unit.warning.worlds import FIRST, school_days

DAYS = school_days(12)
LETTERS = {2: "P", 3: "D", 4: "T", 5: "Q", 6: "E", 7: "U"}
encode = msgspec.msgpack.encode


def lived(worker: Worker) -> Worker:
    worker.take(
        enrollment("ann", ("A", FIRST, None), household="h"),
        consent("ann", FIRST),
        enrollment("ben", ("A", FIRST, None), household="h"),
        consent("ben", FIRST),
        *(batch(mark("ann", day, "absent"), mark("ben", day, "tardy", section="1")) for day in DAYS[:6]),
        close("A", *DAYS[:8]),
    )
    return worker


def as_it_was(worker: Worker) -> dict[str, bytes]:
    """The worker's state as the release before wrote it."""
    partition, stored = worker.partition, dict[str, bytes]()
    for name, student in partition.students.items():
        year = partition.years[student.year]
        days = dict(year.marks.of_row(student.row))
        marks = {
            day: [(r.school, r.section, ord(LETTERS[r.code]), r.recorded_at) for r in rows]
            for day, rows in days.items()
        }
        emitted = [EmittedAlert(old.id, old.seq, old.turns, old.ended, old.withdrawn, b"{}") for old in student.emitted]
        spans = [span[:3] for span in student.spans]
        stored[f"s|{name}"] = encode(
            [
                name,
                student.household,
                None,
                student.year,
                student.consent,
                spans,
                list(days),
                marks,
                {},
                emitted,
                [],
                False,
                0,
            ]
        )
    school = partition.school_facts.schools["A"]
    stored["c|A"] = encode([school.calendar, school.closed, {}, 0])
    stored["r|"] = encode([{}, {}, {}, [], 0, b""])
    return stored


def test_windows_and_alerts_are_as_they_were_and_nothing_is_told_again() -> None:
    for scored in (None, artifact(1)):
        before = lived(Worker(artifact=scored, capacity=2 if scored else None))
        after = Worker(artifact=scored, capacity=2 if scored else None)
        after.stored = as_it_was(before)
        after.restart()
        assert after.take(batch()) == []
        assert after.windows() == before.windows()
        assert after.standing() == before.standing()
        assert before.standing()
        assert "c|A" not in after.stored
        after.restart()
        assert after.windows() == before.windows()
