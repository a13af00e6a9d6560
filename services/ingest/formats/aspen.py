"""Aspen (Follett X2): a CSV with one row a student-day and a flag for each way of not being there."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial

from services.contracts.marks import AttendanceStatus
from services.ingest import fields, rows
from services.ingest.fields import FieldError, Values
from services.ingest.formats.csv_table import Table
from services.ingest.formats.mapping import AspenMapping
from services.ingest.rows import MarkRow, RowError


def aspen_table(mapping: AspenMapping) -> Table[MarkRow]:
    """The columns of the district's export, and how a row becomes a mark."""
    headers: dict[str, str] = mapping.columns.model_dump(exclude_none=True)
    return Table(
        columns={header: name for name, header in headers.items()},
        required=frozenset(headers.values()),
        parse=partial(_mark, mapping),
    )


def _mark(mapping: AspenMapping, values: Values) -> MarkRow | RowError:
    try:
        status = _status(values)
        excused = fields.optional_flag(values, "excused")
        day = _date(values, mapping.date_format)
    except FieldError as error:
        return RowError.of(error)
    return rows.parse_mark(
        {
            "student_id": values.get("student_id"),
            "school_id": values.get("school_id"),
            "date": day,
            "status": status,
            "excused": None if status == "present" else excused,
            "reason": mapping.codes.get(str(values.get("code") or "").strip().lower()),
            "recorded_at": values.get("recorded_at"),
        }
    )


def _status(values: Values) -> AttendanceStatus:
    """Absent wins over the flags that contradict it; a late one who left early is above all late."""
    absent, tardy, dismissed = (fields.optional_flag(values, name) for name in ("absent", "tardy", "dismissed"))
    if absent:
        return "absent"
    if tardy:
        return "tardy"
    return "early_departure" if dismissed else "present"


def _date(values: Values, date_format: str) -> str:
    """The date as YYYY-MM-DD, empty when it is unknown."""
    text = str(values.get("date") or "").strip()
    day = _parsed(text, date_format) if text else ""
    if day is None:
        raise FieldError("date", "a date in the mapping's date_format")
    return day


@lru_cache(maxsize=8192)
def _parsed(text: str, date_format: str) -> str | None:
    try:
        return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 - a date has no timezone
    except ValueError:
        return None
