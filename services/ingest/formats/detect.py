"""Tells the format of each file by its name, or by how it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from services.ingest.formats import district, edfi
from services.ingest.formats.aspen import aspen_table
from services.ingest.formats.base import FormatError, Reader, ReadLog, RowT
from services.ingest.formats.csv_records import Record, records
from services.ingest.formats.csv_table import CsvReader, Table, header_of
from services.ingest.formats.edfi import Resource
from services.ingest.formats.edfi_json import SUFFIXES, JsonReader, collection_of
from services.ingest.formats.edfi_xml import XmlReader, interchange_of
from services.ingest.formats.mapping import load_mapping
from services.ingest.formats.sources import Readers, Source
from services.ingest.rows import MarkRow

SUPPORTED: Final = (
    "Supported are: a folder of the district's CSV files (schools.csv, students.csv, enrollments.csv, calendar.csv, "
    "attendance.csv, consents.csv) or one of them; Ed-Fi 5.x interchange XML; Ed-Fi ODS/API JSON or NDJSON; "
    "an Aspen CSV together with --mapping FILE."
)
_DISTRICT: Final = frozenset(
    {"schools.csv", "students.csv", "enrollments.csv", "calendar.csv", "consents.csv", "attendance.csv"}
)


def open_sources(paths: Iterable[Path], mapping: Path | None = None) -> Source:
    """Everything that the files and folders hold, as one source; `mapping` is the TOML file for Aspen CSV.

    Raises `FormatError` when a path does not exist, cannot be read or holds nothing that can be imported.
    """
    aspen = aspen_table(load_mapping(mapping)) if mapping is not None else None
    detector = _Detector(aspen)
    for path in paths:
        try:
            detector.claim(path)
        except OSError as error:
            raise FormatError(f"{path} cannot be read: {error.strerror}.") from error
    return Source(detector.readers, detector.log)


class _Detector:
    """Collects a reader, or several, for each file whose format it knows."""

    def __init__(self, aspen: Table[MarkRow] | None) -> None:
        self.readers = Readers()
        self.log = ReadLog()
        self._aspen = aspen
        self._seen: set[Path] = set()

    def claim(self, path: Path) -> None:
        """Take what the path holds; raises `FormatError` when that is nothing, and `OSError`."""
        if path.is_dir():
            known = [self._file(file, asked_for=False) for file in _files_in(path)]
        elif path.exists():
            known = [self._file(path, asked_for=True)]
        else:
            raise FormatError(f"{path} does not exist. Check the path.")
        if not any(known):
            hint = " No CSV file there has the columns that the mapping names." if self._aspen else ""
            raise FormatError(f"{path} holds nothing that can be imported.{hint} {SUPPORTED}")

    def _file(self, path: Path, *, asked_for: bool) -> bool:
        """Whether there is something to import in the file; one that comes again is read once."""
        if path.resolve() in self._seen:
            return True
        self._seen.add(path.resolve())
        suffix = path.suffix.lower()
        if suffix == ".csv":
            claimed = self._csv(path, asked_for=asked_for)
        elif suffix == ".xml":
            claimed = self._xml(path)
        elif suffix in SUFFIXES:
            claimed = self._json(path)
        else:
            return False
        if not claimed and not asked_for and path.name.lower() not in district.NOT_IMPORTED:
            self.log.warn(f"{path.name}: not recognised, and not read")
        return claimed

    def _csv(self, path: Path, *, asked_for: bool) -> bool:
        header = header_of(next(records(path, ReadLog()), Record(1, [])))
        if self._aspen is not None and self._aspen.fits(header) and not district.ATTENDANCE.fits(header):
            self.readers.attendance.append(CsvReader(path, self._aspen))
            return True
        name = path.name.lower()
        if asked_for and name not in {*_DISTRICT, *district.NOT_IMPORTED}:
            name = _name_by_header(header) or name
        return name in _DISTRICT and self._district(path, name)

    def _district(self, path: Path, name: str) -> bool:
        into = self.readers
        if name == "schools.csv":
            into.schools.append(CsvReader(path, district.SCHOOLS))
        elif name == "students.csv":
            into.students.append(CsvReader(path, district.STUDENTS))
        elif name == "enrollments.csv":
            into.enrollments.append(CsvReader(path, district.ENROLLMENTS))
        elif name == "calendar.csv":
            into.calendar_entries.append(CsvReader(path, district.CALENDAR))
        elif name == "consents.csv":
            into.consents.append(CsvReader(path, district.CONSENTS))
        else:
            into.attendance.append(CsvReader(path, district.ATTENDANCE))
        return True

    def _xml(self, path: Path) -> bool:
        interchange = interchange_of(path)
        if interchange is None:
            return False
        into = self.readers
        if interchange.name == "InterchangeEducationOrganization":
            into.schools.append(XmlReader(path, interchange, edfi.SCHOOLS))
        elif interchange.name == "InterchangeStudent":
            into.students.append(XmlReader(path, interchange, edfi.STUDENTS))
        elif interchange.name == "InterchangeStudentEnrollment":
            into.enrollments.append(XmlReader(path, interchange, edfi.ENROLLMENTS))
        elif interchange.name == "InterchangeEducationOrgCalendar":
            into.calendars.append(XmlReader(path, interchange, edfi.CALENDARS))
            into.calendar_entries.append(XmlReader(path, interchange, edfi.CALENDAR_ENTRIES))
        elif interchange.name == "InterchangeStudentAttendance":
            into.attendance.append(XmlReader(path, interchange, edfi.ATTENDANCE))
        else:
            return False
        return True

    def _json(self, path: Path) -> bool:
        collection = collection_of(path)
        into = self.readers
        claims = (
            _claim_json(path, collection, into.schools, edfi.SCHOOLS),
            _claim_json(path, collection, into.students, edfi.STUDENTS),
            _claim_json(path, collection, into.enrollments, edfi.ENROLLMENTS),
            _claim_json(path, collection, into.calendars, edfi.CALENDARS),
            _claim_json(path, collection, into.calendar_entries, edfi.CALENDAR_ENTRIES),
            _claim_json(path, collection, into.attendance, edfi.ATTENDANCE),
        )
        return any(claims)


def _claim_json(
    path: Path, collection: str | None, readers: list[Reader[RowT]], resources: Sequence[Resource[RowT]]
) -> bool:
    fitting = [resource for resource in resources if resource.collection == collection]
    readers.extend(JsonReader(path, resource) for resource in fitting)
    return bool(fitting)


def _files_in(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith("."))


def _name_by_header(header: list[str]) -> str | None:
    """What a file of another name would be called in the set, as far as its columns tell."""
    if district.ATTENDANCE.fits(header):
        return "attendance.csv"
    if district.CONSENTS.fits(header):
        return "consents.csv"
    if district.ENROLLMENTS.fits(header):
        return "enrollments.csv"
    return "calendar.csv" if district.CALENDAR.fits(header) else None
