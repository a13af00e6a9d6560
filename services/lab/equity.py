"""False alerts by group: of the running system's closed cases, or of counts that the district made itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.equity import EquityCell, JudgedStudent, equity, suppressed, widest_gap
from services.contracts.cases import IN_NEED, NO_NEED
from services.ingest.formats.base import FormatError, Item, ReadLog, Rejection
from services.ingest.formats.csv_table import CsvReader, Table, sound_layout
from services.ingest.formats.inputs import inputs_of
from services.ingest.rows import fields
from services.ingest.rows.fields import FieldError, Values
from services.ingest.rows.parse import RowError
from services.lab.labels import ClosedCase
from services.lab.year.people import GROUPS

_MOST: Final = 10_000_000
_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """False alerts by group."""

    small_cell: int
    students: int | None
    """With a case that was judged; None: fewer than `small_cell`, or not known, as counts may leave some out."""
    groups: dict[str, dict[str, EquityCell]]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {
            "small_cell": self.small_cell,
            "students": self.students,
            "groups": {
                group: {value or "unknown": _cell(cell) for value, cell in cells.items()}
                for group, cells in self.groups.items()
            },
            "widest_gap": {group: widest_gap(cells) for group, cells in self.groups.items()},
        }


def _cell(cell: EquityCell) -> dict[str, object]:
    low, high = cell.interval or (None, None)
    return {
        "students": cell.students,
        "false_alerts": cell.false_alerts,
        "rate": cell.rate,
        "low": low,
        "high": high,
        "suppressed": cell.students is None,
    }


def of_cases(cases: Iterable[ClosedCase], described: Mapping[str, Mapping[str, str]], small_cell: int) -> GroupFigures:
    """Of closed cases; `described` has the groups of those whose consent covers demographics."""
    judged: dict[str, bool] = {}
    for case in cases:
        if case.outcome in NO_NEED | IN_NEED:
            judged[case.student_id] = judged.get(case.student_id, True) and case.outcome in NO_NEED
    students = [JudgedStudent(described.get(one, {}), is_false) for one, is_false in judged.items()]
    shown = len(students) if not students or len(students) >= small_cell else None
    return GroupFigures(small_cell, shown, equity(students, GROUPS, small_cell))


@dataclass(frozen=True, slots=True)
class GroupCount:
    """A row of the district's counts; without numbers it is a cell that the district hides."""

    group: str
    value: str
    students: int | None
    false_alerts: int | None


def of_counts(path: Path, small_cell: int) -> GroupFigures:
    """Of counts that the district made; raises `FormatError`, which says what is wrong and where."""
    groups: dict[str, dict[str, EquityCell]] = {}
    for row in _counts(path, small_cell):
        cells = groups.setdefault(row.group, {})
        if row.value in cells:
            raise FormatError(f"{path.name}: a value of a group comes twice. Leave one row of it, and run it again.")
        cells[row.value] = EquityCell(row.students, row.false_alerts)
    if not groups:
        raise FormatError(f"{path.name}: there are no counts in it. See `firstbell equity` in docs/formats.md.")
    return GroupFigures(small_cell, None, {group: suppressed(cells, small_cell) for group, cells in groups.items()})


def _counts(path: Path, small_cell: int) -> Iterable[GroupCount]:
    (source,) = inputs_of(path)
    table = Table({name: name for name in _COLUMNS}, frozenset(_COLUMNS), _count)
    for found in CsvReader(source, table, sound_layout(source, table)).read(ReadLog()):
        if isinstance(found, Rejection):
            raise FormatError(f"{found.file}, line {found.line}: {found.reason}. Correct it, and run it again.")
        assert isinstance(found, Item)
        if found.row.students is not None and found.row.students < small_cell:
            raise FormatError(
                f"{found.file}, line {found.line}: students: expected {small_cell} or more, or nothing: leave smaller "
                "counts empty before they leave the district."
            )
        yield found.row


_COLUMNS: Final = ("group", "value", "students", "false_alerts")


def _count(values: Values) -> GroupCount | RowError:
    try:
        students = fields.optional_count(values, "students", _MOST)
        alerts = fields.optional_count(values, "false_alerts", _MOST)
        if (students is None) != (alerts is None) or (alerts or 0) > (students or 0):
            return RowError("false_alerts", "false_alerts: expected a number up to that of students, or both empty")
        group, value = (fields.required_words(values, name, _WORDS) for name in ("group", "value"))
        return GroupCount(group, value, students, alerts)
    except FieldError as error:
        return RowError.of(error)
