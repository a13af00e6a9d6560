"""Detects the format of each file by its name, or by how it begins; names each file that is not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from services.ingest.agreement.reading import FILE as AGREEMENT_FILE
from services.ingest.formats import district, oneroster, oneroster_gradebook
from services.ingest.formats.base import FormatError, NotRead, ReadLog, RowT
from services.ingest.formats.csv_table import CsvReader, Table, sound
from services.ingest.formats.edfi_fields import Resource
from services.ingest.formats.edfi_index import EdfiFiles
from services.ingest.formats.edfi_json import SUFFIXES, JsonReader, collections_of
from services.ingest.formats.edfi_xml import Interchange, XmlReader, interchange_of
from services.ingest.formats.inputs import BrokenFileError, Input, inputs_of
from services.ingest.formats.layout import Beginning, Layout
from services.ingest.formats.mapped import mapped_table
from services.ingest.formats.mapping import Mapping, load_mapping
from services.ingest.formats.reader import Reader
from services.ingest.formats.sources import Readers, Source
from services.ingest.rows.kinds import DEMOGRAPHICS
from services.ingest.rows.parse import MarkRow

SUPPORTED: Final = (
    "Supported are: a folder of the district's tables (schools, students, enrollments, calendar, attendance, consents, "
    "programs, eligibility, terms, courses, grades, assessments, suspensions, graduations) as .csv, .tsv, .txt or "
    "sheets of a workbook, or one of them; Ed-Fi 4.0 or 5.x interchange XML; Ed-Fi ODS/API JSON or NDJSON; OneRoster "
    "1.1 or 1.2 CSV; other systems' attendance tables together with --mapping FILE; each also in .gz or .zip."
)
TABLES: Final = frozenset({".csv", ".tsv", ".txt", ".tab"})
_BY_HEADER: Final = ("attendance", "consents", "enrollments", "calendar")
"""Kinds whose columns distinguish them from all others."""

DEMOGRAPHIC: Final = frozenset(DEMOGRAPHICS.values)
"""Columns of `students` that make its rows demographics, too."""

_TOLD: Final = 5
_UNKNOWN: Final = "its name and its beginning are of no known format"
_SET: Final = (
    "Courses are in classes, courses and enrollments; grades in results, lineItems and classes: hand them in together."
)
_RENAME: Final = "Rename or convert it, if it holds any: `firstbell import --help` lists what is read."


def open_sources(paths: Iterable[Path], mapping: Path | None = None, *, first_day_out: bool = False) -> Source:
    """Everything that the files and folders hold, as one source.

    `mapping` is the TOML file for other systems' tables and codes.

    `first_day_out`: an enrollment's exit date is the first day without the student, not the last one with.

    Raises `FormatError` when a path does not exist, cannot be read or holds nothing that can be imported, and when
    a header lacks what it must have: before anything is taken.
    """
    detector = _Detector(Mapping() if mapping is None else load_mapping(mapping))
    for path in paths:
        try:
            detector.claim(path)
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {error.strerror}.") from error
    detector.finish()
    return Source(detector.readers, detector.log, first_day_out=first_day_out)


class _Detector:
    """Collects a reader, or several, for each file whose format it knows."""

    def __init__(self, mapping: Mapping) -> None:
        self.readers = Readers()
        self.log = ReadLog()
        self._mapping = mapping
        self._mapped: Table[MarkRow] | None = mapped_table(mapping)
        self._oneroster = oneroster.Roster()
        self._edfi = EdfiFiles(self.readers)
        self._seen: set[Path] = set()

    def claim(self, path: Path) -> None:
        """Take what the path holds; raises `FormatError` when that is nothing, and `OSError`."""
        before = len(self.log.not_read)
        if path.is_dir():
            known = [self._file(file) for file in sorted(path.iterdir())]
        elif path.exists():
            known = [self._file(path)]
        else:
            raise FormatError(f"{path} does not exist. Check the path.")
        if not any(known):
            why = " ".join(f"{one.file}: {one.reason}." for one in self.log.not_read[before:][:_TOLD])
            raise FormatError(f"{path} holds nothing that can be imported. {why} {SUPPORTED}")

    def _file(self, path: Path) -> bool:
        """Whether there is something to import in the file; one that comes again is read once."""
        if path.resolve() in self._seen:
            return True
        self._seen.add(path.resolve())
        if path.is_dir():
            return self._leave(path.name, "a folder in the folder", "Give it as a path of its own to import it.")
        if path.name == AGREEMENT_FILE:
            self.readers.agreements.append(path)
            return False
        if path.name.startswith((".", "~$")):
            return self._leave(path.name, "a hidden file", "Rename it to import it.")
        try:
            inputs = inputs_of(path)
        except BrokenFileError as error:
            return self._leave(path.name, str(error), _RENAME)
        known = [self._input(source) for source in inputs]
        return any(known)

    def _leave(self, name: str, reason: str, hint: str) -> bool:
        self.log.not_read.append(NotRead(name, reason, hint))
        return False

    def _input(self, source: Input) -> bool:
        suffix = PurePosixPath(source.kind).suffix
        try:
            if suffix in TABLES:
                return self._table(source)
            if suffix == ".xml":
                return self._xml(source)
            if suffix in SUFFIXES:
                return self._json(source)
        except BrokenFileError as error:
            return self._leave(source.name, str(error), _RENAME)
        return self._leave(source.name, _UNKNOWN, _RENAME)

    def _table(self, source: Input) -> bool:
        beginning, stem = Beginning(source), PurePosixPath(source.kind).stem
        if self._roster(source, beginning, stem):
            return True
        named = district.kind_of(stem, district.TABLES)
        for kind in _BY_HEADER if named is None else (named,):
            layout = beginning.layout(district.TABLES[kind].fits)
            if layout is not None:
                return self._district(source, kind, layout)
        mapped = self._mapped
        if mapped is not None:
            layout = beginning.layout(mapped.fits)
            if layout is not None or named == "attendance":
                layout = sound(source, mapped, layout or beginning.likeliest())
                self.readers.attendance.append(CsvReader(source, mapped, layout))
                return True
        if named is not None:
            return self._district(source, named, beginning.likeliest())
        if stem in oneroster.NOT_READ | oneroster_gradebook.TABLES.keys() and self._oneroster.files:
            return self._leave(
                source.name, "nothing of this file of a OneRoster set is imported", "Nothing is to be done."
            )
        other = district.kind_of(stem, district.OF_OTHERS)
        if other is not None:
            self.readers.others[other] = source
            return self._leave(source.name, "an import reads nothing of this kind yet", "Nothing is to be done.")
        if mapped is not None:
            missing = sorted(mapped.required - set(beginning.likeliest().header))
            reason = f"it has no columns {', '.join(missing)}, which the mapping names"
            return self._leave(source.name, reason, "Compare its header with the mapping, letter by letter.")
        return self._leave(source.name, _UNKNOWN, _RENAME)

    def _roster(self, source: Input, beginning: Beginning, stem: str) -> bool:
        """Whether it is a file of a OneRoster set, of which a folder has one."""
        table = oneroster.TABLES.get(stem) or oneroster_gradebook.TABLES.get(stem)
        layout = None if table is None else beginning.layout(table.fits)
        if layout is None:
            return False
        self._oneroster.files[stem] = (source, layout)
        into, roster = self.readers, self._oneroster
        if stem == "orgs":
            into.schools.append(oneroster.SchoolsReader(source, roster))
        elif stem == "users":
            into.students.append(oneroster.StudentsReader(source, roster))
        elif stem == "academicsessions":
            into.calendar_entries.append(oneroster.SessionsReader(source, roster))
        elif stem in oneroster.TABLES:
            into.enrollments.append(oneroster.EnrollmentsReader(source, roster, stem))
        return True

    def finish(self) -> None:
        """Add what reads files that are of use with others alone."""
        for source in oneroster_gradebook.take_gradebook(self._oneroster, self.readers):
            self._leave(source.name, "a OneRoster set's courses and grades are in several files", _SET)

    def _district(self, source: Input, kind: str, layout: Layout) -> bool:
        """Raises `FormatError` when the header is not one of this kind."""
        into = self.readers
        layout = sound(source, district.TABLES[kind], layout)
        if kind == "schools":
            into.schools.append(CsvReader(source, district.SCHOOLS, layout))
        elif kind == "students":
            into.students.append(CsvReader(source, district.STUDENTS, layout))
            if not DEMOGRAPHIC.isdisjoint(layout.header):
                layout = sound(source, district.DEMOGRAPHICS, layout)
                into.record("demographics", CsvReader(source, district.DEMOGRAPHICS, layout))
        elif kind == "enrollments":
            into.enrollments.append(CsvReader(source, district.ENROLLMENTS, layout))
        elif kind == "calendar":
            into.calendar_entries.append(CsvReader(source, district.CALENDAR, layout))
        elif kind == "consents":
            into.consents.append(CsvReader(source, district.CONSENTS, layout))
        elif kind == "attendance":
            into.attendance.append(CsvReader(source, district.ATTENDANCE, layout))
        elif kind == "terms":
            into.terms.append(CsvReader(source, district.TERMS, layout))
        else:
            into.record(kind, CsvReader(source, district.RECORDS[kind], layout))
        return True

    def _xml(self, source: Input) -> bool:
        interchange = interchange_of(source)
        if interchange is None:
            return self._leave(source.name, "not an Ed-Fi interchange", _RENAME)
        if not interchange.is_read:
            reason = f"it is of version {interchange.version} of the Ed-Fi data standard"
            return self._leave(source.name, reason, "Versions 4.0 and 5.x are read: export it by one of these.")
        if not interchange.elements:
            return self._leave(source.name, f"nothing of an {interchange.name} is imported", "Nothing is to be done.")
        return self._edfi.take(_XmlClaim(source, interchange, self._mapping))

    def _json(self, source: Input) -> bool:
        collections = collections_of(source)
        known = self._edfi.take(_JsonClaim(source, collections, self._mapping))
        return known or self._leave(source.name, "it holds no resource that is imported", _RENAME)


@dataclass(frozen=True, slots=True)
class _XmlClaim:
    source: Input
    interchange: Interchange
    mapping: Mapping

    def __call__(self, resources: Sequence[Resource[RowT]]) -> Sequence[Reader[RowT]]:
        fitting = [one for one in resources if one.element in self.interchange.elements]
        return [XmlReader(self.source, self.interchange, fitting, self.mapping)] if fitting else []


@dataclass(frozen=True, slots=True)
class _JsonClaim:
    source: Input
    collections: frozenset[str]
    mapping: Mapping

    def __call__(self, resources: Sequence[Resource[RowT]]) -> Sequence[Reader[RowT]]:
        fitting = [one for one in resources if one.collection in self.collections]
        return [JsonReader(self.source, one, self.mapping) for one in fitting]
