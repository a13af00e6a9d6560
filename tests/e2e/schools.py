"""A school that posts what happens, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

import httpx

from tests.e2e.districts import CONSENT, WEEK
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, eventually


class School:
    """A school of its own, with a calendar, that posts what happens."""

    def __init__(self, ingest: httpx.Client, casework: httpx.Client) -> None:
        self._ingest = ingest
        self._casework = casework
        self.id = f"school-{uuid4().hex[:8]}"
        days = [{"school_id": self.id, "date": day, "instructional": True} for day in WEEK]
        assert self.post("school-days", *days)["accepted"] == len(WEEK)

    def post(self, path: str, *entries: Json, headers: dict[str, str] | None = None) -> Json:
        answer = self._ingest.post(f"/v1/{path}", json=list(entries), headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        document: Json = answer.json()
        return document

    def student(self) -> Student:
        """A new student of the school whose consent is in force."""
        student_id = f"S-{uuid4().hex[:10]}"
        consent = {**CONSENT, "student_id": student_id, "records": ["attendance"]}
        answer = self.post("consents", consent)
        span = {"student_id": student_id, "school_id": self.id, "entry_date": "2016-09-08", "grade": "5"}
        assert self.post("enrollments", span)["accepted"] == 1
        return Student(student_id, answer["results"][0]["student"])

    def mark(self, student_id: str, day: str, status: str, **more: object) -> Json:
        return {"student_id": student_id, "school_id": self.id, "date": day, "status": status, **more}

    def absent(self, student: Student, *days: str) -> None:
        answer = self.post("attendance", *(self.mark(student.id, day, "absent", excused=False) for day in days))
        assert answer["accepted"] == len(days)
        assert {one["status"] for one in answer["results"]} == {"accepted"}

    def alerts(self) -> list[Json]:
        return every_alert(self._casework, school=self.id)

    def the_alert(self, **expected: str) -> Json:
        """The school's one alert, once it is as expected."""

        def as_expected() -> Json | None:
            found = self.alerts()
            return found[0] if len(found) == 1 and expected.items() <= found[0].items() else None

        alert = eventually(as_expected, f"an alert with {expected}")
        assert alert is not None
        return alert

    def window(self, student: Student) -> httpx.Response:
        return self._casework.get(f"/v1/students/{student.pseudonym}/window")


class Student(NamedTuple):
    id: str
    pseudonym: str
