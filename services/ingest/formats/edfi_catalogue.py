"""What courses, course offerings and sections of Ed-Fi say, to be looked up for each student in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from services.ingest.formats.base import Found, Item, ReadLog, Rejection
from services.ingest.formats.inputs import Input
from services.ingest.formats.reader import Reader
from services.ingest.rows.records import CourseLevel, CourseRow, Record


class OfferingKey(NamedTuple):
    """What makes a course offering one."""

    school_id: str
    course: str
    year: str
    session: str


class CourseKey(NamedTuple):
    """What makes a course of the catalogue one."""

    education_organization_id: str
    code: str


@dataclass(frozen=True, slots=True)
class CatalogueCourse:
    """A course of the catalogue."""

    key: CourseKey
    title: str | None
    subject: str | None
    level: CourseLevel | None


@dataclass(frozen=True, slots=True)
class CatalogueOffering:
    """A course as a school offers it in a session."""

    key: OfferingKey
    of: CourseKey | None
    title: str | None
    level: CourseLevel | None


@dataclass(frozen=True, slots=True)
class CatalogueSection:
    """A class of an offering."""

    offering: OfferingKey
    section_id: str
    level: CourseLevel | None


CatalogueEntry = CatalogueCourse | CatalogueOffering | CatalogueSection


@dataclass(frozen=True, slots=True)
class SectionPlace:
    """A student in a section, whose course the catalogue can tell more of."""

    row: CourseRow
    offering: OfferingKey
    section_id: str


class Catalogue:
    """What courses, offerings and sections say: as many as a district has of these, whatever the number of students."""

    def __init__(self, entries: Iterable[CatalogueEntry]) -> None:
        self._courses: dict[CourseKey, CatalogueCourse] = {}
        self._offerings: dict[OfferingKey, CatalogueOffering] = {}
        self._levels: dict[tuple[OfferingKey, str], CourseLevel] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: CatalogueEntry) -> None:
        """Take what an entry says; of one key the last stands."""
        if isinstance(entry, CatalogueCourse):
            self._courses[entry.key] = entry
        elif isinstance(entry, CatalogueOffering):
            self._offerings[entry.key] = entry
        elif entry.level is not None:
            self._levels[entry.offering, entry.section_id] = entry.level

    def course(self, place: SectionPlace) -> CourseRow:
        """The row, with what the catalogue says of its course; the section's word of the level comes first."""
        offering = self._offerings.get(place.offering)
        course = self._courses.get(offering.of) if offering is not None and offering.of is not None else None
        said = [one for one in (offering, course) if one is not None]
        levels = (place.row.level, self._levels.get((place.offering, place.section_id)), *(one.level for one in said))
        return replace(
            place.row,
            title=next((one.title for one in said if one.title is not None), None),
            subject=None if course is None else course.subject,
            level=next((level for level in levels if level is not None), None),
        )


@dataclass(eq=False)
class CatalogueFiles:
    """The files of one source that hold its catalogue: what they say is looked up once."""

    readers: list[Reader[CatalogueEntry]] = field(default_factory=list)

    @cached_property
    def catalogue(self) -> Catalogue:
        """All of it. It is another look at the files, which neither counts nor says anything."""
        found = (one for reader in self.readers for one in reader.read(ReadLog()))
        return Catalogue(one.row for one in found if isinstance(one, Item))


@dataclass(frozen=True, slots=True)
class CatalogueFaults:
    """What of a file of the catalogue cannot be used, told with the courses."""

    reader: Reader[CatalogueEntry]

    @property
    def source(self) -> Input:
        """The file."""
        return self.reader.source

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rejections alone."""
        return (one for one in self.reader.read(log) if isinstance(one, Rejection))


@dataclass(frozen=True, slots=True)
class CoursesReader:
    """The courses of a file's students."""

    reader: Reader[SectionPlace]
    files: CatalogueFiles

    @property
    def source(self) -> Input:
        """The file."""
        return self.reader.source

    def read(self, log: ReadLog) -> Iterator[Found[Record]]:
        """The rows in file order."""
        for one in self.reader.read(log):
            yield one if isinstance(one, Rejection) else Item(self.files.catalogue.course(one.row), one.file, one.line)
