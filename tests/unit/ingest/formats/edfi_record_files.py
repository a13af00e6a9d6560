"""Ed-Fi content for tests of what is kept beside attendance: of each resource the XML and the JSON say the same."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.ingest.formats.edfi_files import interchange, school, student

SESSION = "2021-2022 Fall"
PERIOD = "First Quarter"


def descriptor(name: str, code: str) -> str:
    return f"uri://ed-fi.org/{name}Descriptor#{code}"


def organization(number: str) -> str:
    return (
        "<EducationOrganizationReference><EducationOrganizationIdentity><EducationOrganizationId>"
        f"{number}</EducationOrganizationId></EducationOrganizationIdentity></EducationOrganizationReference>"
    )


def session_reference(session: str = SESSION) -> str:
    return (
        f"<SessionReference><SessionIdentity><SessionName>{session}</SessionName><SchoolYear>2021-2022</SchoolYear>"
        f"{school('255')}</SessionIdentity></SessionReference>"
    )


def offering_reference(course: str) -> str:
    return (
        f"<CourseOfferingReference><CourseOfferingIdentity><LocalCourseCode>{course}</LocalCourseCode>{school('255')}"
        f"{session_reference()}</CourseOfferingIdentity></CourseOfferingReference>"
    )


def section_reference(course: str, section: str) -> str:
    return (
        f"<SectionReference><SectionIdentity><SectionIdentifier>{section}</SectionIdentifier>"
        f"{offering_reference(course)}</SectionIdentity></SectionReference>"
    )


def program(element: str, student_id: str, name: str, more: str = "") -> str:
    return (
        f"<{element}>{student(student_id)}<ProgramReference><ProgramIdentity>{organization('1')}<ProgramName>{name}"
        f"</ProgramName><ProgramType>{descriptor('ProgramType', name)}</ProgramType></ProgramIdentity>"
        f"</ProgramReference><BeginDate>2021-08-30</BeginDate>{more}</{element}>"
    )


def grade(student_id: str, mark: str, kind: str = "Grading Period") -> str:
    return (
        f"<Grade>{mark}<GradeType>{descriptor('GradeType', kind)}</GradeType><StudentSectionAssociationReference>"
        f"<StudentSectionAssociationIdentity>{student(student_id)}{section_reference('ALG', 'ALG-1')}"
        "<BeginDate>2021-08-23</BeginDate></StudentSectionAssociationIdentity></StudentSectionAssociationReference>"
        f"<GradingPeriodReference><GradingPeriodIdentity>{school('255')}<GradingPeriod>"
        f"{descriptor('GradingPeriod', PERIOD)}</GradingPeriod><GradingPeriodName>Q1</GradingPeriodName>"
        "<SchoolYear>2021-2022</SchoolYear></GradingPeriodIdentity></GradingPeriodReference></Grade>"
    )


def score(method: str, result: str) -> str:
    return (
        f"<ScoreResult><Result>{result}</Result><ResultDatatypeType>{descriptor('ResultDatatypeType', 'Integer')}"
        f"</ResultDatatypeType><AssessmentReportingMethod>{descriptor('AssessmentReportingMethod', method)}"
        "</AssessmentReportingMethod></ScoreResult>"
    )


def assessment(student_id: str, *scores: str, more: str = "") -> str:
    return (
        "<StudentAssessment><AdministrationDate>2022-05-03T09:00:00</AdministrationDate>"
        f"{''.join(scores)}{more}{student(student_id)}<AssessmentReference><AssessmentIdentity><AssessmentIdentifier>"
        "MCAS-8-MATH</AssessmentIdentifier></AssessmentIdentity></AssessmentReference><StudentObjectiveAssessment>"
        f"{score('Scale score', '1')}</StudentObjectiveAssessment></StudentAssessment>"
    )


def action(student_id: str, number: str, *codes: str) -> str:
    disciplines = "".join(f"<Discipline>{descriptor('Discipline', code)}</Discipline>" for code in codes)
    return (
        f"<DisciplineAction><DisciplineActionIdentifier>{number}</DisciplineActionIdentifier>{disciplines}"
        "<DisciplineDate>2022-01-18</DisciplineDate><DisciplineActionLength>5</DisciplineActionLength>"
        f"<ActualDisciplineActionLength>2.5</ActualDisciplineActionLength>{student(student_id)}</DisciplineAction>"
    )


def described(student_id: str, *more: str) -> str:
    return (
        f"<StudentEducationOrganizationAssociation>{student(student_id)}{organization('1')}{''.join(more)}"
        "</StudentEducationOrganizationAssociation>"
    )


def enrolled(student_id: str, *more: str) -> str:
    return (
        f"<StudentSchoolAssociation>{student(student_id)}{school('255')}<EntryDate>2021-08-23</EntryDate>"
        f"{''.join(more)}</StudentSchoolAssociation>"
    )


def in_section(student_id: str, course: str, section: str, more: str = "") -> str:
    return (
        f"<StudentSectionAssociation>{student(student_id)}{section_reference(course, section)}"
        f"<BeginDate>2021-08-23</BeginDate><EndDate>2021-12-17</EndDate>{more}</StudentSectionAssociation>"
    )


CATALOGUE = (
    f"<Course><CourseCode>M1</CourseCode><CourseTitle>Algebra</CourseTitle><CourseLevelCharacteristic>"
    f"{descriptor('CourseLevelCharacteristic', 'Core Subject')}</CourseLevelCharacteristic><AcademicSubject>"
    f"{descriptor('AcademicSubject', 'Mathematics')}</AcademicSubject>{organization('1')}</Course>"
)
SCHEDULE = (
    f"<CourseOffering><LocalCourseCode>ALG</LocalCourseCode>{school('255')}{session_reference()}<CourseReference>"
    f"<CourseIdentity><CourseCode>M1</CourseCode>{organization('1')}</CourseIdentity></CourseReference>"
    f"</CourseOffering><Section><SectionIdentifier>ALG-1</SectionIdentifier>{offering_reference('ALG')}"
    f"<CourseLevelCharacteristic>{descriptor('CourseLevelCharacteristic', 'Honors')}</CourseLevelCharacteristic>"
    "</Section>"
)
TERMS = (
    f"<Session><SessionName>{SESSION}</SessionName><SchoolYear>2021-2022</SchoolYear><BeginDate>2021-08-23</BeginDate>"
    f"<EndDate>2021-12-17</EndDate>{school('255')}</Session><GradingPeriod>{school('255')}<GradingPeriod>"
    f"{descriptor('GradingPeriod', PERIOD)}</GradingPeriod><GradingPeriodName>Q1</GradingPeriodName>"
    "<SchoolYear>2021-2022</SchoolYear><BeginDate>2021-08-23</BeginDate><EndDate>2021-10-29</EndDate></GradingPeriod>"
)


def write_xml(folder: Path, **interchanges: str) -> Path:
    """A file for each interchange, by its name without the first word."""
    for name, elements in interchanges.items():
        (folder / f"{name}.xml").write_text(interchange(name, elements), encoding="utf-8")
    return folder


def write_json(folder: Path, **collections: list[dict[str, object]]) -> Path:
    """A file for each collection."""
    for name, members in collections.items():
        (folder / f"{name}.json").write_text(json.dumps(members), encoding="utf-8")
    return folder


_SECTION = {
    "localCourseCode": "ALG",
    "schoolId": 255,
    "schoolYear": 2022,
    "sectionIdentifier": "ALG-1",
    "sessionName": SESSION,
}
_YEAR = {"schoolYear": 2022}
_STUDENT = {"studentUniqueId": "S1"}
_PERIOD = {"gradingPeriodDescriptor": descriptor("GradingPeriod", PERIOD), "gradingPeriodName": "Q1"}

JSON: dict[str, list[dict[str, object]]] = {
    "courses": [
        {
            "courseCode": "M1",
            "courseTitle": "Algebra",
            "educationOrganizationReference": {"educationOrganizationId": 1},
            "academicSubjects": [{"academicSubjectDescriptor": descriptor("AcademicSubject", "Mathematics")}],
        }
    ],
    "courseOfferings": [
        {
            "localCourseCode": "ALG",
            "courseReference": {"courseCode": "M1", "educationOrganizationId": 1},
            "schoolReference": {"schoolId": 255},
            "sessionReference": {"schoolId": 255, "schoolYear": 2022, "sessionName": SESSION},
        }
    ],
    "sections": [
        {
            "sectionIdentifier": "ALG-1",
            "courseOfferingReference": {key: value for key, value in _SECTION.items() if key != "sectionIdentifier"},
            "courseLevelCharacteristics": [
                {"courseLevelCharacteristicDescriptor": descriptor("CourseLevelCharacteristic", "Honors")}
            ],
        }
    ],
    "studentSectionAssociations": [
        {
            "studentReference": _STUDENT,
            "sectionReference": _SECTION,
            "beginDate": "2021-08-23",
            "endDate": "2021-12-17",
        }
    ],
    "sessions": [
        {
            "sessionName": SESSION,
            "schoolReference": {"schoolId": 255},
            "schoolYearTypeReference": _YEAR,
            "beginDate": "2021-08-23",
            "endDate": "2021-12-17",
        }
    ],
    "gradingPeriods": [
        {
            **_PERIOD,
            "schoolReference": {"schoolId": 255},
            "schoolYearTypeReference": _YEAR,
            "beginDate": "2021-08-23",
            "endDate": "2021-10-29",
        }
    ],
    "grades": [
        {
            "gradeTypeDescriptor": descriptor("GradeType", "Grading Period"),
            "numericGradeEarned": 88.5,
            "gradingPeriodReference": {**_PERIOD, "schoolId": 255, "schoolYear": 2022},
            "studentSectionAssociationReference": {**_SECTION, **_STUDENT, "beginDate": "2021-08-23"},
        }
    ],
    "studentEducationOrganizationAssociations": [
        {
            "studentReference": _STUDENT,
            "educationOrganizationReference": {"educationOrganizationId": 1},
            "sexDescriptor": descriptor("Sex", "Female"),
            "hispanicLatinoEthnicity": False,
            "races": [{"raceDescriptor": descriptor("Race", "Asian")}],
            "limitedEnglishProficiencyDescriptor": descriptor("LimitedEnglishProficiency", "Limited"),
        }
    ],
    "studentSpecialEducationProgramAssociations": [
        {
            "studentReference": _STUDENT,
            "programReference": {
                "programName": "Special Education",
                "programTypeDescriptor": descriptor("ProgramType", "Special Education"),
            },
            "beginDate": "2021-08-30",
        }
    ],
    "studentAssessments": [
        {
            "studentAssessmentIdentifier": "1",
            "studentReference": _STUDENT,
            "assessmentReference": {"assessmentIdentifier": "MCAS-8-MATH"},
            "administrationDate": "2022-05-03T09:00:00Z",
            "scoreResults": [
                {
                    "result": "30",
                    "assessmentReportingMethodDescriptor": descriptor("AssessmentReportingMethod", "Raw score"),
                },
                {
                    "result": "498",
                    "assessmentReportingMethodDescriptor": descriptor("AssessmentReportingMethod", "Scale score"),
                },
            ],
            "performanceLevels": [{"performanceLevelDescriptor": descriptor("PerformanceLevel", "Met Standard")}],
        }
    ],
    "disciplineActions": [
        {
            "disciplineActionIdentifier": "18",
            "studentReference": _STUDENT,
            "disciplineDate": "2022-01-18",
            "disciplineActionLength": 5,
            "actualDisciplineActionLength": 2.5,
            "disciplines": [{"disciplineDescriptor": descriptor("Discipline", "Out of School Suspension")}],
        }
    ],
    "studentSchoolAssociations": [
        {
            "studentReference": _STUDENT,
            "schoolReference": {"schoolId": 255},
            "entryDate": "2021-08-23",
            "exitWithdrawDate": "2022-05-27",
            "exitWithdrawTypeDescriptor": descriptor("ExitWithdrawType", "Transferred"),
            "classOfSchoolYearTypeReference": {"schoolYear": 2023},
        }
    ],
    "studentAcademicRecords": [
        {
            "studentReference": _STUDENT,
            "educationOrganizationReference": {"educationOrganizationId": 1},
            "termDescriptor": descriptor("Term", "Spring Semester"),
            "projectedGraduationDate": "2022-06-01",
            "diplomas": [
                {
                    "diplomaAwardDate": "2022-06-03",
                    "diplomaTypeDescriptor": descriptor("DiplomaType", "Regular diploma"),
                }
            ],
        }
    ],
}
"""What one student has in an ODS/API."""
