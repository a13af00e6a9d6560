"""The files of one folder, read as an import reads them, and what is wrong with their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from services.ingest.formats import FormatError, Found, Item, Rejection, Source, open_sources
from services.ingest.formats.csv_table import CsvReader, Table, sound_layout

RowT = TypeVar("RowT")

_MISSED: Final = {
    "schools": "every school is in the district's timezone",
    "students": "no household and no group is known",
    "calendar": "every school is open on the weekdays that it reports",
    "outcomes": "nobody is known to have been identified as homeless",
}


class Folder:
    """Collects the rows that cannot be used."""

    def __init__(self, path: Path, mapping: Path | None = None, *, first_day_out: bool = False) -> None:
        """Reads as `open_sources` does.

        Raises `FormatError` when the folder or a table that nothing can do without is missing.
        """
        if not path.is_dir():
            raise FormatError(f"{path} is not a folder. Give the folder of the district's files.")
        self.path = path
        self.source: Source = open_sources([path], mapping, first_day_out=first_day_out)
        self.rejected: list[Rejection] = []
        readers = self.source.readers
        needed = {
            "attendance": readers.attendance,
            "consents": readers.consents,
            "enrollments": readers.enrollments,
        }
        missing = [name for name, found in needed.items() if not found]
        if missing:
            raise FormatError(f"{path} holds no {' and no '.join(missing)}. A history needs {', '.join(needed)}.")

    def notes(self) -> list[str]:
        """What the user should know of the files; no id and no name is in it."""
        readers = self.source.readers
        there = {
            "schools": readers.schools,
            "students": readers.students,
            "calendar": readers.calendar_entries,
            "outcomes": readers.others.get("outcomes"),
        }
        missed = [f"{name} is missing: {what}" for name, what in _MISSED.items() if not there[name]]
        read = {source.name for kind, source in readers.others.items() if kind == "outcomes"}
        unread = [str(one) for one in self.source.not_read if one.file not in read]
        unread += [f"{name}: not read: a history is of attendance alone" for name in self.source.beside_attendance]
        return [*missed, *self.source.warnings, *unread]

    def names(self) -> frozenset[str]:
        """The names of the folder's files that are read."""
        read = [*self.source.readers.inputs(), *self.source.readers.others.values()]
        names = {source.name for source in read} - {*self.source.beside_attendance}
        return frozenset(name.partition("/")[0] for name in names)

    def other(self, kind: str, table: Table[RowT]) -> Iterator[Found[RowT]]:
        """The rows of a table that an import does not read; nothing when it is not there. Raises `FormatError`."""
        source = self.source.readers.others.get(kind)
        if source is not None:
            yield from CsvReader(source, table, sound_layout(source, table)).read(self.source.log)

    def rows(self, found: Iterable[Found[RowT]]) -> Iterator[RowT]:
        """The usable rows of these; the others are noted."""
        return (item.row for item in self.kept(found))

    def kept(self, found: Iterable[Found[RowT]]) -> Iterator[Item[RowT]]:
        """The usable rows of these with their places; the others are noted."""
        for one in found:
            if isinstance(one, Item):
                yield one
            else:
                self.rejected.append(one)
