"""What one reader sees of a folder's students: shared kinds alone, as they were known on a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.engagement.judgement import Engagement
from models.engagement.policy import engagement_policy
from services.lab.engagement.folder import EngagementQuestion, FolderEngagement, engagement_of
from services.lab.engagement.readership import NoReaderError
from tests.unit.lab.engagement import district
from tests.unit.lab.engagement.district import SCHOOL_DAYS, absences, consent

GRADES = ["student_id,course,term,grade"]
COURSES = ["student_id,course,title,subject,term", "S1,M,Math 7,mathematics,Q1", "S1,M,Math 7,mathematics,Q2"]
TERMS = [
    "term,start_date,end_date,grade_scale_max",
    "Q1,2026-09-01,2026-09-15,100",
    "Q2,2026-09-16,2026-09-25,100",
    "Q3,2026-09-26,2026-12-18,100",
]
SUSPENSIONS = ["student_id,date,days,in_school"]


def ask(folder: Path, **asked: object) -> FolderEngagement:
    return engagement_of(EngagementQuestion(folder, engagement_policy(), **asked))


def parts(engagement: Engagement) -> tuple[str, ...]:
    return tuple(engagement.parts.values())


def test_a_kind_is_shared_by_the_students_own_consent_for_the_readers_purpose(tmp_path: Path) -> None:
    folder = district.write(
        tmp_path,
        consents=[
            consent("S1"),
            consent("S2", "suspensions"),
            consent("S3", to="lead"),
            consent("S3", purpose="evaluation"),
        ],
        attendance=absences("S1", [3, 4, 5]),
        suspensions=[*SUSPENSIONS, "S2,2026-09-10,1,true", "S3,2026-09-10,1,true"],
        grades=GRADES,
    )
    found = ask(folder)
    assert (found.readership, found.as_of) == (("hope", "prevention"), SCHOOL_DAYS[19])
    assert {student: parts(one) for student, one in found.students.items()} == {
        "S1": ("off_track", "on_track", "no_data"),
        "S2": ("not_shared", "off_track", "not_shared"),
    }
    assert [one.level for one in found.students.values()] == ["off_track", "off_track"]


def test_another_reader_is_chosen_and_aggregates_are_no_rows(tmp_path: Path) -> None:
    to_lead = consent("S1", to="lead", purpose="evaluation")
    folder = district.write(tmp_path, consents=[to_lead, consent("S2")], attendance=absences("S1", [3]), grades=GRADES)
    found = ask(folder, recipient="lead")
    assert found.readership == ("lead", "evaluation")
    assert {student: parts(one) for student, one in found.students.items()} == {
        "S1": ("on_track", "not_shared", "no_data")
    }
    with pytest.raises(NoReaderError, match="hope for prevention, lead for evaluation"):
        ask(folder, purpose="marketing")


def test_days_of_the_rate_are_those_enrolled_consented_and_reported(tmp_path: Path) -> None:
    folder = district.write(
        tmp_path,
        consents=[consent("S1", on=SCHOOL_DAYS[5]), consent("S2"), consent("S3")],
        enrollments=["S1,king,2026-09-01,", f"S2,king,2026-09-01,{SCHOOL_DAYS[9]}", f"S3,king,{SCHOOL_DAYS[11]},"],
        attendance=[*absences("S1", [0, 6]), *absences("S2", [0, 15]), *absences("S3", [12])],
    )
    found = ask(folder).students
    assert "Absent on 1 of 15 school days" in found["S1"].areas[0].text
    assert "Absent on 1 of 10 school days" in found["S2"].areas[0].text
    assert (found["S2"].parts["attendance"], found["S3"].parts["attendance"]) == ("sliding", "no_data")


def test_sections_make_one_day_and_any_reason_counts(tmp_path: Path) -> None:
    rows = [
        f"S1,king,{SCHOOL_DAYS[day]},{status},true,{section}"
        for day, said in ((2, "aap"), (3, "app"), (4, "a"))
        for section, status in enumerate({"a": "absent", "p": "present"}[one] for one in said)
    ]
    folder = district.write(tmp_path, consents=[consent("S1")])
    table = ["student_id,school_id,date,status,excused,section_id", *rows, f"S9,king,{SCHOOL_DAYS[19]},present,,"]
    (folder / "attendance.csv").write_text("\n".join(table) + "\n")
    assert ask(folder).students["S1"].areas[0].dates == (SCHOOL_DAYS[2], SCHOOL_DAYS[4])


def test_marks_are_of_terms_that_have_ended_and_the_last_row_of_a_key_holds(tmp_path: Path) -> None:
    grades = [*GRADES, "S1,M,Q1,F", "S1,M,Q1,B", "S1,M,Q2,F", "S1,M,Q3,A", "S2,M,Q2,F"]
    folder = district.write(
        tmp_path, consents=[consent("S1"), consent("S2")], grades=grades, courses=COURSES, terms=TERMS
    )

    def courses(as_of: date) -> tuple[str, ...]:
        return tuple(one.parts["courses"] for one in ask(folder, as_of=as_of).students.values())

    assert courses(date(2026, 9, 14)) == ("no_data", "no_data")
    assert courses(date(2026, 9, 15)) == ("on_track", "no_data")
    assert courses(date(2026, 9, 25)) == ("off_track", "on_track")  # of the other one no subject is known
    assert courses(date(2026, 12, 18)) == ("on_track", "on_track")


def test_what_lies_outside_consent_or_shared_enrollment_is_not_seen(tmp_path: Path) -> None:
    folder = district.write(
        tmp_path,
        consents=[consent("S1", on=date(2026, 9, 15)), consent("S2"), consent("S3", until="2026-09-18")],
        enrollments=[
            "S1,king,2026-09-01,",
            "S2,king,2026-09-10,",
            "S2,other,2026-09-01,2026-09-09",
            "S3,king,2026-09-01,",
        ],
        suspensions=[*SUSPENSIONS, "S1,2026-09-14,1,", "S2,2026-09-08,1,", "S3,2026-09-14,1,"],
    )
    behaviour = {student: one.parts["behaviour"] for student, one in ask(folder).students.items()}
    assert behaviour == {"S1": "on_track", "S2": "on_track"}
    assert ask(folder, as_of=date(2026, 9, 18)).students["S3"].parts["behaviour"] == "off_track"


def test_no_file_of_suspensions_is_not_the_same_as_none_on_file(tmp_path: Path) -> None:
    without = district.write(tmp_path / "without", consents=[consent("S1")])
    empty = district.write(tmp_path / "empty", consents=[consent("S1")], suspensions=SUSPENSIONS)
    assert ask(without).students["S1"].parts["behaviour"] == "no_data"
    assert ask(empty).students["S1"].parts["behaviour"] == "on_track"


def test_without_a_calendar_no_rate_is_judged_which_is_said(tmp_path: Path) -> None:
    folder = district.write(tmp_path, consents=[consent("S1")], attendance=absences("S1", range(10)))
    (folder / "calendar.csv").unlink()
    found = ask(folder)
    assert found.students["S1"].parts["attendance"] == "no_data"
    assert any("king has neither calendar nor sessions" in note for note in found.notes)


def test_a_bad_row_is_named_by_file_and_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = district.write(
        tmp_path, consents=[consent("S1")], suspensions=[*SUSPENSIONS, "S1,yesterday,1,", "S1,2026-09-10,1,"]
    )
    found = ask(folder)
    assert [(one.file, one.line, one.field) for one in found.rejected] == [("suspensions.csv", 2, "date")]
    assert found.students["S1"].parts["behaviour"] == "off_track"


def test_without_attendance_in_scope_the_other_kinds_are_judged(tmp_path: Path) -> None:
    folder = district.write(tmp_path, consents=[consent("S1")], suspensions=SUSPENSIONS)
    (folder / "attendance.csv").write_text(f"student_id,school_id,date,status\nS9,other,{SCHOOL_DAYS[3]},present\n")
    found = ask(folder, as_of=SCHOOL_DAYS[10])
    assert parts(found.students["S1"]) == ("no_data", "on_track", "no_data")
