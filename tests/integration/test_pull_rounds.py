"""Rounds of a pull from a fake API: what is kept equals what the API says, whatever was deleted or got another key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import httpx

from services.contracts.marks import MarkBatch
from services.contracts.packed import read_marks_record
from services.contracts.topics import MARKS
from services.ingest.agreement.document import Agreement
from services.ingest.agreement.folder import PURPOSE
from services.ingest.formats.mapping import Mapping
from services.ingest.pull.report import PullReport
from services.ingest.pull.rounds import RESOURCES, pull_round
from services.platform.sharing import OTHER_RECORDS
from tests.integration.ingest_support import ciphers_of, sent
from tests.integration.taking import Taken
from tests.integration.test_edfi_records import ODS
from tests.unit.ingest.formats.edfi_record_files import descriptor
from tests.unit.ingest.pull.support import FakeOds

STUDENT = "S2"
RECIPIENT = "dsni"
DAYS = ("2016-12-05", "2016-12-06", "2016-12-07")
SESSION = "2016-2017 Fall"
EVERYTHING = ("attendance", *OTHER_RECORDS)


def agreement() -> Agreement:
    both = {"to": RECIPIENT, "purpose": PURPOSE, "schools": ["255"]}
    return Agreement.model_validate(
        {
            "id": "DSA",
            "version": 1,
            "effective_on": date(2016, 8, 1),
            "expires_on": date(2018, 6, 30),
            "destroy_by": date(2018, 12, 31),
            "party": [{"id": one, "name": one, "role": "agency"} for one in (RECIPIENT, "city")],
            "disclosure": [
                {**both, "records": ["attendance"], "form": "live"},
                {**both, "records": OTHER_RECORDS, "form": "student"},
            ],
        }
    )


def event(day: str, category: str, changed: str = "2016-12-08T00:00:00Z") -> dict[str, object]:
    return {
        "studentReference": {"studentUniqueId": STUDENT},
        "schoolReference": {"schoolId": 255},
        "sessionReference": {"schoolId": 255, "schoolYear": 2017, "sessionName": SESSION},
        "eventDate": day,
        "attendanceEventCategoryDescriptor": descriptor("AttendanceEventCategory", category),
        "_lastModifiedDate": changed,
    }


def event_key(day: str, category: str) -> dict[str, object]:
    return {
        "studentUniqueId": STUDENT,
        "schoolId": 255,
        "schoolYear": 2017,
        "sessionName": SESSION,
        "eventDate": f"{day}T00:00:00",
        "attendanceEventCategoryDescriptor": descriptor("AttendanceEventCategory", category),
    }


def calendar_date(day: str) -> dict[str, object]:
    return {
        "calendarReference": {"calendarCode": "M", "schoolId": 255, "schoolYear": 2017},
        "date": day,
        "calendarEvents": [{"calendarEventDescriptor": descriptor("CalendarEvent", "Instructional day")}],
    }


class Source(FakeOds):
    """An API whose rows a test changes."""

    def __init__(self) -> None:
        super().__init__({name: [] for name in RESOURCES})
        self.newest = 1
        self.put(json.loads(ODS))
        self.before = self._versions

    def put(self, rows: dict[str, list[dict[str, object]]]) -> None:
        for name, members in rows.items():
            self.rows[name] += [(self.newest, row) for row in members]

    def change(self, name: str, which: Callable[[dict[str, Any]], bool], by: dict[str, object] | None) -> None:
        """Rows get other values; None deletes them."""
        found = [(version, row) for version, row in self.rows[name] if which(row)]
        self.rows[name] = [one for one in self.rows[name] if one not in found]
        if by is not None:
            self.rows[name] += [(self.newest, {**row, **by}) for _, row in found]

    def say_gone(self, name: str, key: dict[str, object]) -> None:
        self.rows.setdefault(f"{name}/deletes", []).append((self.newest, {"id": "x", "keyValues": key}))

    def say_moved(self, name: str, old: dict[str, object], new: dict[str, object]) -> None:
        change = {"id": "x", "oldKeyValues": old, "newKeyValues": new}
        self.rows.setdefault(f"{name}/keyChanges", []).append((self.newest, change))

    def _versions(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("availableChangeVersions"):
            return httpx.Response(200, json={"oldestChangeVersion": 0, "newestChangeVersion": self.newest})
        return None


async def begun(taken: Taken, source: Source, records: tuple[str, ...] = EVERYTHING) -> PullReport:
    await taken.intake.set_replay_day(date(2017, 6, 30))
    await taken.apply(agreement())
    row = taken.consent_row(STUDENT, RECIPIENT)
    await taken.intake.take_consents([replace(row, records=records)])
    source.put(
        {
            "schools": [{"schoolId": 255, "nameOfInstitution": "Central"}],
            "students": [{"studentUniqueId": STUDENT, "firstName": "Ada", "lastSurname": "Planted"}],
            "studentSchoolAttendanceEvents": [event(day, "Unexcused Absence") for day in DAYS],
        }
    )
    return await pulled(taken, source)


async def pulled(taken: Taken, source: Source, *, anew: bool = False) -> PullReport:
    return await pull_round(source.client(), taken.intake, Mapping(), anew=anew)


async def standing(taken: Taken, table: str, columns: str) -> list[tuple[object, ...]]:
    query = f"""
        SELECT {columns} FROM district.{table} r JOIN ingest.students s ON s.id = r.student
        WHERE s.student_id = :id AND until = 'infinity' ORDER BY 1
    """
    return [tuple(row) for row in await taken.rows(query, STUDENT)]


async def marks(taken: Taken) -> dict[str, str]:
    """What stands of each day, by what was sent: of several the latest moment."""
    ciphers = await ciphers_of(taken.settings)
    mine = set((await taken.pseudonyms(STUDENT)).values())
    last: dict[str, tuple[int, str]] = {}
    for one in await sent(taken.settings.require_kafka(), MARKS):
        batch = read_marks_record(one.value or b"", ciphers.get)
        if isinstance(batch, MarkBatch):
            for mark in batch.marks:
                if mark.student in mine:
                    said = (mark.recorded_at.timestamp() if mark.recorded_at else -1, mark.status)
                    last[mark.date.isoformat()] = max(last.get(mark.date.isoformat(), said), said)
    return {day: status for day, (_, status) in sorted(last.items())}


async def test_a_first_round_takes_all_and_the_next_one_nothing(taken: Taken) -> None:
    source = Source()
    report = await begun(taken, source)
    assert not report.rejections
    assert {name: counts.read for name, counts in report.resources.items() if counts.read} == {
        name: len(rows) for name, rows in source.rows.items() if rows
    }
    assert {counts.change_version for counts in report.resources.values()} == {1}
    assert await marks(taken) == dict.fromkeys(DAYS, "absent")
    assert await standing(taken, "grades", "course, r.grade") == [("ALG", "88.5")]
    assert await standing(taken, "courses", "course, title, level") == [("ALG", "Algebra", "honors")]
    assert len(await standing(taken, "graduations", "status")) == 2
    asked = len(source.asked)
    again = await pulled(taken, source)
    assert not any(counts.read for counts in again.resources.values())
    assert len(source.asked) == asked + 4  # the root, the token, snapshots and versions


async def test_deletes_and_other_keys_are_taken_back(taken: Taken) -> None:
    source = Source()
    await begun(taken, source)
    source.newest = 2
    attendance = "studentSchoolAttendanceEvents"
    source.change(attendance, lambda row: row["eventDate"] == DAYS[0], None)
    source.say_gone(attendance, event_key(DAYS[0], "Unexcused Absence"))
    tardy = event(DAYS[1], "Tardy", "2016-12-09T00:00:00Z")
    source.change(attendance, lambda row: row["eventDate"] == DAYS[1], tardy)
    source.say_moved(attendance, event_key(DAYS[1], "Unexcused Absence"), event_key(DAYS[1], "Tardy"))
    source.change("studentAssessments", lambda _: True, {"administrationDate": "2017-05-09"})
    source.change("grades", lambda _: True, None)
    source.say_gone("grades", {"studentUniqueId": STUDENT, "localCourseCode": "ALG"})
    source.change("courses", lambda _: True, {"courseTitle": "Algebra I"})
    report = await pulled(taken, source)
    assert (await marks(taken)) == {DAYS[0]: "retracted", DAYS[1]: "tardy", DAYS[2]: "absent"}
    assert await standing(taken, "assessments", "date") == [(date(2017, 5, 9),)]
    assert await standing(taken, "grades", "course") == []
    assert await standing(taken, "courses", "title") == [("Algebra I",)]
    assert report.resources[attendance].deleted == report.resources[attendance].key_changed == 1

    source.newest = 3
    source.change("studentSchoolAssociations", lambda _: True, None)
    source.say_gone(
        "studentSchoolAssociations", {"studentUniqueId": STUDENT, "schoolId": 255, "entryDate": "2016-08-23"}
    )
    await pulled(taken, source)
    assert await taken.rows("SELECT FROM ingest.enrollments WHERE :id <> ''", STUDENT) == []
    assert await standing(taken, "graduations", "status") == [("graduated",)]


async def test_of_two_rows_that_say_the_same_one_may_go(taken: Taken) -> None:
    source = Source()
    await begun(taken, source)
    source.newest = 2
    source.put({"studentSchoolAttendanceEvents": [event(DAYS[0], "Tardy", "2016-12-07T00:00:00Z")]})
    (_, course), *_ = source.rows["studentSectionAssociations"]
    source.put({"studentSectionAssociations": [{**course, "beginDate": "2016-10-01"}]})
    await pulled(taken, source)
    source.newest = 3
    source.change("studentSectionAssociations", lambda row: row["beginDate"] == "2016-10-01", None)
    source.say_gone("studentSectionAssociations", {"studentUniqueId": STUDENT})
    absent = descriptor("AttendanceEventCategory", "Unexcused Absence")
    source.change(
        "studentSchoolAttendanceEvents",
        lambda row: row["eventDate"] == DAYS[0] and row["attendanceEventCategoryDescriptor"] == absent,
        None,
    )
    source.say_gone("studentSchoolAttendanceEvents", event_key(DAYS[0], "Unexcused Absence"))
    await pulled(taken, source)
    assert (await marks(taken))[DAYS[0]] == "tardy"
    assert await standing(taken, "courses", "start_date") == [(date(2016, 8, 23),)]


async def test_what_a_restored_api_lacks_is_taken_back(taken: Taken) -> None:
    source = Source()
    await begun(taken, source)
    source.newest = 5
    source.put({"studentSchoolAttendanceEvents": [event("2016-12-12", "Tardy")]})
    source.change("studentSchoolAttendanceEvents", lambda row: row["eventDate"] == DAYS[0], None)
    source.say_gone("studentSchoolAttendanceEvents", event_key(DAYS[0], "Unexcused Absence"))
    await pulled(taken, source)
    restored = Source()
    restored.newest = 2
    restored.put({"studentSchoolAttendanceEvents": [event(day, "Unexcused Absence") for day in DAYS]})
    restored.change("studentSchoolAssociations", lambda _: True, None)
    restored.change("grades", lambda _: True, None)
    report = await pulled(taken, restored)
    assert any("gone back" in note for note in report.notes)
    assert await marks(taken) == {**dict.fromkeys(DAYS, "absent"), "2016-12-12": "retracted"}
    assert await standing(taken, "grades", "course") == []


async def test_of_two_events_of_a_day_the_last_changed_stands_also_in_a_restored_api(taken: Taken) -> None:
    both = [
        event(DAYS[0], "Unexcused Absence", "2016-12-08T00:00:00Z"),
        event(DAYS[0], "Tardy", "2016-12-08T00:00:02Z"),
    ]
    source = Source()
    await begun(taken, source)
    source.newest = 5
    source.put({"studentSchoolAttendanceEvents": both})
    await pulled(taken, source)
    assert (await marks(taken))[DAYS[0]] == "tardy"
    restored = Source()
    restored.newest = 2
    restored.put({"studentSchoolAttendanceEvents": both})
    await pulled(taken, restored)
    assert (await marks(taken))[DAYS[0]] == "tardy"


async def test_what_new_consents_cover_comes_when_all_is_read_anew(taken: Taken) -> None:
    source = Source()
    await begun(taken, source, records=("attendance",))
    assert await standing(taken, "grades", "course") == []
    assert (await pulled(taken, source)).not_consented == {}
    await taken.intake.take_consents([replace(taken.consent_row(STUDENT, RECIPIENT), records=EVERYTHING)])
    source.newest = 2
    attendance = "studentSchoolAttendanceEvents"
    source.change(attendance, lambda row: row["eventDate"] == DAYS[0], None)
    source.say_gone(attendance, event_key(DAYS[0], "Unexcused Absence"))
    source.change("studentSchoolAssociations", lambda _: True, {"entryDate": "2016-08-24"})
    await pulled(taken, source, anew=True)
    assert await standing(taken, "grades", "course") == [("ALG",)]
    assert await marks(taken) == {DAYS[0]: "retracted", DAYS[1]: "absent", DAYS[2]: "absent"}
    entries = "SELECT DISTINCT entry_date FROM ingest.enrollments WHERE :id <> ''"
    assert await taken.rows(entries, STUDENT) == [(date(2016, 8, 24),)]
    assert not (await pulled(taken, source)).resources[attendance].read


async def test_days_that_a_calendar_lacks_are_no_school_days_any_more(taken: Taken) -> None:
    source = Source()
    await begun(taken, source)
    open_days = "SELECT date FROM ingest.school_days WHERE instructional AND date < '2016-09-01' AND :id <> ''"
    assert len(await taken.rows(open_days, STUDENT)) == 7  # weekdays of the session
    source.newest = 2
    source.put({"calendarDates": [calendar_date(day) for day in ("2016-08-29", "2016-08-30")]})
    await pulled(taken, source)
    assert len(await taken.rows(open_days, STUDENT)) == 2
    source.newest = 3
    source.change("calendarDates", lambda row: row["date"] == "2016-08-30", None)
    source.say_gone("calendarDates", {"calendarCode": "M", "date": "2016-08-30", "schoolId": 255, "schoolYear": 2017})
    await pulled(taken, source)
    assert await taken.rows(open_days, STUDENT) == [(date(2016, 8, 29),)]


async def test_a_snapshot_is_read_where_it_has_anything_new(taken: Taken) -> None:
    source = Source()
    snapshot, plain = [1], source.before

    def offering(request: httpx.Request) -> httpx.Response | None:
        path, of_snapshot = request.url.path, request.headers.get("Use-Snapshot") == "true"
        if path.endswith("/snapshots"):
            return httpx.Response(200, json=[{"id": "x"}] if snapshot else [])
        if path.endswith("availableChangeVersions") and of_snapshot:
            return httpx.Response(200, json={"oldestChangeVersion": 0, "newestChangeVersion": snapshot[0]})
        return plain(request)

    source.before = offering
    await begun(taken, source)
    assert source.asked[-1].headers["Use-Snapshot"] == "true"
    source.newest = 2
    source.put({"studentSchoolAttendanceEvents": [event("2016-12-12", "Tardy")]})
    await pulled(taken, source)
    assert "Use-Snapshot" not in source.asked[-1].headers
    assert (await marks(taken))["2016-12-12"] == "tardy"


async def test_what_is_not_offered_is_named_and_the_rest_goes_on(taken: Taken) -> None:
    source = Source()
    del source.rows["disciplineActions"]
    report = await begun(taken, source)
    assert report.notes == ["Not read: disciplineActions: the API does not have it (404)."]
    assert report.resources["disciplineActions"].change_version == 0
    assert await standing(taken, "grades", "course") == [("ALG",)]
    assert await standing(taken, "suspensions", "date") == []
