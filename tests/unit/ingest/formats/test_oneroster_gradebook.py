"""Courses and grades of OneRoster 1.2."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.ingest.formats import Item, Rejection, Source, open_sources
from services.ingest.rows.records import CourseRow, GradeRow, Record, TermRow

FILES = {
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\no1,,,Dearborn,school,455,\n",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,identifier\n"
    "u1,,,true,a,,Ana,Lopez,604821\nu2,,,true,b,,Ben,Okafor,\nu3,tobedeleted,,true,c,,Cy,Gone,\n",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,"
    "schoolYear\nq1,,,Q1,gradingPeriod,2021-09-06,2021-11-13,,2022\nq2,,,Q2,gradingPeriod,2021-11-15,2022-01-29,,2022\n"
    "old,,,Q1,gradingPeriod,2020-09-06,2020-11-13,,2021\nx,tobedeleted,,Q3,term,2021-09-06,2021-11-13,,2022\n",
    "courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,"
    'subjects,subjectCodes\nk1,,,,Algebra I,ALG-1,,o1,"Mathematics,Algebra",\nk2,,,,Art,,,o1,,\n',
    "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
    'schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\nc1,,,Algebra P1,,k1,,scheduled,,o1,"q1,q2",,,\n'
    "c2,,,Art P2,,k2,,scheduled,,o1,q1,Fine Arts,,\n",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
    "beginDate,endDate\ne1,,,c1,o1,u1,student,,2021-09-07,2021-12-01\ne2,,,c2,o1,u2,student,,,\n"
    "e3,,,c1,o1,u2,teacher,,,\ne4,,,c9,o1,u1,student,,,\ne5,,,c1,o1,u3,student,,,\n",
    "categories.csv": "sourcedId,status,dateLastModified,title,weight\nhw,,,Homework,\ntg,,,Term Grade,\n",
    "lineItems.csv": "sourcedId,status,dateLastModified,title,description,assignDate,dueDate,classSourcedId,"
    "categorySourcedId,gradingPeriodSourcedId,academicSessionSourcedId,schoolSourcedId,resultValueMin,resultValueMax\n"
    "l1,,,Sheet 1,,,,c1,hw,q1,,o1,0,10\nl2,,,Grade,,,,c1,tg,q1,,o1,0,100\nl3,,,Grade,,,,c1,tg,,q2,o1,0,100\n"
    "l4,,,Grade,,,,c2,tg,,,o1,0,100\n",
    "results.csv": "sourcedId,status,dateLastModified,lineItemSourcedId,studentSourcedId,scoreStatus,score,textScore,"
    "scoreDate,comment\nr1,,,l1,u1,fully graded,7,,2021-10-01,\nr2,,,l2,u1,fully graded,88.5,,2021-11-12,good\n"
    "r3,,,l3,u1,fully graded,91,A-,2022-01-28,\nr4,,,l4,u2,fully graded,70,Pass,2021-11-12,\n"
    "r5,,,l2,u2,submitted,,,2021-11-12,\nr6,,,l2,u9,fully graded,1,,2021-11-12,\n"
    "r7,tobedeleted,,l2,u1,fully graded,1,,2021-11-12,\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def rows(source: Source, name: str) -> list[Record]:
    return [one.row for one in source.records(name) if isinstance(one, Item)]


def faults(source: Source, name: str) -> list[tuple[str, int, str | None]]:
    return [(one.file, one.line, one.field) for one in source.records(name) if isinstance(one, Rejection)]


def test_a_student_of_a_class_is_in_its_course(folder: Path) -> None:
    source = open_sources([folder])
    assert rows(source, "courses") == [
        CourseRow(
            "604821", "ALG-1", "", "Algebra I", "Mathematics", None, date(2021, 9, 7), date(2021, 11, 30)
        ),  # of two terms
        CourseRow("u2", "k2", "Q1 2022", "Art", "Fine Arts", None, date(2021, 9, 6), date(2021, 11, 12)),
    ]
    assert faults(source, "courses") == [("enrollments.csv", 5, "classSourcedId")]


def test_grades_are_the_results_of_line_items_whose_category_says_so(folder: Path) -> None:
    source = open_sources([folder])
    assert rows(source, "grades") == [
        GradeRow("604821", "ALG-1", "Q1 2022", "88.5"),
        GradeRow("604821", "ALG-1", "Q2 2022", "A-"),
        GradeRow("u2", "k2", "Q1 2022", "70"),
    ]
    assert faults(source, "grades") == [("results.csv", 7, "studentSourcedId")]
    assert "results.csv: 1 results not read: of line items that are no class's grade for a term" in source.warnings
    assert "results.csv: 1 results not read: not fully graded" in source.warnings


def test_terms_are_named_with_their_year_and_have_the_scale_of_their_grades(folder: Path) -> None:
    terms = [one.row for one in open_sources([folder]).terms() if isinstance(one, Item)]
    assert terms == [
        TermRow("Q1 2022", date(2021, 9, 6), date(2021, 11, 12), Decimal(100)),
        TermRow("Q2 2022", date(2021, 11, 15), date(2022, 1, 28), Decimal(100)),
        TermRow("Q1 2021", date(2020, 9, 6), date(2020, 11, 12)),
    ]


def test_terms_of_one_name_with_other_days_are_told_apart(folder: Path) -> None:
    path = folder / "academicSessions.csv"
    path.write_text(FILES["academicSessions.csv"] + "q1b,,,Q1,gradingPeriod,2021-09-13,2021-11-20,,2022\n")
    terms = [one.row.term for one in open_sources([folder]).terms() if isinstance(one, Item)]
    assert terms == ["Q1 2022 (q1)", "Q2 2022", "Q1 2021", "Q1 2022 (q1b)"]


def test_where_no_category_says_so_the_only_line_item_of_a_class_and_term_is_its_grade(folder: Path) -> None:
    (folder / "categories.csv").write_text(FILES["categories.csv"].replace("Term Grade", "Tests"))
    source = open_sources([folder])
    assert rows(source, "grades") == [
        GradeRow("604821", "ALG-1", "Q2 2022", "A-"),
        GradeRow("u2", "k2", "Q1 2022", "70"),
    ]
    assert any(warning.startswith("results.csv: 4 results not read") for warning in source.warnings)


def test_of_two_grades_of_a_class_and_term_none_is_taken(folder: Path) -> None:
    (folder / "lineItems.csv").write_text(FILES["lineItems.csv"] + "l5,,,Again,,,,c1,tg,q1,,o1,0,4\n")
    source = open_sources([folder])
    assert GradeRow("604821", "ALG-1", "Q1 2022", "88.5") not in rows(source, "grades")


def test_the_scale_of_a_term_is_unknown_where_its_line_items_differ(folder: Path) -> None:
    changed = FILES["lineItems.csv"].replace("l4,,,Grade,,,,c2,tg,,,o1,0,100", "l4,,,Grade,,,,c2,tg,,,o1,0,4")
    (folder / "lineItems.csv").write_text(changed)
    scales = {one.row.term: one.row.grade_scale_max for one in open_sources([folder]).terms() if isinstance(one, Item)}
    assert scales == {"Q1 2022": None, "Q2 2022": Decimal(100), "Q1 2021": None}


def test_rows_that_are_looked_up_and_cannot_be_used_are_told(folder: Path) -> None:
    (folder / "classes.csv").write_text(FILES["classes.csv"] + ",,,No id,,k1,,,,o1,q1,,,\n")
    (folder / "lineItems.csv").write_text(FILES["lineItems.csv"] + "l6,,,Grade,,,,c1,tg,q1,,o1,0,much\n")
    source = open_sources([folder])
    assert ("classes.csv", 4, "sourcedId") in faults(source, "courses")
    assert ("lineItems.csv", 6, "resultValueMax") in faults(source, "grades")


@pytest.mark.parametrize("missing", ["classes.csv", "lineItems.csv", "results.csv"])
def test_files_of_no_use_without_others_are_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    source = open_sources([folder])
    assert rows(source, "grades") == []
    assert source.not_read
    assert all("together" in one.hint for one in source.not_read)


def test_each_file_is_read_once_of_the_bytes_that_are_told(folder: Path) -> None:
    source = open_sources([folder])
    for found in (source.schools(), source.students(), source.enrollments(), source.school_days(), source.terms()):
        assert list(found)
    for name in ("courses", "grades"):
        assert list(source.records(name))
    assert source.bytes_read == source.size()


def test_the_courses_of_an_export_set_are_told_from_those_of_a_roster(tmp_path: Path) -> None:
    (tmp_path / "courses.csv").write_text("student_id,course,term\nS1,ALG-1,Q1\n")
    assert rows(open_sources([tmp_path]), "courses") == [CourseRow("S1", "ALG-1", "Q1")]
