"""What a history takes from each file, and what is said of files that are missing or cannot be read."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.backtest.district import District
from models.enrollment import FOREVER
from models.policy import default_policy
from services.ingest.formats import FormatError, Rejection
from services.lab.year import agencies_of, read_history

_FILES = {
    "attendance.csv": "student_id,school_id,date,status\ns2,north,2025-10-27,absent\ns1,south,2025-10-28,tardy\n",
    "consents.csv": "student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n"
    "s1,A,A. Guardian,parent,2025-08-01,paper,attendance,homelessness-prevention,project-hope\n"
    "s2,A,A. Guardian,parent,2025-08-02,paper,attendance,homelessness-prevention,project-hope\n"
    "s3,A,A. Guardian,parent,2025-08-03,paper,attendance,homelessness-prevention,project-hope\n",
    "enrollments.csv": "student_id,school_id,entry_date,exit_date\n"
    "s1,south,2025-09-04,2025-12-01\ns1,south,2025-09-04,\ns2,north,2025-09-04,2026-01-05\ns9,west,2025-09-04,\n",
}


def _write(folder: Path, **more: str) -> Path:
    for name, text in {**_FILES, **{f"{name}.csv": text for name, text in more.items()}}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_households_and_groups_come_from_the_last_row_that_says_them(tmp_path: Path) -> None:
    students = (
        "student_id,household_id,gender,race_ethnicity,english_learner,special_education\n"
        "s1,h1,F,,true,\ns2,h1,,black,,false\ns1,,X,,,\ns9,h1,M,,,\n"
    )
    history = read_history(_write(tmp_path, students=students)).history

    assert history.student_ids == ("s1", "s2", "s3")
    assert history.household[0] == history.household[1] != history.household[2]
    assert history.groups == {
        "gender": ("X", "", ""),
        "race_ethnicity": ("", "black", ""),
        "english_learner": ("true", "", ""),
        "special_education": ("", "false", ""),
    }


def test_spans_are_those_of_consented_students_and_the_last_exit_holds(tmp_path: Path) -> None:
    history = read_history(_write(tmp_path)).history
    entry, exit_ = date(2025, 9, 4).toordinal(), date(2026, 1, 5).toordinal()

    assert history.schools == ("north", "south", "west")
    assert history.spans.student.tolist() == [0, 1]
    assert history.spans.school.tolist() == [1, 0]
    assert history.spans.entry.tolist() == [entry, entry]
    assert history.spans.exit.tolist() == [FOREVER, exit_]


def test_identified_are_consented_students_alone_and_an_unknown_kind_is_rejected(tmp_path: Path) -> None:
    outcomes = (
        "student_id,date,kind\ns2,2025-11-03,homelessness_identified\ns2,2025-11-03,homelessness_identified\n"
        "s1,2025-11-03,support_started\ns9,2025-11-04,homelessness_identified\ns1,2025-11-05,moved\n"
    )
    read = read_history(_write(tmp_path, outcomes=outcomes))

    assert read.history.identified_student.tolist() == [1]
    assert read.history.identified_day.tolist() == [date(2025, 11, 3).toordinal()]
    assert read.rejected == [
        Rejection(
            "outcomes.csv",
            6,
            "kind",
            "kind: expected one of homelessness_identified, support_started, support_ended",
        )
    ]


def test_a_day_that_the_calendar_says_is_closed_is_known_from_the_first_day(tmp_path: Path) -> None:
    calendar = (
        "school_id,date,instructional,reported\nnorth,2025-10-24,true,true\n"
        "north,2025-10-27,true,\nnorth,2025-10-30,true,true\n"
    )
    history = read_history(_write(tmp_path, calendar=calendar)).history
    first, closed = date(2025, 10, 27).toordinal(), date(2025, 10, 24).toordinal()

    north = history.calendar.school == history.schools.index("north")
    assert history.calendar.day[north].tolist() == [closed, first]  # the day to come was refused
    assert history.assumed == {history.schools.index("south")}
    assert history.closes.known_on.tolist() == [first, first, first + 1]
    assert history.closes.day.tolist() == [closed, first, first + 1]
    assert history.closes.expected.tolist() == [1, 1, 1]


def test_missing_files_unknown_columns_and_other_files_are_noted(tmp_path: Path) -> None:
    _write(tmp_path, calendar="school_id,date,instructional,weather\n", students="student_id\n", schools="school_id\n")
    (tmp_path / "events.xml").touch()
    (tmp_path / "grades.csv").write_text("student_id,course,term,grade\n")

    missing, unknown, unread, beside, agreement, *assumed = read_history(tmp_path).notes
    assert agreement.startswith("There is no agreement.toml: assumed are all schools and dates")
    assert [note.split(" ")[1] for note in assumed] == ["north", "south"]
    assert missing == "outcomes is missing: nobody is known to have been identified as homeless"
    assert unknown == "calendar.csv: not read are the unknown columns weather"
    assert unread.startswith("events.xml: not read: ")
    assert beside == "grades.csv: not read: a history is of attendance alone"


def _as(text: str, how: str) -> tuple[str, bytes]:
    """The suffix and the content of a table that was saved in another way."""
    if how == "gzip":
        return ".csv.gz", gzip.compress(text.encode())
    if how == "tabs":
        return ".txt", text.replace(",", "\t").encode()
    if how == "semicolons":
        return ".csv", ("sep=;\r\n" + text.replace(",", ";").replace("\n", "\r\n")).encode("utf-16")
    if how == "lone CR":
        return ".csv", text.replace("\n", "\r").encode()
    return ".csv", f"An export\n\n{text},,,\n,,,\n".encode()


@pytest.mark.parametrize("how", ["gzip", "tabs", "semicolons", "lone CR", "title and blank rows"])
def test_a_history_is_the_same_however_its_tables_were_saved(how: str, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    plain = read_history(_write(tmp_path / "plain")).history
    for name, text in _FILES.items():
        suffix, content = _as(text, how)
        (tmp_path / "other" / (name.removesuffix(".csv") + suffix)).write_bytes(content)
    other = read_history(tmp_path / "other")

    assert other.rejected == []
    assert repr(other.history) == repr(plain)


def test_a_history_of_ed_fi_attendance_is_that_of_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    plain = read_history(_write(tmp_path / "plain")).history
    (_write(tmp_path / "other") / "attendance.csv").unlink()
    events = [_event("s2", "north", "2025-10-27", "Unexcused Absence"), _event("s1", "south", "2025-10-28", "Tardy")]
    (tmp_path / "other" / "studentSchoolAttendanceEvents.json").write_text(json.dumps(events), encoding="utf-8")

    assert repr(read_history(tmp_path / "other").history) == repr(plain)


def test_a_history_of_another_systems_table_is_read_by_its_mapping(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    ends = _FILES["enrollments.csv"].replace("2025-12-01", "2025-12-02").replace("2026-01-05", "2026-01-06")
    plain = read_history(_write(tmp_path / "plain")).history
    export = _write(tmp_path / "other", enrollments=ends) / "attendance.csv"
    export.write_text("Pupil,School,On,What\ns2,north,10/27/2025,A\ns1,south,10/28/2025,T\n", encoding="utf-8")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'date_format = "%m/%d/%Y"\n[columns]\nstudent_id = "pupil"\nschool_id = "school"\ndate = "on"\n'
        'status = "what"\n[statuses]\nA = "absent"\nT = "tardy"\n',
        encoding="utf-8",
    )

    read = read_history(tmp_path / "other", mapping=mapping, first_day_out=True)
    assert repr(read.history) == repr(plain)


def _event(student: str, school: str, day: str, category: str) -> dict[str, object]:
    return {
        "studentReference": {"studentUniqueId": student},
        "schoolReference": {"schoolId": school},
        "eventDate": day,
        "attendanceEventCategoryDescriptor": f"uri://ed-fi.org/AttendanceEventCategoryDescriptor#{category}",
        "_lastModifiedDate": "2025-11-20T08:00:00Z",
    }


def test_progress_is_told_in_bytes_through_the_whole_file(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    read_history(_write(tmp_path), lambda *one: told.append(one))
    size = len(_FILES["attendance.csv"])

    assert told == [("attendance.csv", size, size)]


@pytest.mark.parametrize("name", _FILES)
def test_a_folder_without_a_file_that_a_history_needs_is_refused(name: str, tmp_path: Path) -> None:
    (_write(tmp_path) / name).unlink()

    with pytest.raises(FormatError, match=f"holds no {name.removesuffix('.csv')}"):
        read_history(tmp_path)


@pytest.mark.parametrize("name", _FILES)
def test_a_file_that_is_needed_and_has_another_header_is_refused(name: str, tmp_path: Path) -> None:
    _write(tmp_path, **{name.removesuffix(".csv"): "one,two\n1,2\n"})

    with pytest.raises(FormatError, match=f"{name}, line 1: header: expected the columns"):
        read_history(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is not a folder"):
        read_history(tmp_path / "nowhere")


def test_attendance_without_a_usable_row_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, attendance="student_id,school_id,date,status\ns1,north,2025-10-27,ill\n")

    with pytest.raises(FormatError, match="holds no attendance row that can be used"):
        read_history(tmp_path)


def test_a_history_without_a_consent_has_counts_and_nobody(tmp_path: Path) -> None:
    history = read_history(
        _write(
            tmp_path,
            consents="student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n",
        )
    ).history

    assert history.student_ids == ()
    assert len(history.marks.day) == 0
    assert history.counts.seen.tolist() == [1, 1]
    assert history.counts.absent.tolist() == [1, 0]


AGREEMENT = """
id = "DSA-1"
version = 1
effective_on = 2025-09-15
expires_on = 2026-06-30
destroy_by = 2026-12-31
party = [{id = "project-hope", name = "Hope", role = "agency"}, {id = "hearth", name = "Hearth", role = "agency"}]

