"""What Ed-Fi says beside attendance."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.ingest.formats import FormatError, Item, Rejection, Source, open_sources
from services.ingest.rows.records import (
    AssessmentRow,
    CourseRow,
    DemographicsRow,
    GradeRow,
    GraduationRow,
    ProgramRow,
    Record,
    SuspensionRow,
    TermRow,
)
from tests.unit.ingest.formats import edfi_record_files as files
from tests.unit.ingest.formats.edfi_record_files import descriptor

FALL = "2021-2022 Fall at 255"
QUARTER = "Q1, First Quarter, 2022 at 255"


def rows(source: Source, name: str) -> list[Record]:
    return [one.row for one in source.records(name) if isinstance(one, Item)]


def rejections(source: Source, name: str) -> list[Rejection]:
    return [one for one in source.records(name) if isinstance(one, Rejection)]


def mapped(folder: Path, text: str) -> Source:
    mapping = folder.parent / "mapping.toml"
    mapping.write_text(text, encoding="utf-8")
    return open_sources([folder], mapping)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "export"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demographics", [DemographicsRow("S1", "Female", "Asian", english_learner=True, special_education=True)] * 2),
        ("programs", [ProgramRow("S1", "Special Education", date(2021, 8, 30))]),
        (
            "courses",
            [CourseRow("S1", "ALG", FALL, "Algebra", "Mathematics", "honors", date(2021, 8, 23), date(2021, 12, 17))],
        ),
        ("grades", [GradeRow("S1", "ALG", QUARTER, "88.5")]),
        ("assessments", [AssessmentRow("S1", "MCAS-8-MATH", date(2022, 5, 3), Decimal(498), "Met Standard")]),
        ("suspensions", [SuspensionRow("S1", date(2022, 1, 18), Decimal("2.5"), in_school=False, action="18")]),
        (
            "graduations",
            [
                GraduationRow("S1", 2022, "graduated", date(2022, 6, 3)),
                GraduationRow("S1", 2023, "transferred", date(2022, 5, 27)),
            ],
        ),
    ],
)
def test_an_ods_says_each_kind_in_collections_of_its_own(folder, name, expected):
    source = open_sources([files.write_json(folder, **files.JSON)])
    assert rows(source, name) == expected
    assert not rejections(source, name)


@pytest.mark.parametrize("collection", sorted(set(files.JSON) - {"studentSpecialEducationProgramAssociations"}))
def test_the_content_tells_a_collection_that_the_name_does_not(folder, collection):
    (folder / "page.json").write_text(json.dumps(files.JSON[collection]))
    assert open_sources([folder]).readers.inputs()


def test_pages_say_what_they_hold(folder):
    (folder / "page.json").write_text(json.dumps(files.JSON))
    source = open_sources([folder])
    assert len(rows(source, "grades")) == len(rows(source, "suspensions")) == len(rows(source, "programs")) == 1


def test_grades_and_courses_meet_at_the_course_and_terms_are_named_alike(folder):
    files.write_xml(
        folder,
        EducationOrganization=files.CATALOGUE,
        EducationOrgCalendar=files.TERMS,
        MasterSchedule=files.SCHEDULE,
        StudentEnrollment=files.in_section("S1", "ALG", "ALG-1"),
        StudentGrade=files.grade("S1", "<LetterGradeEarned>b+</LetterGradeEarned>"),
    )
    source = open_sources([folder])

    assert rows(source, "courses") == [
        CourseRow("S1", "ALG", FALL, "Algebra", "Mathematics", "honors", date(2021, 8, 23), date(2021, 12, 17))
    ]
    assert rows(source, "grades") == [GradeRow("S1", "ALG", QUARTER, "B+")]
    assert [one.row for one in source.terms() if isinstance(one, Item)] == [
        TermRow(FALL, date(2021, 8, 23), date(2021, 12, 17)),
        TermRow(QUARTER, date(2021, 8, 23), date(2021, 10, 29)),
    ]


def test_xml_and_json_name_terms_alike(folder):
    source = open_sources([files.write_json(folder, **files.JSON)])
    assert {one.row.term for one in source.terms() if isinstance(one, Item)} == {FALL, QUARTER}


def test_before_5_0_a_grading_period_has_a_number_in_place_of_a_name(folder):
    (period,) = files.JSON["gradingPeriods"]
    numbered = {**period, "gradingPeriodName": None, "periodSequence": 1}
    source = open_sources([files.write_json(folder, gradingPeriods=[numbered, {**numbered, "periodSequence": 2}])])
    assert [one.row.term for one in source.terms() if isinstance(one, Item)] == [
        "First Quarter, 1, 2022 at 255",
        "First Quarter, 2, 2022 at 255",
    ]


def test_a_course_that_no_catalogue_has_is_read_all_the_same(folder):
    dual = "<DualCredit><DualCreditIndicator>true</DualCreditIndicator></DualCredit>"
    source = open_sources([files.write_xml(folder, StudentEnrollment=files.in_section("S1", "ART", "1", dual))])
    assert rows(source, "courses") == [
        CourseRow("S1", "ART", FALL, level="dual", start_date=date(2021, 8, 23), end_date=date(2021, 12, 17))
    ]


def test_what_of_the_catalogue_cannot_be_used_is_told_once_with_the_courses(folder):
    files.write_xml(
        folder,
        MasterSchedule=f"<Section>{files.offering_reference('ALG')}</Section>",
        StudentEnrollment=files.in_section("S1", "ALG", "1"),
    )
    (found,) = rejections(open_sources([folder]), "courses")
    assert (found.file, found.line, found.field) == ("MasterSchedule.xml", 3, "section_id")


def test_grades_of_one_type_are_read_and_the_others_are_told(folder):
    mark = "<NumericGradeEarned>63.00</NumericGradeEarned>"
    files.write_xml(
        folder,
        EducationOrgCalendar=files.TERMS,
        StudentGrade=files.grade("S1", mark) + files.grade("S2", mark, "Semester") + files.grade("S3", mark, "Final"),
    )
    source = open_sources([folder])
    assert [row.student_id for row in rows(source, "grades")] == ["S1"]
    assert any("StudentGrade.xml: 2 Grade not read" in warning for warning in source.warnings)

    source = mapped(folder, 'grade_type = "semester"\ngrade_scale_max = 100\n')
    assert [row.student_id for row in rows(source, "grades")] == ["S2"]
    assert {one.row.grade_scale_max for one in source.terms() if isinstance(one, Item)} == {Decimal(100)}


@pytest.mark.parametrize("mark", ["", "<LetterGradeEarned>Satisfactory</LetterGradeEarned>"])
def test_a_grade_that_is_no_mark_is_rejected_with_its_line(folder, mark):
    files.write_xml(folder, StudentGrade=files.grade("S1", mark) + "\n" + files.grade("S1", "<X/>"))
    first, second = rejections(open_sources([folder]), "grades")
    assert [(one.line, one.field) for one in (first, second)] == [(3, "grade"), (4, "grade")]
    assert "Satisfactory" not in first.reason


def test_races_are_one_word(folder):
    def race(*codes: str) -> str:
        return "".join(f"<Race>{descriptor('Race', code)}</Race>" for code in codes)

    hispanic = "<HispanicLatinoEthnicity>1</HispanicLatinoEthnicity>"
    people = [race("White"), race("White", "Asian"), race("White") + hispanic, race("Choose Not to Respond"), hispanic]
    files.write_xml(
        folder,
        StudentEnrollment="".join(
            files.described(f"S{n}", f"<Sex>{descriptor('Sex', 'Male')}</Sex>", one) for n, one in enumerate(people)
        ),
    )
    found = rows(open_sources([folder]), "demographics")
    assert [row.race_ethnicity for row in found if isinstance(row, DemographicsRow)] == [
        "White",
        "Two or more races",
        "Hispanic or Latino",
        None,
        "Hispanic or Latino",
    ]


def test_an_association_that_says_nothing_of_demographics_is_told_and_not_read(folder):
    source = open_sources([files.write_xml(folder, StudentEnrollment=files.described("S1"))])
    assert rows(source, "demographics") == []
    assert any("1 StudentEducationOrganizationAssociation not read" in warning for warning in source.warnings)


@pytest.mark.parametrize(
    ("code", "learner"),
    [("Limited", True), ("Limited Monitored 1", False), ("NotLimited", False), ("State code", True)],
)
def test_english_learners_are_those_of_limited_proficiency(folder, code, learner):
    said = descriptor("LimitedEnglishProficiency", code)
    files.write_xml(
        folder,
        StudentEnrollment=files.described("S1", f"<LimitedEnglishProficiency>{said}</LimitedEnglishProficiency>"),
    )
    source = mapped(folder, '[english_proficiencies]\n"State code" = true\n')
    assert rows(source, "demographics") == [DemographicsRow("S1", english_learner=learner)]


def test_special_education_comes_with_the_rest_of_a_students_demographics_or_alone(folder):
    element = "StudentSpecialEducationProgramAssociation"
    left = "<SpecialEducationExitDate>2021-10-01</SpecialEducationExitDate>"
    sex = f"<Sex>{descriptor('Sex', 'Male')}</Sex>"
    files.write_xml(
        folder,
        StudentEnrollment=files.described("S1", sex) + files.described("S2", sex) + files.described("S3", sex),
        StudentProgram="".join(
            [
                files.program(element, "S1", "Special Education"),
                files.program(element, "S2", "Special Education", left),
                files.program(element, "S4", "Special Education"),
            ]
        ),
    )
    source = open_sources([folder])
    assert rows(source, "demographics") == [
        DemographicsRow("S1", "Male", special_education=True),
        DemographicsRow("S2", "Male", special_education=False),
        DemographicsRow("S3", "Male"),
        DemographicsRow("S1", "Male", special_education=True),
        DemographicsRow("S2", "Male", special_education=False),
        DemographicsRow("S4", special_education=True),
    ]
    assert source.bytes_read < source.size()  # looks into other files do not count


def test_what_district_and_school_say_of_one_student_is_one_row(folder):
    files.write_xml(
        folder,
        StudentEnrollment="".join(
            [
                files.described(
                    "S1",
                    f"<Race>{descriptor('Race', 'White')}</Race>",
                    "<HispanicLatinoEthnicity>1</HispanicLatinoEthnicity>",
                ),
                files.described(
                    "S1", f"<Sex>{descriptor('Sex', 'Female')}</Sex>", f"<Race>{descriptor('Race', 'White')}</Race>"
                ),
            ]
        ),
    )
    assert rows(open_sources([folder]), "demographics") == [DemographicsRow("S1", "Female", "Hispanic or Latino")] * 2


def test_no_homeless_student_is_read_as_one_of_a_programme(folder):
    files.write_xml(
        folder,
        StudentProgram="".join(
            [
                files.program("StudentHomelessProgramAssociation", "S1", "Support"),
                files.program("StudentProgramAssociation", "S2", "Homeless"),
                files.program("StudentProgramAssociation", "S3", "McKinney-Vento services"),
                files.program("StudentTitleIPartAProgramAssociation", "S4", "Title I Part A"),
            ]
        ),
    )
    source = open_sources([folder])
    assert rows(source, "programs") == [ProgramRow("S4", "Title I Part A", date(2021, 8, 30))]
    assert "StudentProgram.xml: not read are the elements StudentHomelessProgramAssociation" in source.warnings
    assert "StudentProgram.xml: 2 StudentProgramAssociation not read: a programme for homeless students" in (
        source.warnings
    )


@pytest.mark.parametrize("name", ["studentHomelessProgramAssociations.json", "page.json"])
def test_no_file_of_homeless_students_is_one_of_programmes(folder, name):
    (member,) = files.JSON["studentSpecialEducationProgramAssociations"]
    program = {"programName": "Support", "programTypeDescriptor": descriptor("ProgramType", "Other")}
    (folder / name).write_text(json.dumps([{**member, "programReference": program}]))
    with pytest.raises(FormatError):
        open_sources([folder])


def test_the_plainest_scale_score_of_the_whole_test_is_read(folder):
    level = (
        f"<PerformanceLevel><PerformanceLevel>{descriptor('PerformanceLevel', 'Met Standard')}</PerformanceLevel>"
        "</PerformanceLevel>"
    )
    vertical, raw, scale = (
        files.score(name, n) for name, n in (("Vertical score", "691"), ("Raw score", "28"), ("Scale score", "240"))
    )
    absent = f"<ReasonNotTested>{descriptor('ReasonNotTested', 'Absent')}</ReasonNotTested>"
    files.write_xml(
        folder,
        StudentAssessment="".join(
            [
                files.assessment("S1", raw, vertical, more=level),
                files.assessment("S2", vertical, scale),
                files.assessment("S3", raw),
                files.assessment("S4", more=absent),
            ]
        ),
    )
    source = open_sources([folder])
    day = date(2022, 5, 3)
    assert rows(source, "assessments") == [
        AssessmentRow("S1", "MCAS-8-MATH", day, Decimal(691), "Met Standard"),
        AssessmentRow("S2", "MCAS-8-MATH", day, Decimal(240)),
        AssessmentRow("S3", "MCAS-8-MATH", day),
    ]
    assert "StudentAssessment.xml: 1 StudentAssessment not read: not taken" in source.warnings


def test_a_score_whose_method_is_missing_is_rejected(folder):
    lacking = "<ScoreResult><Result>3</Result></ScoreResult>"
    source = open_sources([files.write_xml(folder, StudentAssessment=files.assessment("S1", lacking))])
    assert [one.field for one in rejections(source, "assessments")] == ["scale_score"]


def test_suspensions_alone_are_read_of_what_was_done(folder):
    files.write_xml(
        folder,
        StudentDiscipline="".join(
            [
                files.action("S1", "1", "In School Suspension"),
                files.action("S1", "2", "In School Suspension", "Out of School Suspension"),
                files.action("S1", "3", "Community Service"),
                files.action("S1", "4", "SUSP-OUT"),
                files.action("S1", "5"),
            ]
        ),
    )
    source = open_sources([folder])
    day, days = date(2022, 1, 18), Decimal("2.5")
    known = [
        SuspensionRow("S1", day, days, in_school=True, action="1"),
        SuspensionRow("S1", day, days, in_school=False, action="2"),
    ]
    assert rows(source, "suspensions") == known
    unknown, none = rejections(source, "suspensions")
    assert unknown.reason.endswith("not 'SUSP-OUT'")
    assert none.field == "discipline"
    assert "StudentDiscipline.xml: 1 DisciplineAction not read: no suspension" in source.warnings

    source = mapped(folder, '[disciplines]\nSUSP-OUT = "out-of-school"\n')
    assert rows(source, "suspensions") == [*known, SuspensionRow("S1", day, days, in_school=False, action="4")]


def test_an_exit_tells_of_graduation_where_its_type_does(folder):
    def left(student_id: str, code: str) -> str:
        day = "<ExitWithdrawDate>2022-05-27</ExitWithdrawDate>"
        return files.enrolled(
            student_id, day, f"<ExitWithdrawType>{descriptor('ExitWithdrawType', code)}</ExitWithdrawType>"
        )

    codes = ["Graduated", "Dropout", "Transferred", "End of school year", "G4"]
    files.write_xml(
        folder,
        StudentEnrollment=files.enrolled("S0") + "".join(left(f"S{n}", code) for n, code in enumerate(codes, start=1)),
    )
    source = open_sources([folder])
    day = date(2022, 5, 27)
    known = [
        GraduationRow("S1", 0, "graduated", day),
        GraduationRow("S2", 0, "dropped_out", day),
        GraduationRow("S3", 0, "transferred", day),
    ]
    assert rows(source, "graduations") == known
    assert [one.reason[-4:] for one in rejections(source, "graduations")] == ["'G4'"]

    source = mapped(folder, '[exit_types]\nG4 = "continuing"\n')
    assert rows(source, "graduations") == [*known, GraduationRow("S5", 0, "continuing", day)]


def test_a_certificate_is_no_graduation(folder):
    (record,) = files.JSON["studentAcademicRecords"]
    diploma = {"diplomaAwardDate": "2022-06-03", "diplomaTypeDescriptor": descriptor("DiplomaType", "Other")}
    source = open_sources([files.write_json(folder, studentAcademicRecords=[{**record, "diplomas": [diploma]}])])
    assert rows(source, "graduations") == []
    assert any("no diploma of a graduation" in warning for warning in source.warnings)


@pytest.mark.parametrize("wrong", ['grade_type = ""', "grade_scale_max = 0", '[exit_types]\na = "gone"'])
def test_a_mapping_that_cannot_be_used_says_what_is_expected(folder, wrong):
    with pytest.raises(FormatError, match="expected"):
        mapped(folder, wrong)


def test_a_file_with_enrollments_is_not_one_of_what_is_beside_attendance_alone(folder):
    files.write_xml(folder, StudentEnrollment=files.enrolled("S1"), StudentDiscipline=files.action("S1", "1"))
    assert open_sources([folder]).beside_attendance == ["StudentDiscipline.xml"]
