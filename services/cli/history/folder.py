"""The files of the district export set in one folder, and what is wrong with their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from services.ingest.formats import FormatError, Found, Item, Rejection, district
from services.ingest.formats.base import ReadLog
from services.ingest.formats.csv_table import CsvReader, Table, sound_layout
from services.ingest.formats.inputs import inputs_of

RowT = TypeVar("RowT")

_NEEDED: Final = ("attendance.csv", "consents.csv", "enrollments.csv")
_MISSED: Final = {
    "schools.csv": "every school is in the district's timezone",
    "students.csv": "no household and no group is known",
    "calendar.csv": "every school is open on the weekdays that it reports",
    "outcomes.csv": "nobody is known to have been identified as homeless",
}


class Folder:
    """Reads each file of the set as ingest does; collects the rows that cannot be used."""

    def __init__(self, path: Path) -> None:
        """Raises `FormatError` when the folder or a file that nothing can do without is missing."""
        if not path.is_dir():
            raise FormatError(f"{path} is not a folder. Give the folder of the district's CSV files.")
        self.path = path
        self.log = ReadLog()
        self.rejected: list[Rejection] = []
        self._files = {
            file.name.lower(): file
            for file in sorted(path.iterdir(), reverse=True)
            if file.is_file() and file.name[0] != "."
        }
        missing = [name for name in _NEEDED if name not in self._files]
        if missing:
            raise FormatError(f"{path} holds no {' and no '.join(missing)}. A history needs {', '.join(_NEEDED)}.")

    def file(self, name: str) -> Path:
        """The file of that name, in capitals or not."""
        return self._files[name]

    def notes(self) -> list[str]:
        """What the user should know of the files; no id and no name is in it."""
        missed = [f"{name} is missing: {what}" for name, what in _MISSED.items() if name not in self._files]
        read = {*_NEEDED, *_MISSED, *(f"{kind}.csv" for kind in district.OF_OTHERS)}
        other = [f"{name}: not recognised, and not read" for name in sorted(self._files) if name not in read]
        return [*missed, *self.log.warnings, *other]

    def found(self, name: str, table: Table[RowT]) -> Iterator[Found[RowT]]:
        """The file's rows and rejections in order; nothing when there is no such file.

        Raises `FormatError` when its header cannot be used.
        """
        if name not in self._files:
            return
        (source,) = inputs_of(self._files[name])
        yield from CsvReader(source, table, sound_layout(source, table)).read(self.log)

    def rows(self, name: str, table: Table[RowT]) -> Iterator[RowT]:
        """The file's usable rows; the others are noted."""
        return (item.row for item in self.kept(self.found(name, table)))

    def kept(self, found: Iterable[Found[RowT]]) -> Iterator[Item[RowT]]:
        """The usable rows of these; the others are noted."""
        for one in found:
            if isinstance(one, Item):
                yield one
            else:
                self.rejected.append(one)
