"""What the model is trained and judged on: a row per student and week's end, with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arrays import Flags, Ints
from models.features import Inputs


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of one or several histories; consented, enrolled student-days at the weeks' ends only."""

    inputs: Inputs
    """As of the day, from what was known then."""
    student: Ints
    """Distinct over all histories."""
    household: Ints
    """Distinct over all histories."""
    year: Ints
    """Which history, in the order given: by its first day."""
    day: Ints
    """Position in the history's instructional days."""
    ordinal: Ints
    """The date."""
    came_true: Flags
    """Whether the student was identified on a later day, within 30 instructional days."""
    lead: Ints
    """Instructional days to that identification; 0 where none came."""
    judgeable: Flags
    """Whether the history has these 30 days."""
    groups: dict[str, npt.NDArray[np.str_]]
    """Per group, each row's value; never a feature."""


def joined(parts: Sequence[Examples]) -> Examples:
    """Histories one after the other, with students and households numbered apart."""
    columns: dict[str, list[npt.NDArray[np.int32]]] = {"student": [], "household": [], "year": []}
    students = households = 0
    ordered = sorted(parts, key=_first_day)
    for year, part in enumerate(ordered):
        columns["student"].append(part.student + students)
        columns["household"].append(part.household + households)
        columns["year"].append(np.full(len(part.day), year, dtype=np.int32))
        students += int(part.student.max(initial=-1)) + 1
        households += int(part.household.max(initial=-1)) + 1
    names = [field.name for field in fields(Examples) if field.name not in {*columns, "groups"}]
    rest: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in ordered]) for name in names}
    groups = {name: np.concatenate([part.groups[name] for part in ordered]) for name in ordered[0].groups}
    rest |= {name: np.concatenate(found) for name, found in columns.items()}
    return Examples(**rest, groups=groups)


def _first_day(part: Examples) -> int:
    return int(part.ordinal.min()) if len(part.ordinal) else 0
