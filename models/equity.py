"""False alerts of closed cases, group by group, with no cell by which few students could be found.

A false alert is a case that was closed as not being one. Who is not judged yet is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

UNKNOWN: Final = ""
"""The value of students of whom no group is known."""
_Z90: Final = 1.6448536269514722
"""The normal quantile of a 90% interval."""


class JudgedStudent(NamedTuple):
    """A student with closed cases."""

    groups: Mapping[str, str]
    """Per group the student's value; empty or missing when it is not known."""
    is_false: bool
    """Whether no case of theirs turned out to be one."""


@dataclass(frozen=True, slots=True)
class EquityCell:
    """The students of one value of a group; all None where it is not shown."""

    students: int | None = None
    false_alerts: int | None = None

    @property
    def rate(self) -> float | None:
        """The share of them whose alerts were false, 0-1."""
        return None if self.false_alerts is None or not self.students else self.false_alerts / self.students

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 90% interval of the rate (Wilson 1927)."""
        if self.rate is None or not self.students:
            return None
        n, p, zz = self.students, self.rate, _Z90**2
        middle, half = p + zz / (2 * n), _Z90 * np.sqrt(p * (1 - p) / n + zz / (4 * n * n))
        return max(0.0, float(middle - half) / (1 + zz / n)), min(1.0, float(middle + half) / (1 + zz / n))


def equity(judged: Sequence[JudgedStudent], groups: Sequence[str], small_cell: int) -> dict[str, dict[str, EquityCell]]:
    """Per group and value the cell, hidden where it is of fewer than `small_cell` students.

    As the number of all is known, one hidden cell would be found from the others: a second, the smallest, is hidden
    with it, until the hidden ones together are at least `small_cell`.
    """
    return {group: _suppressed(_counted(judged, group), small_cell) for group in groups}


def suppressed(cells: Mapping[str, EquityCell], small_cell: int) -> dict[str, EquityCell]:
    """The same of cells that were counted elsewhere; hidden ones among them stay hidden."""
    return _suppressed(cells, small_cell)


def widest_gap(cells: Mapping[str, EquityCell]) -> float | None:
    """The difference of the highest and the lowest rate that are shown; None of fewer than two."""
    rates = [cell.rate for value, cell in cells.items() if value != UNKNOWN and cell.rate is not None]
    return max(rates) - min(rates) if len(rates) > 1 else None


def _counted(judged: Sequence[JudgedStudent], group: str) -> dict[str, EquityCell]:
    found: dict[str, list[bool]] = {}
    for one in judged:
        found.setdefault(one.groups.get(group) or UNKNOWN, []).append(one.is_false)
    return {value: EquityCell(len(of), sum(of)) for value, of in sorted(found.items())}


def _suppressed(cells: Mapping[str, EquityCell], small_cell: int) -> dict[str, EquityCell]:
    hidden = {value for value, cell in cells.items() if cell.students is None or cell.students < small_cell}
    by_size = sorted((cell.students or 0, value) for value, cell in cells.items() if value not in hidden)
    while hidden and by_size and (len(hidden) == 1 or _together(cells, hidden) < small_cell):
        hidden.add(by_size.pop(0)[1])
    return {value: EquityCell() if value in hidden else cell for value, cell in cells.items()}


def _together(cells: Mapping[str, EquityCell], hidden: set[str]) -> int:
    return sum(cells[value].students or 0 for value in hidden)
