"""What a district's office does to its ODS while it is read, by chance: corrections, deletes, changed keys."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.ods.district import event, student_id
from tests.ods.keys import key_values
from tests.ods.store import OdsState

EVENTS = "studentSchoolAttendanceEvents"


class Office:
    """To be called between pages (`Weather.between`); it does `most` things in all, the same ones for the same seed."""

    def __init__(self, seed: int, students: int, first_day: date, most: int) -> None:
        self._chance = Random(seed)
        self._students = students
        self._first_day = first_day
        self.left = most

    def __call__(self, state: OdsState) -> None:
        if self.left > 0:
            self.left -= 1
            self._chance.choice((self._correct, self._mark, self._delete, self._move, self._grade))(state)

    def _correct(self, state: OdsState) -> None:
        """An early row of students changes, so that those behind it move up."""
        row = self._chance.choice(state.standing("students")[:3])
        state.put("students", row.body | {"lastSurname": f"Test{state.version}"})

    def _mark(self, state: OdsState) -> None:
        day = self._first_day + timedelta(days=self._chance.randrange(28))
        state.put(EVENTS, event(student_id(self._chance.randrange(self._students)), day))

    def _delete(self, state: OdsState) -> None:
        row = self._chance.choice(state.standing(EVENTS))
        state.delete(EVENTS, eventDate=row.body["eventDate"], **row.body["studentReference"])

    def _move(self, state: OdsState) -> None:
        """A mark was of another day: its key changes."""
        row = self._chance.choice(state.standing(EVENTS))
        day = date.fromisoformat(row.body["eventDate"]) + timedelta(days=7)
        body = row.body | {"eventDate": day.isoformat()}
        if state.find(EVENTS, key_values(EVENTS, body)) is None:
            state.rekey(EVENTS, row, body)

    def _grade(self, state: OdsState) -> None:
        row = self._chance.choice(state.standing("grades"))
        state.put("grades", row.body | {"numericGradeEarned": self._chance.randrange(50, 100)})
