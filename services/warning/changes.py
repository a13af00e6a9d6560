"""What of a partition must be written next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from models.policy import Policy
from models.school import School
from services.warning.capacity import CapacityControl
from services.warning.cells import dump_block
from services.warning.school_year import SchoolYear
from services.warning.sealing import Open
from services.warning.stored import (
    VERSION,
    StoredPolicy,
    checksum,
    day_month,
    dump_head,
    dump_month,
    encode,
)
from services.warning.student import NO_ROW, Student


class Changes:
    """Students and schools' days that have changed are noted here; the columns know theirs."""

    def __init__(self) -> None:
        self.students: set[Student] = set()
        self.schools: set[tuple[str, int]] = set()
        """By school and ordinal."""
        self.gone: set[str] = set()
        """Keys of which there is nothing any more."""
        self._capacity_control = b""
        self._models: set[str] = set()

    def drain(
        self,
        years: dict[int, SchoolYear],
        schools: Mapping[str, School],
        capacity_control: CapacityControl,
        policy: Policy,
    ) -> list[tuple[str, Open]]:
        """Keys and values, not sealed yet, of what has changed since the last call; None where nothing is any more.

        Students come before their days: of a write that was cut short the records come again, and what they say is
        then new.
        """
        changes: list[tuple[str, Open]] = []
        for student in self.students:
            year = years[student.year] if student.row != NO_ROW else None
            changes.append((f"s|{student.pseudonym}", dump_head(student, year)))
        changes += _of_years(years)
        for school, (year_, month) in sorted({(school, day_month(day)) for school, day in self.schools}):
            changes.append((f"c|{school}|{year_}-{month:02}", dump_month(schools[school], year_, month)))
        changes += self._of_capacity_control(years, capacity_control, policy)
        changes += [(key, None) for key in self.gone]
        self.students, self.schools, self.gone = set(), set(), set()
        return changes

    def _of_capacity_control(
        self, years: Mapping[int, SchoolYear], capacity_control: CapacityControl, policy: Policy
    ) -> Iterator[tuple[str, bytes]]:
        rows = {number: year.cohort.register.rows for number, year in years.items()}
        decided_by = checksum(policy, capped=capacity_control.capped)
        value = encode(StoredPolicy(VERSION, decided_by, capacity_control.dump(), rows))
        if value != self._capacity_control:
            self._capacity_control = value
            yield "r|", value
        for since in capacity_control.models:
            if since.artifact is not None and since.artifact.digest not in self._models:
                self._models.add(since.artifact.digest)
                yield f"m|{since.artifact.digest}", encode((VERSION, since.artifact.dump()))


def _of_years(years: dict[int, SchoolYear]) -> Iterator[tuple[str, Open]]:
    for number, year in list(years.items()):
        for block, month in zip(*(each.tolist() for each in np.nonzero(year.changed)), strict=True):
            yield f"b|{number}|{block}|{month}", dump_block(year, block, month)
        year.changed[:] = False
        if not year.rows and not year.sealed:
            del years[number]
