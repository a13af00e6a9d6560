"""Tables of student information systems whose columns a mapping names: with flags, as Aspen has them, or with codes."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial

from services.contracts.marks import AttendanceStatus
from services.ingest.formats.csv_table import Table
from services.ingest.formats.mapping import MEANINGS, Mapping
from services.ingest.rows import fields, parse
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import MarkRow, RowError


def mapped_table(mapping: Mapping) -> Table[MarkRow] | None:
    """The columns of the export, and how a row becomes a mark; None when the mapping names no columns."""
    if mapping.columns is None:
        return None
    headers: dict[str, str] = mapping.columns.model_dump(exclude_none=True)
    return Table(
        columns={header: name for name, header in headers.items()},
        required=frozenset(headers.values()),
        parse=partial(_mark, mapping),
    )


def _mark(mapping: Mapping, values: Values) -> MarkRow | RowError:
    try:
        status, excused = _coded(mapping, values) if mapping.statuses else _flagged(values)
        day = _date(values, mapping.date_format)
    except FieldError as error:
        return RowError.of(error)
    return parse.parse_mark(
        {
            "student_id": values.get("student_id"),
            "school_id": values.get("school_id"),
            "date": day,
            "status": status,
            "excused": excused,
            "section_id": values.get("section_id"),
            "reason": mapping.codes.get(str(values.get("code") or "").strip().lower()),
            "recorded_at": values.get("recorded_at"),
        }
    )


def _coded(mapping: Mapping, values: Values) -> tuple[AttendanceStatus, bool | None]:
    code = str(values.get("status") or "").strip().lower()
    meaning = mapping.statuses.get(code)
    if meaning is None:
        raise FieldError("status", "a code of the mapping's [statuses]", missing=not code)
    return MEANINGS[meaning]


def _flagged(values: Values) -> tuple[AttendanceStatus, bool | None]:
    """Absent wins over the flags that contradict it; a late one who left early is above all late."""
    absent, tardy, dismissed = (fields.optional_flag(values, name) for name in ("absent", "tardy", "dismissed"))
    excused = fields.optional_flag(values, "excused")
    if absent:
        return "absent", excused
    if tardy:
        return "tardy", excused
    return ("early_departure", excused) if dismissed else ("present", None)


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
