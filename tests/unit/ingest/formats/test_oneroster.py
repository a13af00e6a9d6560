"""Rosters of OneRoster 1.2 and 1.1."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.ingest.formats import Item, Rejection, open_sources
from services.ingest.rows.parse import EnrollmentRow, SchoolRow, StudentRow

FILES = {
    "manifest.csv": "propertyName,value\noneroster.version,1.2\n",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
    "d,active,,District,district,1,\no1,,,Dearborn,school,0455,d\no2,,,Winthrop,school,,d\n"
    "o3,tobedeleted,,Old,school,,d\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,"
    "identifier,email,grades\n"
    'u1,,,true,a,,Ana,Lopez,,604821,a@x.example,"05,06"\nu2,,,true,b,,Ben,Okafor,,,,\nt1,,,true,t,,Tom,Lee,,,,\n'
    "u3,tobedeleted,,true,c,,Cy,Gone,,7,,\n",
    "roles.csv": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
    "r1,,,u1,primary,student,2021-09-01,2022-07-01,o1\nr2,,,t1,primary,teacher,,,o1\nr3,,,u1,primary,student,,,d\n",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate\n"
    "e1,,,c1,o2,u2,student,,2021-10-01,2022-01-20\ne2,,,c2,o2,u2,student,,,2022-02-01\ne3,,,c1,o2,t1,teacher,,,\n"
    "e4,,,c1,o2,u9,student,,2021-10-01,\ne5,,,c1,o9,u2,student,,2021-10-01,\n"
    "e6,,,c1,o2,u2,student,,2021-10-05,2021-10-05\ne7,tobedeleted,,c1,o2,u2,student,,2020-10-01,\n"
    "e8,,,c1,o2,u3,student,,2021-10-01,\ne9,,,c1,o3,u2,student,,2021-10-01,\n",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,"
    "schoolYear\n"
    "y,,,2021,schoolYear,2021-09-06,2022-07-01,,2022\nf,,,Fall,term,2021-09-07,2021-09-11,y,2022\n"
    "x,,,Odd,term,2021-09-07,2021-09-07,y,2022\n",
    "classes.csv": "sourcedId,title\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_schools_are_the_orgs_of_that_type_by_identifier_else_sourced_id(folder: Path) -> None:
    schools = [one.row for one in open_sources([folder]).schools() if isinstance(one, Item)]
    assert schools == [SchoolRow("0455", "Dearborn"), SchoolRow("o2", "Winthrop")]


def test_students_are_the_users_with_that_role_anywhere(folder: Path) -> None:
    students = [one.row for one in open_sources([folder]).students() if isinstance(one, Item)]
    assert students == [
        StudentRow("604821", "Ana", "Lopez", grade="05"),
        StudentRow("u2", "Ben", "Okafor"),
    ]


def test_classes_of_a_school_are_one_enrollment_whose_last_day_is_before_the_end_date(folder: Path) -> None:
    found = list(open_sources([folder]).enrollments())

    assert [one.row for one in found if isinstance(one, Item)] == [
        EnrollmentRow("u2", "o2", date(2021, 9, 6), date(2022, 1, 31)),
        EnrollmentRow("604821", "0455", date(2021, 9, 1), date(2022, 6, 30), grade="05"),
    ]
    rejections = [one for one in found if isinstance(one, Rejection)]
    assert [(one.file, one.line, one.field) for one in rejections] == [
        ("enrollments.csv", 5, "userSourcedId"),
        ("enrollments.csv", 6, "schoolSourcedId"),
        ("enrollments.csv", 7, "endDate"),
    ]
    assert not any("u9" in one.reason or "o9" in one.reason for one in rejections)


def test_terms_are_sessions_of_every_school(folder: Path) -> None:
    found = list(open_sources([folder]).school_days())
    days = [one.row for one in found if isinstance(one, Item)]

    assert {day.school_id for day in days} == {"0455", "o2"}
    assert {day.date for day in days} == {date(2021, 9, day) for day in (7, 8, 9, 10)}
    assert [(one.line, one.field) for one in found if isinstance(one, Rejection)] == [(4, "endDate")]


def test_files_of_which_nothing_is_imported_are_named(folder: Path) -> None:
    assert [one.file for one in open_sources([folder]).not_read] == ["classes.csv", "manifest.csv"]


def test_a_user_of_the_older_version_has_the_role_in_the_row(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(
        "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
        "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password\n"
        "u1,,,true,o1,student,a,,Ana,Lopez,,604821,,,,,6,\nt1,,,true,o1,teacher,t,,Tom,Lee,,,,,,,,\n"
    )
    students = [one.row for one in open_sources([tmp_path]).students() if isinstance(one, Item)]
    assert students == [StudentRow("604821", "Ana", "Lopez", grade="6")]
