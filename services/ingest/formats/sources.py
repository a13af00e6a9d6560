"""What the paths of an import hold: detects the format of each file and reads all of them as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from services.ingest.formats.base import Found, Item, NotRead, ReadLog, Rejection, RowT
from services.ingest.formats.calendar import CalendarEntry, CalendarKey, Track, school_days
from services.ingest.formats.inputs import Input
from services.ingest.formats.reader import Reader
from services.ingest.rows.parse import ConsentRow, EnrollmentRow, MarkRow, SchoolDayRow, SchoolRow, StudentRow
from services.ingest.rows.records import Record, TermRow


@dataclass(slots=True)
class Readers:
    """The readers of all files, by what they read."""

    schools: list[Reader[SchoolRow]] = field(default_factory=list)
    students: list[Reader[StudentRow]] = field(default_factory=list)
    enrollments: list[Reader[EnrollmentRow]] = field(default_factory=list)
    calendars: list[Reader[CalendarKey]] = field(default_factory=list)
    """Those that know which calendars are not their school's."""
    calendar_entries: list[Reader[CalendarEntry]] = field(default_factory=list)
    consents: list[Reader[ConsentRow]] = field(default_factory=list)
    attendance: list[Reader[MarkRow]] = field(default_factory=list)
    terms: list[Reader[TermRow]] = field(default_factory=list)
    records: dict[str, list[Reader[Record]]] = field(default_factory=dict)
    """What is kept beside attendance, by the name in `rows.kinds.RECORD_TABLES`."""
    agreements: list[Path] = field(default_factory=list)
    """Files of an agreement, of which an import reads none."""
    others: dict[str, Input] = field(default_factory=dict)
    """Tables of the set that an import does not read, by kind; they are among the files not read, too."""

    def record(self, name: str, reader: Reader[Record]) -> None:
        """Add a reader of what is kept beside attendance."""
        self.records.setdefault(name, []).append(reader)

    def handed_in(self) -> list[str]:
        """Of which kinds of rows there is a file, as an import names them."""
        kinds: dict[str, Sequence[Reader[object]]] = {
            "schools": self.schools,
            "consents": self.consents,
            "students": self.students,
            "enrollments": self.enrollments,
            "school_days": self.calendar_entries,
            "attendance": self.attendance,
            "terms": self.terms,
            **self.records,
        }
        return [kind for kind, readers in kinds.items() if readers]

    def inputs(self) -> list[Input]:
        """The file of each reader; one that is read several times comes several times."""
        beside: tuple[Sequence[Reader[object]], ...] = (self.terms, *self.records.values())
        return [*self.attendance_inputs(), *_sources(beside)]

    def attendance_inputs(self) -> list[Input]:
        """Likewise, of attendance and of who is where alone."""
        return _sources(
            (
                self.schools,
                self.students,
                self.enrollments,
                self.calendars,
                self.calendar_entries,
                self.consents,
                self.attendance,
            )
        )


def _sources(kinds: Sequence[Sequence[Reader[object]]]) -> list[Input]:
    return [reader.source for readers in kinds for reader in readers]


class Source:
    """All files as one. Each method reads its kind lazily, from the start, in file order; it raises `OSError`."""

    def __init__(self, readers: Readers, log: ReadLog, *, first_day_out: bool = False) -> None:
        """`first_day_out`: an enrollment's exit date is the first day without the student, not the last one with."""
        self.readers = readers
        self.log = log
        self._first_day_out = first_day_out

    @property
    def warnings(self) -> list[str]:
        """What the user should know so far; no id and no name is in it."""
        return self.log.warnings

    @property
    def not_read(self) -> list[NotRead]:
        """Files that were not read."""
        return self.log.not_read

    @property
    def others(self) -> frozenset[str]:
        """Those of them that are tables which an import never reads."""
        return frozenset(source.name for source in self.readers.others.values())

    @property
    def beside_attendance(self) -> list[str]:
        """Files of what is shared beside attendance alone, and of terms: an import keeps it, nothing else reads it."""
        readers = [*self.readers.terms, *chain.from_iterable(self.readers.records.values())]
        others = {source.name for source in self.readers.attendance_inputs()}
        return sorted({reader.source.name for reader in readers} - others)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far; after each kind was read once it equals `size`."""
        return self.log.bytes_read

    def size(self) -> int:
        """Bytes to read for all kinds together."""
        return sum(source.size for source in self.readers.inputs())

    def fingerprint(self) -> str:
        """Distinguishes these files from any others, by their bytes."""
        digest = blake2b(digest_size=16)
        for source in dict.fromkeys(self.readers.inputs()):
            digest.update(source.name.encode() + b"\0")
            for chunk in source.chunks(ReadLog()):
                digest.update(chunk)
        return digest.hexdigest()

    def schools(self) -> Iterator[Found[SchoolRow]]:
        """The schools."""
        return self._all(self.readers.schools)

    def students(self) -> Iterator[Found[StudentRow]]:
        """The students."""
        return self._all(self.readers.students)

    def enrollments(self) -> Iterator[Found[EnrollmentRow]]:
        """The enrollment spans; one that ends before it begins is of a student who never came."""
        for found in self._all(self.readers.enrollments):
            if isinstance(found, Item) and self._first_day_out and found.row.exit_date is not None:
                last = found.row.exit_date - timedelta(days=1)
                yield Item(replace(found.row, exit_date=last), found.file, found.line)
            else:
                yield found

    def consents(self) -> Iterator[Found[ConsentRow]]:
        """The consents and revocations."""
        return self._all(self.readers.consents)

    def attendance(self) -> Iterator[Found[MarkRow]]:
        """The attendance rows and events, each once, sections not yet merged."""
        return self._all(self.readers.attendance)

    def terms(self) -> Iterator[Found[TermRow]]:
        """When terms are, and the scales of their grades."""
        return self._all(self.readers.terms)

    def records(self, name: str) -> Iterator[Found[Record]]:
        """The rows of one of `rows.kinds.RECORD_TABLES`."""
        return self._all(self.readers.records.get(name, []))

    def school_days(self) -> Iterator[Found[SchoolDayRow]]:
        """Each school's days, by its calendar or else its sessions, and those of calendars that students follow."""
        others: set[CalendarKey] = set()
        said: set[Rejection] = set()
        for found in self._all(self.readers.calendars):
            if isinstance(found, Rejection):
                said.add(found)
                yield found
            else:
                others.add(found.row)
        for day in school_days(self._all(self.readers.calendar_entries), others, self._followed()):
            if not isinstance(day, Rejection) or day not in said:
                yield day

    def _followed(self) -> set[Track]:
        """The calendars that enrollments name. It is another look at them, which neither counts nor says anything."""
        found = (one for reader in self.readers.enrollments for one in reader.read(ReadLog()))
        return {
            (one.row.school_id, one.row.calendar)
            for one in found
            if isinstance(one, Item) and one.row.calendar is not None
        }

    def _all(self, readers: Sequence[Reader[RowT]]) -> Iterator[Found[RowT]]:
        for reader in readers:
            yield from reader.read(self.log)
