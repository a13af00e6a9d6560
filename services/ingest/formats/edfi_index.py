"""Ed-Fi: every resource that is imported, where it is found and what reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.ingest.formats import edfi, edfi_courses, edfi_demographics, edfi_records
from services.ingest.formats.base import RowT
from services.ingest.formats.edfi_catalogue import CatalogueFaults, CatalogueFiles, CoursesReader
from services.ingest.formats.edfi_described import DemographicsReader, Described
from services.ingest.formats.edfi_fields import Resource
from services.ingest.formats.reader import Reader
from services.ingest.formats.sources import Readers

INTERCHANGES: Final = {
    "InterchangeEducationOrganization": frozenset({"School", "Course"}),
    "InterchangeEducationOrgCalendar": frozenset({"Calendar", "CalendarDate", "Session", "GradingPeriod"}),
    "InterchangeMasterSchedule": frozenset({"CourseOffering", "Section"}),
    "InterchangeStudent": frozenset({"Student"}),
    "InterchangeStudentAssessment": frozenset({"StudentAssessment"}),
    "InterchangeStudentAttendance": frozenset(one.element for one in edfi.ATTENDANCE),
    "InterchangeStudentDiscipline": frozenset({"DisciplineAction"}),
    "InterchangeStudentEnrollment": frozenset(
        {"StudentSchoolAssociation", "StudentSectionAssociation", "StudentEducationOrganizationAssociation"}
    ),
    "InterchangeStudentGrade": frozenset({"Grade"}),
    "InterchangeStudentProgram": frozenset(one.element for one in edfi_demographics.PROGRAMS),
    "InterchangeStudentTranscript": frozenset({"StudentAcademicRecord"}),
}
"""The elements that are read, by their interchange."""


class Claim(Protocol):
    """What reads resources from one file."""

    def __call__(self, resources: Sequence[Resource[RowT]]) -> Sequence[Reader[RowT]]:
        """The readers of those that the file may hold; none when it holds none."""


@dataclass(eq=False)
class EdfiFiles:
    """The Ed-Fi files of one source: what they say of each other is looked up once."""

    readers: Readers
    catalogue: CatalogueFiles = field(default_factory=CatalogueFiles)
    described: Described = field(default_factory=Described)

    def take(self, claim: Claim) -> bool:
        """Add what reads a file; whether there is any."""
        before = len(self.readers.inputs())
        into = self.readers
        into.schools.extend(claim(edfi.SCHOOLS))
        into.students.extend(claim(edfi.STUDENTS))
        into.enrollments.extend(claim(edfi.ENROLLMENTS))
        into.calendars.extend(claim(edfi.CALENDARS))
        into.calendar_entries.extend(claim(edfi.CALENDAR_ENTRIES))
        into.attendance.extend(claim(edfi.ATTENDANCE))
        into.terms.extend(claim(edfi_courses.TERMS))
        self._take_records(claim)
        return len(into.inputs()) > before

    def _take_records(self, claim: Claim) -> None:
        into = self.readers
        for name, resources in edfi_records.RECORDS.items():
            for reader in claim(resources):
                into.record(name, reader)
        for catalogue in claim(edfi_courses.CATALOGUE):
            self.catalogue.readers.append(catalogue)
            into.record("courses", CatalogueFaults(catalogue))
        for places in claim([edfi_courses.COURSES]):
            into.record("courses", CoursesReader(places, self.catalogue))
        for grades in claim([edfi_courses.GRADES]):
            into.record("grades", grades)
        for people in claim(edfi_demographics.DEMOGRAPHICS):
            self.described.readers.append(people)
            into.record("demographics", DemographicsReader(people, self.described))
