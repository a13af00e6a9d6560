"""Ed-Fi: assessments, suspensions and graduations, and by table all that needs no look into another file."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Final

from services.ingest.formats.edfi_demographics import PROGRAMS
from services.ingest.formats.edfi_fields import (
    STUDENT,
    Field,
    Resource,
    code_of,
    codes_of,
    plain,
    told,
    word_of,
    year_of,
)
from services.ingest.formats.mapping import DisciplineMeaning, ExitMeaning, Mapping
from services.ingest.rows import fields, parse_records
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import Record, SuspensionRow

_SCORES: Final = (
    "scale score",
    "vertical scale score",
    "vertical score",
    "adaptive scale score",
    "rit scale score",
    "c-scaled scores",
    "act score",
    "college board examination scores",
    "composite score",
)
"""Reporting methods whose result is a scale score, the plainest first; a raw score, a percentile or a rank is none."""
_EVEN_SCORES: Final = "a Result and an AssessmentReportingMethod in each ScoreResult"

_DISCIPLINES: Final[Table[str, DisciplineMeaning]] = {
    "in school suspension": "in-school",
    "out of school suspension": "out-of-school",
    "removal from classroom": "other",
    "expulsion": "other",
    "expulsion with services": "other",
    "community service": "other",
    "other": "other",
    "no action for incident": "other",
    "expulsion under guns free school act": "other",
    "expulsion under guns free school act with services": "other",
}
_ONE_DISCIPLINE: Final = "a Discipline of the standard, or one that the --mapping names"

_EXITS: Final[Table[str, ExitMeaning]] = {
    "graduated": "graduated",
    "dropout": "dropped_out",
    "transferred": "transferred",
    "completed": "other",
    "died or is permanently incapacitated": "other",
    "end of school year": "other",
    "enrolled in a high school diploma program": "other",
    "expelled": "other",
    "incarcerated": "other",
    "invalid enrollment": "other",
    "involuntarily removed": "other",
    "no show": "other",
    "other": "other",
    "reached maximum age": "other",
    "withdrawn": "other",
}
_ONE_EXIT: Final = "an ExitWithdrawType of the standard, or one that the --mapping names"
_GRADUATED: Final = frozenset(
    {"regular diploma", "endorsed/advanced diploma", "regents diploma", "state defined alternate diploma"}
)
"""Types of diplomas that end a cohort's school as graduated; a certificate or an equivalency credential is none."""
_EVEN_DIPLOMAS: Final = "a DiplomaType and a DiplomaAwardDate in each Diploma"


def _assessment(values: Values) -> Record | RowError | None:
    """None of a test that was not taken."""
    if values.get("not_tested"):
        return None
    try:
        score = _score(values)
    except FieldError as error:
        return RowError.of(error)
    levels = values.get("levels")
    given = values.get("date")
    return parse_records.parse_assessment(
        {
            "student_id": values.get("student_id"),
            "assessment": values.get("assessment"),
            "date": given.strip().partition("T")[0] if isinstance(given, str) else given,
            "scale_score": score,
            "performance_level": next(filter(None, map(word_of, levels)), None) if isinstance(levels, list) else None,
        }
    )


def _score(values: Values) -> object:
    """The result of the plainest scale; None when there is none of any scale."""
    scores, methods = values.get("scores") or [], values.get("methods") or []
    if not isinstance(scores, list) or not isinstance(methods, list) or len(scores) != len(methods):
        raise FieldError("scale_score", _EVEN_SCORES)
    by_method = {code_of(method): score for score, method in zip(reversed(scores), reversed(methods), strict=True)}
    return next((by_method[method] for method in _SCORES if method in by_method), None)


def _suspension(values: Values, mapping: Mapping) -> Record | RowError | None:
    """None of an action that is no suspension; one that is both in school and out of it is one out of school."""
    given = values.get("disciplines")
    known = {**_DISCIPLINES, **mapping.disciplines}
    codes = codes_of(given)
    meanings = {known.get(code) for code in codes}
    if not meanings & {"in-school", "out-of-school"}:
        unknown = next((one for one in given if code_of(one) not in known), None) if isinstance(given, list) else None
        if unknown is not None or not codes:
            return RowError.of(FieldError("discipline", f"{_ONE_DISCIPLINE}{told(unknown)}", missing=not codes))
        return None
    try:
        action = fields.required_id(values, "action")
    except FieldError as error:
        return RowError.of(error)
    days = values.get("planned") if (actual := values.get("actual")) is None or actual == "" else actual
    row = parse_records.parse_suspension({**values, "days": days, "in_school": "out-of-school" not in meanings})
    return replace(row, action=action) if isinstance(row, SuspensionRow) else row