[[disclosure]]
to = "project-hope"
purpose = "homelessness-prevention"
records = ["attendance"]
schools = ["north"]
form = "live"

[[disclosure]]
to = "hearth"
purpose = "homelessness-prevention"
records = ["attendance"]
schools = ["north", "south"]
form = "live"
"""


def _of_two_agencies(folder: Path) -> Path:
    """s1 goes from north to south and back; s2 is at south; the consents name both agencies."""
    weekdays = [date(2025, 10, 6) + timedelta(days=n) for n in range(19) if n % 7 < 5]
    calendar = "".join(f"{school},{day},true\n" for school in ("north", "south") for day in weekdays)
    at = {"s1": lambda day: "south" if day.day in range(13, 18) else "north", "s2": lambda _: "south"}
    marks = "".join(f"{one},{school(day)},{day},absent\n" for one, school in at.items() for day in weekdays)
    consents = "".join(
        f"{one},DSA-1,A. Guardian,parent,2025-08-01,paper,attendance,homelessness-prevention,project-hope;hearth\n"
        for one in at
    )
    (folder / "agreement.toml").write_text(AGREEMENT)
    return _write(
        folder,
        calendar="school_id,date,instructional\n" + calendar,
        attendance="student_id,school_id,date,status\n" + marks,
        consents="student_id,agreement_id,signed_by,relationship,signed_on,method,records,purpose,recipients\n"
        + consents,
        enrollments="student_id,school_id,entry_date,exit_date\n"
        "s1,north,2025-09-04,2025-10-12\ns1,south,2025-10-13,2025-10-17\ns1,north,2025-10-18,\n"
        "s2,south,2025-09-04,\n",
    )


def test_each_agency_of_the_agreement_has_a_history_of_its_own(tmp_path: Path) -> None:
    folder = _of_two_agencies(tmp_path)
    assert agencies_of(folder) == ("project-hope", "hearth")
    hopes, hearths = (read_history(folder, agency=agency) for agency in agencies_of(folder))
    assert repr(read_history(folder).history) == repr(hopes.history)
    assert len(hopes.history.marks.day) == 10
    assert len(hearths.history.marks.day) == 30
    assert "Of 2 agencies this is what hearth gets." in hearths.notes
    with pytest.raises(FormatError, match="to the agency hope by the agreement; it does to: project-hope, hearth"):
        read_history(folder, agency="hope")


def test_days_at_a_school_that_is_not_shared_are_there_without_the_school(tmp_path: Path) -> None:
    folder = _of_two_agencies(tmp_path)
    hopes, hearths = (read_history(folder, agency=agency).history for agency in agencies_of(folder))
    first, away, back = (date(2025, *day).toordinal() for day in ((9, 15), (10, 13), (10, 18)))
    assert hopes.unshared is not None
    assert hopes.unshared.student.tolist() == [0, 1]
    assert list(zip(hopes.unshared.entry, hopes.unshared.exit, strict=True)) == [
        (away, back - 1),
        (first, date(2026, 6, 30).toordinal()),
    ]
    assert hopes.spans.entry.tolist() == [first, back]
    assert hearths.unshared is not None
    assert len(hearths.unshared.entry) == 0


def test_students_who_follow_a_calendar_of_their_own_have_its_days_in_the_backtest_too(tmp_path: Path) -> None:
    days = [f"2025-10-{day}" for day in (20, 21, 22, 23, 24)]
    rows = [
        (track, day, str(number < 2 if track == "early" else number > 2))
        for track in ("early", "late")
        for number, day in enumerate(days)
    ]
    calendar = "school_id,date,instructional,calendar\n" + "".join(f"north,{d},{o},{t}\n" for t, d, o in rows)
    enrollments = (
        "student_id,school_id,entry_date,calendar\ns1,north,2025-09-04,early\ns2,north,2025-09-04,late\n"
        "s3,north,2025-09-04,\n"
    )
    attendance = "student_id,school_id,date,status\ns1,north,2025-10-20,absent\ns2,north,2025-10-24,absent\n"
    folder = _write(tmp_path, calendar=calendar, enrollments=enrollments, attendance=attendance)
    district = District(read_history(folder).history, default_policy())
    for day in range(date(2025, 10, 20).toordinal(), date(2025, 10, 26).toordinal()):
        year = district.learn(day)
        assert year is not None
        year.cohort.evaluate_all()
    assert year.cohort.ledger.length[:3].tolist() == [2, 2, 4]
