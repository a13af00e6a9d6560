"""The district export set: a folder of CSV files, recognised by their names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from services.ingest.formats.base import RowT
from services.ingest.formats.csv_table import Table
from services.ingest.rows import parse, parse_records
from services.ingest.rows.fields import Values
from services.ingest.rows.kinds import RECORD_TABLES
from services.ingest.rows.parse import RowError
from services.ingest.rows.records import Record


def _table(
    columns: str,
    required: str,
    parse: Callable[[Values], RowT | RowError],
    ignored: str = "",
) -> Table[RowT]:
    names = columns.split()
    return Table(dict(zip(names, names, strict=True)), frozenset(required.split()), parse, frozenset(ignored.split()))


SCHOOLS: Final = _table("school_id name campus timezone", "school_id", parse.parse_school)
STUDENTS: Final = _table(
    "student_id first_name last_name birth_date grade household_id",
    "student_id",
    parse.parse_student,
    ignored="gender race_ethnicity english_learner special_education",  # read by DEMOGRAPHICS
)
ENROLLMENTS: Final = _table(
    "student_id school_id entry_date exit_date household_id grade calendar",
    "student_id school_id entry_date",
    parse.parse_enrollment,
)
CALENDAR: Final = _table(
    "school_id date instructional reported calendar", "school_id date instructional", parse.parse_school_day
)
ATTENDANCE: Final = _table(
    "student_id school_id date status excused section_id minutes_missed reason recorded_at event_id",
    "student_id school_id date status",
    parse.parse_mark,
)
CONSENTS: Final = _table(
    "student_id agreement_id signed_by relationship signed_on method records purpose recipients expires_on revoked_on "
    "birth_date",
    "student_id agreement_id",
    parse.parse_consent,
)
TERMS: Final = _table("term start_date end_date grade_scale_max", "term start_date end_date", parse_records.parse_term)
RECORDS: Final[Mapping[str, Table[Record]]] = {
    name: Table(table.columns, table.required, table.parse) for name, table in RECORD_TABLES.items()
}
"""By the name of the file; demographics are columns of `students`, whose other columns are known and not read."""
DEMOGRAPHICS: Final = replace(RECORDS["demographics"], ignored=frozenset(STUDENTS.columns) - {"student_id"})
TABLES: Final[Mapping[str, Table[object]]] = {
    "schools": SCHOOLS,
    "students": STUDENTS,
    "enrollments": ENROLLMENTS,
    "calendar": CALENDAR,
    "attendance": ATTENDANCE,
    "consents": CONSENTS,
    "terms": TERMS,
    **{name: table for name, table in RECORDS.items() if name != "demographics"},
}
"""By the name of the file, without its suffix."""
OF_OTHERS: Final = frozenset({"outcomes"})
"""Files of the set that an import does not read."""


def kind_of(stem: str, kinds: Collection[str]) -> str | None:
    """The kind that a file's name begins with: `attendance`, and also `attendance_2026-09` or `attendance (1)`."""
    for kind in kinds:
        rest = stem.removeprefix(kind)
        if rest != stem and not rest[:1].isalpha():
            return kind
    return None
