"""A page of alerts as CSV, for people who open it in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from services.casework.history.schemas import Alert
from services.platform.notice import NOTICE

COLUMNS: Final = (
    "id", "case_number", "student", "student_id", "school_id", "level", "status", "raised_on", "updated_at",
    "rules", "reasons", "dates", "notice",
)  # fmt: skip
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def wants_csv(accept: str) -> bool:
    """Whether an Accept header prefers `text/csv` to JSON; nothing but a named `text/csv` asks for it."""
    weights = {"text/csv": 0.0, "application/json": 0.0, "*/*": 0.0}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media in weights:
            weights[media] = _quality(parameters)
    return weights["text/csv"] > 0 and weights["text/csv"] >= weights["application/json"]


def to_csv(alerts: Iterable[Alert]) -> str:
    """RFC 4180 with a header row. A cell that a spreadsheet would run as a formula starts with an apostrophe.

    The notice against redisclosure is the last column: so it stays with each row that is copied out, and whoever reads
    by the names of the columns reads on.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for alert in alerts:
        writer.writerow([inert(cell) for cell in _cells(alert)])
    return out.getvalue()


def inert(cell: str) -> str:
    """The cell, so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _cells(alert: Alert) -> list[str]:
    dates = sorted({day for reason in alert.reasons for day in reason.dates})
    return [
        str(alert.id),
        alert.case_number,
        alert.student,
        alert.student_id,
        alert.school_id,
        alert.level,
        alert.status,
        alert.raised_on.isoformat(),
        alert.updated_at.isoformat(),
        ";".join(reason.rule for reason in alert.reasons),
        " ".join(reason.text for reason in alert.reasons),
        ";".join(day.isoformat() for day in dates),
        NOTICE,
    ]


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
