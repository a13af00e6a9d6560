"""Resources of an Ed-Fi ODS/API as JSON: an array, or NDJSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Generic

from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.edfi import Field, Resource
from services.ingest.formats.json_items import json_items
from services.ingest.rows import RowError

SUFFIXES: Final = frozenset({".json", ".ndjson", ".jsonl"})

_SIGNS: Final = (
    ("studentSectionAttendanceEvents", {"sectionReference", "studentReference", "attendanceEventCategoryDescriptor"}),
    ("studentSchoolAttendanceEvents", {"schoolReference", "studentReference", "attendanceEventCategoryDescriptor"}),
    ("studentSchoolAssociations", {"schoolReference", "studentReference", "entryDate"}),
    ("calendarDates", {"calendarReference", "date", "calendarEvents"}),
    ("calendars", {"schoolReference", "calendarCode", "calendarTypeDescriptor"}),
    ("sessions", {"schoolReference", "sessionName", "beginDate", "endDate"}),
    ("students", {"studentUniqueId", "firstName", "lastSurname"}),
    ("schools", {"schoolId", "nameOfInstitution"}),
)
"""The keys by which an object shows its collection, the more telling ones first."""

_NOT_AN_OBJECT: Final = "expected a JSON object"


def collection_of(path: Path) -> str | None:
    """The collection that a file holds, by its name (`calendarDates.json`) or else by its first object.

    None when neither tells. Raises `OSError`.
    """
    name = path.stem.lower()
    for collection, _ in _SIGNS:
        if name == collection.lower():
            return collection
    first = next(islice(json_items(path, ReadLog()), 1), None)
    keys = set(first.value) if first is not None and isinstance(first.value, dict) else set()
    return next((collection for collection, signs in _SIGNS if signs <= keys), None)


@dataclass(frozen=True, slots=True)
class JsonReader(Generic[RowT_co]):
    """Reads one collection from one file."""

    path: Path
    resource: Resource[RowT_co]

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows; a line is the physical one of NDJSON, or an array item's number from 1."""
        file = self.path.name
        for line, value, fault in json_items(self.path, log):
            if not isinstance(value, dict):
                yield Rejection(file, line, None, fault or _NOT_AN_OBJECT)
                continue
            row = self.resource.parse({field.name: _at(value, field) for field in self.resource.fields})
            if isinstance(row, RowError):
                yield Rejection.of(row, file, line)
            elif row is not None:
                yield Item(row, file, line)


def _at(value: dict[str, object], field: Field) -> object:
    *path, last = field.json.split("/")
    found: object = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if field.many:
        members = found if isinstance(found, list) else []
        return [member.get(last) for member in members if isinstance(member, dict)]
    return found.get(last) if isinstance(found, dict) else None
