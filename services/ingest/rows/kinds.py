"""What is kept beside attendance, table by table: which file it is of, which kind of records, and what makes it one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.ingest.rows import parse_records
from services.ingest.rows.fields import Values
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import Record

SqlType = Literal["text", "date", "numeric", "integer", "boolean"]


@dataclass(frozen=True, eq=False)  # there is one of each
class RecordTable:
    """Rows of one file of the export set and the table `district.<name>` in which they are kept."""

    name: str
    """Of the file, without its ending, and of the table; demographics are columns of `students`."""
    kind: str
    """The kind of records, in agreement and consents."""
    key: Mapping[str, SqlType]
    """Fields of a row that tell which of a student's it is, with their types in PostgreSQL; empty: there is one."""
    values: Mapping[str, SqlType]
    """What else a row says; of one key the latest said stands."""
    parse: Callable[[Values], Record | RowError]
    columns: Mapping[str, str]
    """Of the file, to the fields that `parse` reads."""
    required: frozenset[str]
    unknown_keeps: bool = False
    """Whether what a row does not say stays as it was: it is said in several places, or not every time."""

    @property
    def fields(self) -> Mapping[str, SqlType]:
        """Key and values."""
        return {**self.key, **self.values}

    def key_of(self, row: Record) -> tuple[object, ...]:
        """What tells which of its student's the row is."""
        return tuple([getattr(row, name) for name in self.key])


def _table(
    name: str,
    kind: str,
    *,
    key: Mapping[str, SqlType],
    values: Mapping[str, SqlType],
    parse: Callable[[Values], Record | RowError],
    columns: str,
    required: str,
) -> RecordTable:
    names = columns.split()
    return RecordTable(
        name, kind, key, values, parse, dict(zip(names, names, strict=True)), frozenset(required.split())
    )


DEMOGRAPHICS: Final = replace(
    _table(
        "demographics",
        "demographics",
        key={},
        values={
            "gender": "text",
            "race_ethnicity": "text",
            "english_learner": "boolean",
            "special_education": "boolean",
        },
        parse=parse_records.parse_demographics,
        columns="student_id gender race_ethnicity english_learner special_education",
        required="student_id",
    ),
    unknown_keeps=True,
)
PROGRAMS: Final = _table(
    "programs",
    "programs",
    key={"program": "text", "entry_date": "date"},
    values={"exit_date": "date"},
    parse=parse_records.parse_program,
    columns="student_id program entry_date exit_date",
    required="student_id program entry_date",
)
ELIGIBILITY: Final = _table(
    "eligibility",
    "programs",
    key={"program": "text", "from_date": "date"},
    values={"through": "date", "reason": "text"},
    parse=parse_records.parse_eligibility,
    columns="student_id program from through reason",
    required="student_id program from",
)
COURSES: Final = _table(
    "courses",
    "grades",
    key={"course": "text", "term": "text"},
    values={"title": "text", "subject": "text", "level": "text", "start_date": "date", "end_date": "date"},
    parse=parse_records.parse_course,
    columns="student_id course title subject level term start_date end_date",
    required="student_id course",
)
GRADES: Final = _table(
    "grades",
    "grades",
    key={"course": "text", "term": "text"},
    values={"grade": "text", "credits": "numeric"},
    parse=parse_records.parse_grade,
    columns="student_id course term grade credits",
    required="student_id course term grade",
)
ASSESSMENTS: Final = _table(
    "assessments",
    "assessments",
    key={"assessment": "text", "date": "date"},
    values={"scale_score": "numeric", "performance_level": "text"},
    parse=parse_records.parse_assessment,
    columns="student_id assessment date scale_score performance_level",
    required="student_id assessment date",
)
SUSPENSIONS: Final = _table(
    "suspensions",
    "suspensions",
    key={"date": "date", "action": "text"},
    values={"days_out": "numeric", "in_school": "boolean"},
    parse=parse_records.parse_suspension,
    columns="student_id date days in_school",
    required="student_id date",
)
GRADUATIONS: Final = _table(
    "graduations",
    "graduations",
    key={"cohort_year": "integer"},
    values={"status": "text", "date": "date"},
    parse=parse_records.parse_graduation,
    columns="student_id cohort_year status date",
    required="student_id status",
)

RECORD_TABLES: Final[Mapping[str, RecordTable]] = {
    table.name: table
    for table in (DEMOGRAPHICS, PROGRAMS, ELIGIBILITY, COURSES, GRADES, ASSESSMENTS, SUSPENSIONS, GRADUATIONS)
}
"""By name, in the order in which an import takes them; terms, which are of no student, come before."""
