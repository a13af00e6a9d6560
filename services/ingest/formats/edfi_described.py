"""One row of demographics a student, of all that Ed-Fi says in several places.

District and school each have an association with a student, and either may say a part; special education is in another
resource. All of it is brought together for the files of one import, a small row for each student.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from services.ingest.formats.base import Found, Item, ReadLog
from services.ingest.formats.edfi_demographics import HISPANIC
from services.ingest.formats.inputs import Input
from services.ingest.formats.reader import Reader
from services.ingest.rows.records import DemographicsRow, Record


def merged(first: DemographicsRow, then: DemographicsRow) -> DemographicsRow:
    """What two rows say of one student: where both say something the later one.

    But Hispanic is so of any race, and who is in special education by one of them is in it.
    """
    races = (first.race_ethnicity, then.race_ethnicity)
    return DemographicsRow(
        first.student_id,
        then.gender or first.gender,
        HISPANIC if HISPANIC in races else then.race_ethnicity or first.race_ethnicity,
        first.english_learner if then.english_learner is None else then.english_learner,
        _either(first.special_education, then.special_education),
    )


def _either(first: bool | None, then: bool | None) -> bool | None:
    """Unknown where neither is known."""
    known = [one for one in (first, then) if one is not None]
    return any(known) if known else None


@dataclass(eq=False)
class Described:
    """The files that say something of demographics."""

    readers: list[Reader[DemographicsRow]] = field(default_factory=list)

    @cached_property
    def rows(self) -> dict[str, DemographicsRow]:
        """By student. It is another look at the files, which neither counts nor says anything."""
        rows: dict[str, DemographicsRow] = {}
        for reader in self.readers:
            for one in reader.read(ReadLog()):
                if isinstance(one, Item):
                    known = rows.get(one.row.student_id)
                    rows[one.row.student_id] = one.row if known is None else merged(known, one.row)
        return rows


@dataclass(frozen=True, slots=True)
class DemographicsReader:
    """The demographics of a file's students, with what other files say of them."""

    reader: Reader[DemographicsRow]
    described: Described

    @property
    def source(self) -> Input:
        """The file."""
        return self.reader.source

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order; of a student who comes again the same row."""
        for one in self.reader.read(log):
            if isinstance(one, Item):
                yield Item(self.described.rows[one.row.student_id], one.file, one.line)
            else:
                yield one
