"""What a later import says of what an earlier one said: corrected both ways, taken back, replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.e2e.districts import CONSENT, WEEK, write_csv
from tests.e2e.snapshots import every_alert
from tests.e2e.system import Json, System, eventually, firstbell

Row = tuple[str, str, str]
"""Student, date and status."""


class Files:
    """A school of its own whose files are imported again and again."""

    def __init__(self, system: System, ingest: httpx.Client, casework: httpx.Client, folder: Path) -> None:
        self._system, self._ingest, self._casework, self._folder = system, ingest, casework, folder
        self.school = f"school-{uuid4().hex[:8]}"
        self.pseudonyms: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self._spans: list[dict[str, str]] = []
        self._tracks: dict[str, Sequence[str]] = {}
        self.has_calendar = True

    def student(self, name: str, entry: str = "2016-09-08", exit_: str = "", calendar: str = "") -> None:
        """A student with a consent, and enrolled so."""
        student_id = self.ids.setdefault(name, f"S-{uuid4().hex[:10]}")
        if name not in self.pseudonyms:
            answer = self._ingest.post("/v1/consents", json=[{**CONSENT, "student_id": student_id}])
            self.pseudonyms[name] = answer.json()["results"][0]["student"]
        span = {"student_id": student_id, "school_id": self.school, "entry_date": entry, "exit_date": exit_}
        others = [each for each in self._spans if each["student_id"] != student_id]
        self._spans = [*others, {**span, "calendar": calendar}]

    def take(self, rows: Sequence[Row], *options: str, expect: int = 0, header: str = "") -> Json:
        """Import these rows, with the calendar of a week and the enrollments."""
        days = [
            {"school_id": self.school, "date": day, "instructional": str(day in open_), "calendar": track}
            for track, open_ in (self._tracks or {"": WEEK}).items()
            for day in WEEK
        ]
        if self.has_calendar:
            write_csv(self._folder, "calendar.csv", days)
        write_csv(self._folder, "enrollments.csv", self._spans)
        lines = [f"{self.ids[name]},{self.school},{day},{status}\n" for name, day, status in rows]
        text = f"student_id,school_id,date,status{header}\n" + "".join(lines)
        (self._folder / "attendance.csv").write_text(text, encoding="utf-8")
        done = firstbell(
            "import", self._folder, "--json", "-", "--data-dir", self._system.data_dir, *options, expect=expect
        )
        document: Json = json.loads(done.stdout)
        return document

    def post(self, name: str, day: str, status: str) -> Json:
        mark = {"student_id": self.ids[name], "school_id": self.school, "date": day, "status": status}
        document: Json = self._ingest.post("/v1/attendance", json=[mark]).json()
        return document

    def followed(self, **days: Sequence[str]) -> None:
        """Calendars of some students only, by name: the days of the week on which they have school."""
        self._tracks = days

    def window(self, name: str) -> Json:
        document: Json = self._casework.get(f"/v1/students/{self.pseudonyms[name]}/window").json()
        return document

    def statuses(self, name: str) -> dict[str, str]:
        return {mark["date"]: mark["status"] for mark in self.window(name)["marks"]}

    def enrolled(self, name: str, days: int) -> None:
        """So many days count in the end."""
        eventually(lambda: self.window(name)["enrolled_days"] == days or None, f"{days} days of {name} count")

    def becomes(self, name: str, **expected: str) -> None:
        """The window has these statuses in the end, by day of the week from `mon` on; others are left out."""
        want = {WEEK[["mon", "tue", "wed", "thu", "fri"].index(day)]: status for day, status in expected.items()}
        eventually(lambda: self.statuses(name) == want or None, f"{name} has {want}, not {self.statuses(name)}")

    def alerts(self) -> list[Json]:
        return every_alert(self._casework, school=self.school)


@pytest.fixture
def files(system: System, ingest: httpx.Client, casework: httpx.Client, tmp_path: Path) -> Files:
    return Files(system, ingest, casework, tmp_path / "export")


MON, TUE, WED, THU, FRI = WEEK


def test_without_a_time_a_later_import_corrects_an_earlier_one_both_ways(files: Files) -> None:
    files.student("a")
    said = [files.take([("a", MON, status)]) for status in ("absent", "present", "present", "absent")]

    assert [document["accepted"] for document in said] == [1, 1, 0, 1]
    assert [document["duplicate"] for document in said] == [0, 0, 1, 0]
    files.becomes("a", mon="absent")
    files.take([("a", MON, "present")])
    files.becomes("a", mon="present")


def test_an_older_row_changes_nothing_and_is_told(files: Files) -> None:
    files.student("a")
    files.take([("a", MON, "present")])
    document = files.take([("a", MON, "absent")], "--as-of", "2016-12-05T18:00:00")

    assert document["accepted"] == 1
    assert any("older than what stands" in warning for warning in document["warnings"])
    files.becomes("a", mon="present")


def test_a_snapshot_takes_back_what_it_lacks_and_the_alert_is_withdrawn(files: Files) -> None:
    for name in ("a", "b", "c"):
        files.student(name)
    files.take([(name, day, "absent") for name in ("a", "b") for day in WEEK])
    files.post("c", MON, "tardy")
    eventually(lambda: len([one for one in files.alerts() if one["status"] == "open"]) == 2 or None, "two alerts")

    document = files.take([("a", day, "absent") for day in WEEK], "--snapshot")

    assert (document["retracted"], document["duplicate"]) == (5, 5)
    files.becomes("b")
    files.becomes("c", mon="tardy")
    eventually(
        lambda: sorted(one["status"] for one in files.alerts()) == ["open", "withdrawn"] or None, "one alert withdrawn"
    )
    assert files.take([("a", day, "absent") for day in WEEK], "--snapshot")["retracted"] == 0
    assert files.take([("b", MON, "absent")])["accepted"] == 1
    files.becomes("b", mon="absent")


def test_a_snapshot_leaves_what_http_said_and_with_all_it_does_not(files: Files) -> None:
    files.student("a")
    files.take([("a", MON, "absent"), ("a", TUE, "absent"), ("a", FRI, "present")])
    files.post("a", MON, "tardy")
    files.post("a", WED, "tardy")
    files.take([("a", FRI, "present")], "--snapshot")
    files.becomes("a", mon="tardy", wed="tardy", fri="present")

    files.take([("a", FRI, "present")], "--snapshot=all")
    files.becomes("a", fri="present")


def test_a_cut_file_takes_nothing_back_unless_it_is_confirmed(files: Files) -> None:
    names = [f"s{number}" for number in range(5)]
    for name in names:
        files.student(name)
    files.take([(name, day, "tardy") for name in names for day in WEEK])
    whole = [("s0", day, "tardy") for day in WEEK[:-1]] + [(name, FRI, "tardy") for name in names[:2]]

    document = files.take(whole, "--snapshot", "--yes")
    assert document["retracted"] == 19
    files.take([(name, day, "tardy") for name in names for day in WEEK])
    refused = files.take([("s0", FRI, "tardy")], "--snapshot", expect=5)
    assert refused["retracted"] == 0
    files.becomes("s1", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "tardy"))
    assert files.take([("s0", FRI, "tardy")], "--snapshot", "--yes")["retracted"] == 24


def test_nothing_is_taken_back_where_a_row_was_rejected(files: Files) -> None:
    files.student("a")
    files.take([("a", MON, "absent"), ("a", FRI, "absent")])
    document = files.take([("a", TUE, "ill"), ("a", FRI, "absent")], "--snapshot")

    assert document["retracted"] == 0
    assert any("Nothing was taken back at 1 schools" in warning for warning in document["warnings"])
    files.becomes("a", mon="absent", fri="absent")


def test_a_row_takes_back_what_was_said(files: Files) -> None:
    files.student("a")
    files.take([("a", MON, "absent"), ("a", TUE, "tardy")])
    assert files.take([("a", MON, "retracted"), ("a", WED, "retracted")])["accepted"] == 1
    files.becomes("a", tue="tardy")
    assert files.post("a", TUE, "retracted")["accepted"] == 1
    assert files.post("a", TUE, "retracted")["duplicate"] == 1
    files.becomes("a")


def test_a_corrected_entry_date_leaves_no_old_span(files: Files) -> None:
    files.student("a")
    files.take([("a", FRI, "absent")])
    files.enrolled("a", 5)
    files.student("a", entry=THU)
    document = files.take([("a", FRI, "absent")])
    assert document["reference"]["enrollments"] == {"accepted": 1}
    files.enrolled("a", 2)


@pytest.mark.parametrize(("means", "days"), [("last-day-in", 3), ("first-day-out", 2)])
def test_an_exit_date_is_what_the_import_says_it_is(files: Files, means: str, days: int) -> None:
    files.student("a", exit_=WED)
    files.student("b")
    files.take([("b", FRI, "absent")], "--exit-date", means)
    files.enrolled("a", days)


def test_a_student_follows_the_calendar_that_the_enrollment_names(files: Files) -> None:
    files.followed(early=[MON, TUE], late=[THU, FRI])
    files.student("a", calendar="early")
    files.student("b", calendar="late")
    files.student("c")
    files.take([("a", MON, "absent"), ("b", FRI, "absent")])
    files.enrolled("a", 2)
    files.enrolled("b", 2)
    files.enrolled("c", 4)


def test_without_a_calendar_no_rate_is_told_until_there_is_one(files: Files) -> None:
    names = [f"s{number}" for number in range(5)]
    for name in names:
        files.student(name)
    files.has_calendar = False
    rows = [(name, day, "absent") for name, day in zip(names, WEEK, strict=True)]
    document = files.take([*rows, ("s0", THU, "absent")])

    assert any("has neither calendar nor sessions" in warning for warning in document["warnings"])
    files.enrolled("s0", 5)
    assert files.window("s0")["absent_days"] == 2
    assert files.alerts() == []

    files.has_calendar = True
    document = files.take([*rows, ("s0", THU, "absent")])
    assert not any("has neither calendar nor sessions" in warning for warning in document["warnings"])
    files.enrolled("s0", 5)


def test_a_mark_by_http_that_counts_nowhere_says_so(files: Files) -> None:
    files.student("a", exit_=WED)
    files.take([("a", MON, "tardy")])
    warnings = [files.post("a", day, "tardy")["results"][0].get("warning") for day in (TUE, FRI, "2016-12-03")]
    assert warnings[0] is None
    assert "outside every enrollment" in warnings[1]
    assert "not instructional" in warnings[2]


def counted(system: System, school: str) -> list[tuple[str, int, int]]:
    """Head counts of a school's days on which anybody was seen."""
    address = str(system.where["database"]).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "SELECT date::text, absent, seen FROM ingest.school_days WHERE school_id = %s AND seen > 0 ORDER BY date",
            (school,),
        ).fetchall()
    return [(str(day), int(absent), int(seen)) for day, absent, seen in found]


