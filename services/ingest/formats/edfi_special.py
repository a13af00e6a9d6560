"""Who is in special education, which Ed-Fi says in another resource than the rest of the demographics.

There is one row of demographics a student, so both are brought together: of the students in special education, which
are a small part, the ids are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from services.ingest.formats.base import Found, Item, ReadLog
from services.ingest.formats.inputs import Input
from services.ingest.formats.reader import Reader
from services.ingest.rows.records import DemographicsRow, Record


@dataclass(eq=False)
class SpecialEducation:
    """The files that say it, and those with the rest. Each is looked at once more, which neither counts nor says."""

    associations: list[Reader[DemographicsRow]] = field(default_factory=list)
    demographics: list[Reader[DemographicsRow]] = field(default_factory=list)

    @cached_property
    def students(self) -> set[str]:
        """The ids of those who are in it."""
        return {row.student_id for row in _rows(self.associations)}

    @cached_property
    def described(self) -> set[str]:
        """The ids of those of them of whom the rest is known too."""
        rows = _rows(self.demographics) if self.students else ()
        return {row.student_id for row in rows if row.student_id in self.students}


@dataclass(frozen=True, slots=True)
class DemographicsReader:
    """The demographics of a file's students."""

    reader: Reader[DemographicsRow]
    special: SpecialEducation

    @property
    def source(self) -> Input:
        """The file."""
        return self.reader.source

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order; who is not known to be in special education may be in it all the same."""
        for one in self.reader.read(log):
            if isinstance(one, Item) and one.row.student_id in self.special.students:
                yield Item(replace(one.row, special_education=True), one.file, one.line)
            else:
                yield one


@dataclass(frozen=True, slots=True)
class SpecialEducationReader:
    """Those in special education of whom nothing else is known."""

    reader: Reader[DemographicsRow]
    special: SpecialEducation

    @property
    def source(self) -> Input:
        """The file."""
        return self.reader.source

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order, with the rejections of all."""
        for one in self.reader.read(log):
            if not isinstance(one, Item) or one.row.student_id not in self.special.described:
                yield one


def _rows(readers: Iterable[Reader[DemographicsRow]]) -> Iterator[DemographicsRow]:
    return (one.row for reader in readers for one in reader.read(ReadLog()) if isinstance(one, Item))
