"""Who was identified as homeless, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.arrays import Ints
from services.ingest.formats.csv_table import Table
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.lab.year.folder import Folder

IDENTIFIED: Final = "homelessness_identified"
_KINDS: Final = (IDENTIFIED, "support_started", "support_ended")


@dataclass(frozen=True, slots=True)
class _Outcome:
    student_id: str
    day: int
    kind: str


def read_identified(folder: Folder, students: Mapping[str, int]) -> tuple[Ints, Ints]:
    """The students identified and the days, each pair once, by student and day."""
    found = {
        (students[row.student_id], row.day)
        for row in folder.rows(folder.other("outcomes", _OUTCOMES))
        if row.kind == IDENTIFIED and row.student_id in students
    }
    student, day = np.array(sorted(found), np.int32).reshape(-1, 2).T.copy()
    return student, day


def _outcome(values: Values) -> _Outcome | RowError:
    try:
        student_id = fields.required_id(values, "student_id")
        day = fields.required_date(values, "date")
        kind = fields.required_id(values, "kind").lower()
    except FieldError as error:
        return RowError.of(error)
    if kind not in _KINDS:
        return RowError("kind", f"kind: expected one of {', '.join(_KINDS)}")
    return _Outcome(student_id, day.toordinal(), kind)


_OUTCOMES: Final = Table(
    {name: name for name in ("student_id", "date", "kind")}, frozenset({"student_id", "date", "kind"}), _outcome
)
