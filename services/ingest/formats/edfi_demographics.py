"""Ed-Fi: what a student is and takes part in.

Whether a student is homeless is a kind of records of its own and no programme: nothing here reads it.
"""

from __future__ import annotations

from typing import Final

from services.ingest.formats.edfi_fields import STUDENT, Field, Resource, code_of, plain, told, word_of
from services.ingest.formats.mapping import Mapping
from services.ingest.rows import fields, parse_records
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import DemographicsRow, Record

HISPANIC: Final = "Hispanic or Latino"
SEVERAL_RACES: Final = "Two or more races"
_NOT_SAID: Final = frozenset({"choose not to respond", "not selected"})

_ENGLISH_LEARNERS: Final = {
    "limited": True,
    "limited monitored 1": False,
    "limited monitored 2": False,
    "notlimited": False,
}
"""By the code of LimitedEnglishProficiency: one who is monitored is a learner no more."""
_ONE_PROFICIENCY: Final = "a LimitedEnglishProficiency of the standard, or one that the --mapping names"

_HOMELESS: Final = ("homeless", "mckinney")
"""Words in the type or the name of a programme that says where a student lives."""
_SPECIAL_EDUCATION: Final = "StudentSpecialEducationProgramAssociation"


def _demographics(values: Values, mapping: Mapping) -> DemographicsRow | RowError | None:
    """None where it says nothing of the kind: a school's own association may leave that to the district's."""
    try:
        hispanic = fields.optional_flag(values, "hispanic")
        learner = _english_learner(values.get("proficiency"), mapping)
    except FieldError as error:
        return RowError.of(error)
    gender = word_of(values.get("sex"))
    row = parse_records.parse_demographics(
        {
            "student_id": values.get("student_id"),
            "gender": None if gender.lower() in _NOT_SAID else gender,
            "race_ethnicity": _race(values.get("races"), hispanic=bool(hispanic)),
            "english_learner": learner,
        }
    )
    return None if isinstance(row, DemographicsRow) and row == DemographicsRow(row.student_id) else row


def _english_learner(descriptor: object, mapping: Mapping) -> bool | None:
    code = code_of(descriptor)
    if not code:
        return None
    known = mapping.english_proficiencies.get(code, _ENGLISH_LEARNERS.get(code))
    if known is None:
        raise FieldError("english_learner", f"{_ONE_PROFICIENCY}{told(descriptor)}")
    return known


def _race(descriptors: object, *, hispanic: bool) -> str | None:
    """One word for the races, as the federal reports have it: Hispanic of any race, or several races, is one group."""
    words = {word_of(one) for one in descriptors} if isinstance(descriptors, list) else set()
    races = {word for word in words if word and word.lower() not in _NOT_SAID}
    if hispanic or HISPANIC in races:
        return HISPANIC
    return SEVERAL_RACES if len(races) > 1 else next(iter(races), None)


def _special_education(values: Values) -> DemographicsRow | RowError:
    """Of one who is in special education, or has left it."""
    left = bool(values.get("left_on"))
    return parse_records.parse_demographics({"student_id": values.get("student_id"), "special_education": not left})


def _program(values: Values) -> Record | RowError | None:
    """None of a programme for homeless students, whatever kind of association it comes in."""
    words = f"{values.get('type') or ''} {values.get('program') or ''}".lower()
    if values.get("nights") or any(word in words for word in _HOMELESS):
        return None
    return parse_records.parse_program(values)


_PROGRAM_IDENTITY: Final = "ProgramReference/ProgramIdentity"
_PROGRAM_FIELDS: Final = (
    STUDENT,
    Field("program", f"{_PROGRAM_IDENTITY}/ProgramName", "programReference/programName"),
    Field("type", f"{_PROGRAM_IDENTITY}/ProgramType", "programReference/programTypeDescriptor"),
    Field("entry_date", "BeginDate", "beginDate"),
    Field("exit_date", "EndDate", "endDate"),
    Field("nights", "HomelessPrimaryNighttimeResidence", "homelessPrimaryNighttimeResidenceDescriptor"),
)
_PROGRAMS: Final = (
    "StudentProgramAssociation",
    _SPECIAL_EDUCATION,
    "StudentCTEProgramAssociation",
    "StudentTitleIPartAProgramAssociation",
    "StudentMigrantEducationProgramAssociation",
    "StudentLanguageInstructionProgramAssociation",
    "StudentSchoolFoodServiceProgramAssociation",
    "StudentSection504ProgramAssociation",
)


def _collection(element: str) -> str:
    """The collection of an element: `StudentCTEProgramAssociation` is in `studentCTEProgramAssociations`."""
    return f"{element[0].lower()}{element[1:]}s"


DEMOGRAPHICS: Final[tuple[Resource[DemographicsRow], ...]] = (
    Resource(
        "StudentEducationOrganizationAssociation",
        "studentEducationOrganizationAssociations",
        (
            STUDENT,
            Field("sex", "Sex", "sexDescriptor"),
            Field("hispanic", "HispanicLatinoEthnicity", "hispanicLatinoEthnicity"),
            Field("races", "Race", "races/raceDescriptor", many=True),
            Field("proficiency", "LimitedEnglishProficiency", "limitedEnglishProficiencyDescriptor"),
        ),
        _demographics,
        "nothing of demographics in it",
    ),
    Resource(
        _SPECIAL_EDUCATION,
        _collection(_SPECIAL_EDUCATION),
        (STUDENT, Field("left_on", "SpecialEducationExitDate", "specialEducationExitDate")),
        plain(_special_education),
    ),
)
"""Each says a part of a student's row."""
PROGRAMS: Final[tuple[Resource[Record], ...]] = tuple(
    Resource(element, _collection(element), _PROGRAM_FIELDS, plain(_program), "a programme for homeless students")
    for element in _PROGRAMS
)
