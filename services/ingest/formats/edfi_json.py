"""Resources of an Ed-Fi ODS/API as JSON: arrays, pages, or NDJSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic

from services.ingest.formats.base import Found, Item, ReadLog, Rejection, RowT_co
from services.ingest.formats.edfi_demographics import PROGRAMS
from services.ingest.formats.edfi_fields import Field, Resource
from services.ingest.formats.inputs import Input
from services.ingest.formats.json_items import json_items
from services.ingest.formats.mapping import Mapping
from services.ingest.rows.parse import RowError

SUFFIXES: Final = frozenset({".json", ".ndjson", ".jsonl"})

_SIGNS: Final[tuple[tuple[str, frozenset[str]], ...]] = tuple(
    (collection, frozenset(signs.split()))
    for collection, signs in (
        ("studentSectionAttendanceEvents", "sectionReference studentReference attendanceEventCategoryDescriptor"),
        ("studentSchoolAttendanceEvents", "schoolReference studentReference attendanceEventCategoryDescriptor"),
        ("studentSchoolAssociations", "schoolReference studentReference entryDate"),
        ("calendarDates", "calendarReference date calendarEvents"),
        ("calendars", "schoolReference calendarCode calendarTypeDescriptor"),
        ("sessions", "schoolReference sessionName beginDate endDate"),
        ("gradingPeriods", "schoolReference gradingPeriodDescriptor beginDate endDate"),
        ("grades", "studentSectionAssociationReference gradingPeriodReference gradeTypeDescriptor"),
        ("studentSectionAssociations", "sectionReference studentReference beginDate"),
        ("sections", "sectionIdentifier courseOfferingReference"),
        ("courseOfferings", "localCourseCode courseReference sessionReference"),
        ("courses", "courseCode courseTitle"),
        ("studentAssessments", "studentAssessmentIdentifier assessmentReference studentReference"),
        ("disciplineActions", "disciplineActionIdentifier disciplines studentReference"),
        ("studentAcademicRecords", "studentReference educationOrganizationReference termDescriptor"),
        ("studentEducationOrganizationAssociations", "studentReference educationOrganizationReference sexDescriptor"),
        ("students", "studentUniqueId firstName lastSurname"),
        ("schools", "schoolId nameOfInstitution"),
    )
)
"""The keys by which an object shows its collection, the more telling ones first.

Students in programmes are known by their file's name alone: by the keys one who is homeless would be in any programme.
"""

COLLECTIONS: Final = (*(collection for collection, _ in _SIGNS), *(one.collection for one in PROGRAMS))
_PAGES: Final = frozenset(collection.lower() for collection in COLLECTIONS)
_NOT_AN_OBJECT: Final = "expected a JSON object"


def collections_of(source: Input) -> frozenset[str]:
    """The collections that a file may hold: by its name (`calendarDates.json`), or else by its first object.

    None of them when neither does, all of them when its pages say what they hold. Raises `OSError`.
    """
    stem = source.kind.partition(".")[0]
    for collection in COLLECTIONS:
        rest = stem.removeprefix(collection.lower())
        if rest != stem and not rest[:1].isalpha():
            return frozenset({collection})
    first = next(islice(json_items(source, ReadLog(), _PAGES), 1), None)
    if first is None:
        return frozenset()
    if first.page in _PAGES:
        return frozenset(COLLECTIONS)
    keys = frozenset(first.value) if isinstance(first.value, dict) else frozenset[str]()
    return frozenset([collection for collection, signs in _SIGNS if signs <= keys][:1])


@dataclass(frozen=True, slots=True)
class JsonReader(Generic[RowT_co]):
    """Reads one collection from one file."""

    source: Input
    resource: Resource[RowT_co]
    mapping: Mapping

    def read(self, log: ReadLog) -> Iterator[Found[RowT_co]]:
        """The rows; a line is the physical one of NDJSON, or the number of the object, from 1."""
        file, left_out = self.source.name, 0
        for line, value, fault, page in json_items(self.source, log, _PAGES):
            if page in _PAGES and page != self.resource.collection.lower():
                continue
            if not isinstance(value, dict):
                yield Rejection(file, line, None, fault or _NOT_AN_OBJECT)
                continue
            row = self.resource.parse(values_of(self.resource.fields, value), self.mapping)
            if isinstance(row, RowError):
                yield Rejection.of(row, file, line)
            elif row is not None:
                yield Item(row, file, line)
            else:
                left_out += 1
        told = self.resource.told(file, left_out)
        if told is not None:
            log.warn(told)


def values_of(fields: Iterable[Field], value: dict[str, object]) -> dict[str, object]:
    """What an object says, by the names of the fields."""
    return {field.name: _at(value, field) for field in fields}


def _at(value: dict[str, object], field: Field) -> object:
    *path, last = field.json.split("/")
    found: object = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if field.many:
        members = found if isinstance(found, list) else []
        return [member.get(last) for member in members if isinstance(member, dict)]
    return found.get(last) if isinstance(found, dict) else None