def _exit(values: Values, mapping: Mapping) -> Record | RowError | None:
    """None of one who is there, or whose exit does not end a cohort's school."""
    code = code_of(values.get("exit"))
    if not code:
        return None
    status = mapping.exit_types.get(code) or _EXITS.get(code)
    if status is None:
        return RowError.of(FieldError("status", f"{_ONE_EXIT}{told(values.get('exit'))}"))
    if status == "other":
        return None
    return parse_records.parse_graduation({**values, "status": status, "cohort_year": year_of(values.get("cohort"))})


def _diploma(values: Values) -> Record | RowError | None:
    """The first graduation among the diplomas of a record; None when there is none."""
    types, dates = values.get("types") or [], values.get("dates") or []
    if not isinstance(types, list) or not isinstance(dates, list) or len(types) != len(dates):
        return RowError.of(FieldError("date", _EVEN_DIPLOMAS))
    awarded = [day for kind, day in zip(types, dates, strict=True) if code_of(kind) in _GRADUATED]
    if not awarded:
        return None
    expected = values.get("expected")
    return parse_records.parse_graduation(
        {
            "student_id": values.get("student_id"),
            "cohort_year": expected[:4] if isinstance(expected, str) else None,
            "status": "graduated",
            "date": awarded[0],
        }
    )


RECORDS: Final[Table[str, tuple[Resource[Record], ...]]] = {
    "programs": PROGRAMS,
    "assessments": (
        Resource(
            "StudentAssessment",
            "studentAssessments",
            (
                STUDENT,
                Field(
                    "assessment",
                    "AssessmentReference/AssessmentIdentity/AssessmentIdentifier",
                    "assessmentReference/assessmentIdentifier",
                ),
                Field("date", "AdministrationDate", "administrationDate"),
                Field("not_tested", "ReasonNotTested", "reasonNotTestedDescriptor"),
                Field("scores", "ScoreResult/Result", "scoreResults/result", many=True),
                Field(
                    "methods",
                    "ScoreResult/AssessmentReportingMethod",
                    "scoreResults/assessmentReportingMethodDescriptor",
                    many=True,
                ),
                Field(
                    "levels",
                    "PerformanceLevel/PerformanceLevel",
                    "performanceLevels/performanceLevelDescriptor",
                    many=True,
                ),
            ),
            plain(_assessment),
            "not taken",
        ),
    ),
    "suspensions": (
        Resource(
            "DisciplineAction",
            "disciplineActions",
            (
                STUDENT,
                Field("action", "DisciplineActionIdentifier", "disciplineActionIdentifier"),
                Field("disciplines", "Discipline", "disciplines/disciplineDescriptor", many=True),
                Field("date", "DisciplineDate", "disciplineDate"),
                Field("planned", "DisciplineActionLength", "disciplineActionLength"),
                Field("actual", "ActualDisciplineActionLength", "actualDisciplineActionLength"),
            ),
            _suspension,
            "no suspension",
        ),
    ),
    "graduations": (
        Resource(
            "StudentSchoolAssociation",
            "studentSchoolAssociations",
            (
                STUDENT,
                Field("date", "ExitWithdrawDate", "exitWithdrawDate"),
                Field("exit", "ExitWithdrawType", "exitWithdrawTypeDescriptor"),
                Field("cohort", "ClassOfSchoolYear", "classOfSchoolYearTypeReference/schoolYear"),
            ),
            _exit,
        ),
        Resource(
            "StudentAcademicRecord",
            "studentAcademicRecords",
            (
                STUDENT,
                Field("expected", "ProjectedGraduationDate", "projectedGraduationDate"),
                Field("types", "Diploma/DiplomaType", "diplomas/diplomaTypeDescriptor", many=True),
                Field("dates", "Diploma/DiplomaAwardDate", "diplomas/diplomaAwardDate", many=True),
            ),
            plain(_diploma),
            "no diploma of a graduation",
        ),
    ),
}
"""By the name in `rows.kinds.RECORD_TABLES`."""
