"""Ed-Fi: courses, grades and the terms they are of.

A course is known by the school's own code (LocalCourseCode), which sections and grades both name: by it they meet. A
course's term is the session, a grade's is the grading period; each is named by all that makes it unique, so that a
term's name is the same wherever it is referred to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.ingest.formats.edfi_catalogue import (
    CatalogueCourse,
    CatalogueEntry,
    CatalogueOffering,
    CatalogueSection,
    CourseKey,
    OfferingKey,
    SectionPlace,
)
from services.ingest.formats.edfi_fields import (
    OFFERING_PATH,
    SCHOOL,
    STUDENT,
    Field,
    Resource,
    code_of,
    codes_of,
    offering_fields,
    plain,
    section_fields,
    word_of,
    year_of,
)
from services.ingest.formats.mapping import Mapping
from services.ingest.rows import fields, parse_records
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import CourseLevel, CourseRow, Record, TermRow

_LONGEST: Final = 200
_LEVELS: Final[dict[str, CourseLevel]] = {
    "dual credit": "dual",
    "college-level": "dual",
    "advanced placement": "advanced",
    "international baccalaureate": "advanced",
    "advanced": "advanced",
    "honors": "honors",
    "pre-ap": "honors",
    "pre-ib": "honors",
    "basic": "regular",
    "general": "regular",
    "remedial": "regular",
}
"""By the code of a CourseLevelCharacteristic, the most telling ones first; the others say nothing of the level."""


def _named(*parts: str, school_id: str) -> str:
    """A name of all parts; what another part says already is left out."""
    said = ""
    for part in parts:
        if part.lower() not in said.lower():
            said = f"{said}, {part}" if said else part
    return f"{said} at {school_id}"


def session_term(key: OfferingKey) -> str:
    """The name of the term that a session is."""
    return _named(key.session, key.year, school_id=key.school_id)


def period_term(values: Values) -> str:
    """The name of the term that a grading period is; before 5.0 it has a number in place of a name."""
    name = fields.optional_words(values, "name", _LONGEST)
    word = word_of(values.get("period"))
    number = fields.optional_text(values, "sequence")
    if name is None and not word:
        raise FieldError("term", "a GradingPeriod", missing=True)
    parts = [part for part in (name, word, number if name is None else None, year_of(values.get("year"))) if part]
    return _named(*parts, school_id=fields.required_id(values, "school_id"))


def _level(descriptors: object) -> CourseLevel | None:
    codes = codes_of(descriptors)
    return next((level for code, level in _LEVELS.items() if code in codes), None)


def _offering_key(values: Values) -> OfferingKey:
    return OfferingKey(
        fields.required_id(values, "school_id"),
        fields.required_words(values, "course", _LONGEST),
        year_of(fields.optional_text(values, "year")),
        fields.optional_words(values, "session", _LONGEST) or "",
    )


def _course(values: Values) -> CatalogueEntry | RowError:
    subjects = values.get("subjects")
    given = [*subjects, values.get("subject")] if isinstance(subjects, list) else [values.get("subject")]
    try:
        return CatalogueCourse(
            CourseKey(fields.required_id(values, "organization"), fields.required_words(values, "code", _LONGEST)),
            fields.optional_words(values, "title", _LONGEST),
            fields.optional_words({"subject": next(filter(None, map(word_of, given)), None)}, "subject", _LONGEST),
            _level(values.get("levels")),
        )
    except FieldError as error:
        return RowError.of(error)


def _offering(values: Values) -> CatalogueEntry | RowError:
    try:
        organization = fields.optional_id(values, "organization")
        code = fields.optional_words(values, "code", _LONGEST)
        of = CourseKey(organization, code) if organization and code else None
        title = fields.optional_words(values, "title", _LONGEST)
        return CatalogueOffering(_offering_key(values), of, title, _level(values.get("levels")))
    except FieldError as error:
        return RowError.of(error)


def _section(values: Values) -> CatalogueEntry | RowError:
    try:
        section_id = fields.required_words(values, "section_id", _LONGEST)
        return CatalogueSection(_offering_key(values), section_id, _level(values.get("levels")))
    except FieldError as error:
        return RowError.of(error)


def _place(values: Values) -> SectionPlace | RowError:
    try:
        offering = _offering_key(values)
        section_id = fields.required_words(values, "section_id", _LONGEST)
        dual = fields.optional_flag(values, "dual")
    except FieldError as error:
        return RowError.of(error)
    row = parse_records.parse_course({**values, "term": session_term(offering) if offering.session else None})
    if not isinstance(row, CourseRow):
        return row
    return SectionPlace(replace(row, level="dual") if dual else row, offering, section_id)


def _grade(values: Values, mapping: Mapping) -> Record | RowError | None:
    """None of a grade of another type than is read."""
    if code_of(values.get("type")) != mapping.grade_type:
        return None
    letter = values.get("letter")
    try:
        term = period_term(values)
    except FieldError as error:
        return RowError.of(error)
    number = values.get("number")
    grade = letter if letter is not None and letter != "" else str(number) if isinstance(number, float) else number
    return parse_records.parse_grade({**values, "term": term, "grade": grade})


def _grading_period(values: Values, mapping: Mapping) -> TermRow | RowError:
    try:
        return _term(period_term(values), values, mapping)
    except FieldError as error:
        return RowError.of(error)


def _session(values: Values, mapping: Mapping) -> TermRow | RowError | None:
    """None of one without a name: no course can be in it."""
    try:
        session = fields.optional_words(values, "session", _LONGEST)
        if session is None:
            return None
        key = OfferingKey(fields.required_id(values, "school_id"), "", year_of(values.get("year")), session)
    except FieldError as error:
        return RowError.of(error)
    return _term(session_term(key), values, mapping)


def _term(name: str, values: Values, mapping: Mapping) -> TermRow | RowError:
    row = parse_records.parse_term({**values, "term": name})
    return replace(row, grade_scale_max=mapping.grade_scale_max) if isinstance(row, TermRow) else row


_ASSOCIATION: Final = "StudentSectionAssociationReference/StudentSectionAssociationIdentity/"
_PERIOD: Final = "GradingPeriodReference/GradingPeriodIdentity/"
_ORGANIZATION: Final = "EducationOrganizationReference/EducationOrganizationIdentity/EducationOrganizationId"
_BEGIN: Final = Field("start_date", "BeginDate", "beginDate")
_END: Final = Field("end_date", "EndDate", "endDate")


def _levels(json: str) -> Field:
    return Field("levels", "CourseLevelCharacteristic", f"{json}/courseLevelCharacteristicDescriptor", many=True)


def _of_period(xml: str, json: str, school: str, year: str) -> tuple[Field, ...]:
    """What a grading period is known by, itself or where it is referred to."""
    return (
        Field("school_id", f"{xml}{SCHOOL.xml}", school),
        Field("period", f"{xml}GradingPeriod", f"{json}gradingPeriodDescriptor"),
        Field("name", f"{xml}GradingPeriodName", f"{json}gradingPeriodName"),
        Field("sequence", f"{xml}PeriodSequence", f"{json}periodSequence"),
        Field("year", f"{xml}SchoolYear", year),
    )


CATALOGUE: Final[tuple[Resource[CatalogueEntry], ...]] = (
    Resource(
        "Course",
        "courses",
        (
            Field("organization", _ORGANIZATION, "educationOrganizationReference/educationOrganizationId"),
            Field("code", "CourseCode", "courseCode"),
            Field("title", "CourseTitle", "courseTitle"),
            Field("subjects", "AcademicSubject", "academicSubjects/academicSubjectDescriptor", many=True),
            Field("subject", "", "academicSubjectDescriptor"),  # before 5.0 a course had one
            _levels("levelCharacteristics"),
        ),
        plain(_course),
    ),
    Resource(
        "CourseOffering",
        "courseOfferings",
        (
            *offering_fields("", ""),
            Field(
                "organization",
                f"CourseReference/CourseIdentity/{_ORGANIZATION}",
                "courseReference/educationOrganizationId",
            ),
            Field("code", "CourseReference/CourseIdentity/CourseCode", "courseReference/courseCode"),
            Field("title", "LocalCourseTitle", "localCourseTitle"),
            _levels("courseLevelCharacteristics"),
        ),
        plain(_offering),
    ),
    Resource(
        "Section",
        "sections",
        (
            *offering_fields(f"{OFFERING_PATH}/", "courseOfferingReference"),
            Field("section_id", "SectionIdentifier", "sectionIdentifier"),
            _levels("courseLevelCharacteristics"),
        ),
        plain(_section),
    ),
)
COURSES: Final[Resource[SectionPlace]] = Resource(
    "StudentSectionAssociation",
    "studentSectionAssociations",
    (
        STUDENT,
        *section_fields(),
        _BEGIN,
        _END,
        Field("dual", "DualCredit/DualCreditIndicator", "dualCreditIndicator"),
    ),
    plain(_place),
)
GRADES: Final[Resource[Record]] = Resource(
    "Grade",
    "grades",
    (
        Field("student_id", f"{_ASSOCIATION}{STUDENT.xml}", "studentSectionAssociationReference/studentUniqueId"),
        Field(
            "course",
            f"{_ASSOCIATION}SectionReference/SectionIdentity/{OFFERING_PATH}/LocalCourseCode",
            "studentSectionAssociationReference/localCourseCode",
        ),
        *_of_period(
            _PERIOD,
            "gradingPeriodReference/",
            "gradingPeriodReference/schoolId",
            "gradingPeriodReference/schoolYear",
        ),
        Field("type", "GradeType", "gradeTypeDescriptor"),
        Field("letter", "LetterGradeEarned", "letterGradeEarned"),
        Field("number", "NumericGradeEarned", "numericGradeEarned"),
    ),
    _grade,
    "of another GradeType than the one that is read (see grade_type of a --mapping)",
)
TERMS: Final[tuple[Resource[TermRow], ...]] = (
    Resource(
        "GradingPeriod",
        "gradingPeriods",
        (*_of_period("", "", SCHOOL.json, "schoolYearTypeReference/schoolYear"), _BEGIN, _END),
        _grading_period,
    ),
    Resource(
        "Session",
        "sessions",
        (
            SCHOOL,
            Field("year", "SchoolYear", "schoolYearTypeReference/schoolYear"),
            Field("session", "SessionName", "sessionName"),
            _BEGIN,
            _END,
        ),
        _session,
    ),
)
