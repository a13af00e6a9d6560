"""What each resource is known by: the natural keys of the data standard 5, by their flat names in `keyValues`."""

from __future__ import annotations

from typing import Any, Final

Body = dict[str, Any]
KeyValues = dict[str, Any]

_STUDENT: Final = {"studentUniqueId": "studentReference/studentUniqueId"}
_SCHOOL: Final = {"schoolId": "schoolReference/schoolId"}
_ORGANIZATION: Final = {"educationOrganizationId": "educationOrganizationReference/educationOrganizationId"}
_CATEGORY: Final = {"attendanceEventCategoryDescriptor": "attendanceEventCategoryDescriptor"}
_SESSION: Final = {name: f"sessionReference/{name}" for name in ("schoolId", "schoolYear", "sessionName")}
_SECTION_PARTS: Final = ("localCourseCode", "schoolId", "schoolYear", "sectionIdentifier", "sessionName")
_SECTION: Final = {name: f"sectionReference/{name}" for name in _SECTION_PARTS}
_TAKEN: Final = "studentSectionAssociationReference"
_PROGRAM_PARTS: Final = {
    "programEducationOrganizationId": "programReference/educationOrganizationId",
    "programName": "programReference/programName",
    "programTypeDescriptor": "programReference/programTypeDescriptor",
}
_IN_PROGRAM: Final = {"beginDate": "beginDate", **_ORGANIZATION, **_PROGRAM_PARTS, **_STUDENT}

KEYS: Final[dict[str, dict[str, str]]] = {
    "schools": {"schoolId": "schoolId"},
    "students": {"studentUniqueId": "studentUniqueId"},
    "calendars": {
        "calendarCode": "calendarCode",
        **_SCHOOL,
        "schoolYear": "schoolYearTypeReference/schoolYear",
    },
    "calendarDates": {
        "calendarCode": "calendarReference/calendarCode",
        "date": "date",
        "schoolId": "calendarReference/schoolId",
        "schoolYear": "calendarReference/schoolYear",
    },
    "sessions": {**_SCHOOL, "schoolYear": "schoolYearTypeReference/schoolYear", "sessionName": "sessionName"},
    "gradingPeriods": {
        "gradingPeriodDescriptor": "gradingPeriodDescriptor",
        "gradingPeriodName": "gradingPeriodName",
        **_SCHOOL,
        "schoolYear": "schoolYearTypeReference/schoolYear",
    },
    "courses": {"courseCode": "courseCode", **_ORGANIZATION},
    "courseOfferings": {"localCourseCode": "localCourseCode", **_SESSION},
    "sections": {
        "sectionIdentifier": "sectionIdentifier",
        **{name: f"courseOfferingReference/{name}" for name in _SECTION_PARTS if name != "sectionIdentifier"},
    },
    "studentSchoolAssociations": {"entryDate": "entryDate", **_SCHOOL, **_STUDENT},
    "studentSectionAssociations": {"beginDate": "beginDate", **_SECTION, **_STUDENT},
    "studentSchoolAttendanceEvents": {**_CATEGORY, "eventDate": "eventDate", **_SESSION, **_STUDENT},
    "studentSectionAttendanceEvents": {**_CATEGORY, "eventDate": "eventDate", **_SECTION, **_STUDENT},
    "studentEducationOrganizationAssociations": {**_ORGANIZATION, **_STUDENT},
    "studentProgramAssociations": _IN_PROGRAM,
    "studentSpecialEducationProgramAssociations": _IN_PROGRAM,
    "grades": {
        "beginDate": f"{_TAKEN}/beginDate",
        "gradeTypeDescriptor": "gradeTypeDescriptor",
        "gradingPeriodDescriptor": "gradingPeriodReference/gradingPeriodDescriptor",
        "gradingPeriodName": "gradingPeriodReference/gradingPeriodName",
        "gradingPeriodSchoolYear": "gradingPeriodReference/schoolYear",
        **{name: f"{_TAKEN}/{name}" for name in (*_SECTION_PARTS, "studentUniqueId")},
    },
    "studentAssessments": {
        "assessmentIdentifier": "assessmentReference/assessmentIdentifier",
        "namespace": "assessmentReference/namespace",
        "studentAssessmentIdentifier": "studentAssessmentIdentifier",
        **_STUDENT,
    },
    "disciplineActions": {
        "disciplineActionIdentifier": "disciplineActionIdentifier",
        "disciplineDate": "disciplineDate",
        **_STUDENT,
    },
    "studentAcademicRecords": {
        **_ORGANIZATION,
        "schoolYear": "schoolYearTypeReference/schoolYear",
        **_STUDENT,
        "termDescriptor": "termDescriptor",
    },
}
"""By resource: each part's name in `keyValues`, and the path to it in the resource's own body."""


def key_values(resource: str, body: Body) -> KeyValues:
    """What `keyValues` say of a row; None for a part that the body lacks."""
    return {name: _at(body, path) for name, path in KEYS[resource].items()}


def renamed(value: Any, field: str, old: object, new: object) -> Any:
    """A copy in which `field` is `new` wherever it was `old`, in references too."""
    if isinstance(value, dict):
        return {
            key: new if key == field and one == old else renamed(one, field, old, new) for key, one in value.items()
        }
    if isinstance(value, list):
        return [renamed(one, field, old, new) for one in value]
    return value


def _at(body: Any, path: str) -> Any:
    for key in path.split("/"):
        body = body.get(key) if isinstance(body, dict) else None
    return body