@pytest.mark.parametrize("seed", range(2))
def test_a_snapshot_comes_to_the_same_as_a_fresh_import(
    system: System, ingest: httpx.Client, casework: httpx.Client, tmp_path: Path, seed: int
) -> None:
    random, names = Random(seed), ["a", "b", "c", "d"]
    cells = [(name, day) for name in names for day in WEEK]
    before, after = (
        [(name, day, random.choice(("absent", "tardy", "present"))) for name, day in random.sample(cells, 9)]
        for _ in range(2)
    )
    before.append(("a", FRI, "tardy"))
    after = [*(row for row in after if row[:2] != ("a", FRI)), ("a", FRI, "tardy")]
    corrected, fresh = (Files(system, ingest, casework, tmp_path / name) for name in ("corrected", "fresh"))
    for files in (corrected, fresh):
        for name in names:
            files.student(name)
    corrected.take(before)
    corrected.take(after, "--snapshot", "--yes")
    fresh.take(after)

    for name in names:
        eventually(
            lambda name=name: (
                corrected.window(name)["marks"] == of_school(fresh.window(name)["marks"], corrected) or None
            ),
            f"the windows of {name} are the same",
        )
        same = ("enrolled_days", "absent_days", "absence_rate")
        assert [corrected.window(name)[one] for one in same] == [fresh.window(name)[one] for one in same]
    assert counted(system, corrected.school) == counted(system, fresh.school)


def of_school(marks: list[Json], files: Files) -> list[Json]:
    return [{**mark, "school_id": files.school} for mark in marks]
